import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addSample, backlogWords, diskWords, rateOf, skewWords, type SentSample } from './edge-words.ts';

it('knows the rate of what was sent of late, over bursts and restarts', () => {
  let samples: readonly SentSample[] = [];
  assert.equal(rateOf(samples), null);
  for (let at = 0; at <= 60; at += 5) samples = addSample(samples, { atMs: at * 1000, sentBytes: at * 1e6 });
  assert.equal(samples.length, 7);
  assert.equal(rateOf(samples), 8e6);
  samples = addSample(samples, { atMs: 65_000, sentBytes: 10 });
  assert.deepEqual([samples.length, rateOf(samples)], [1, null]);
});

it('says in plain words when clocks are apart', () => {
  assert.deepEqual(skewWords(null), { text: 'not measured yet', matters: false });
  assert.deepEqual(skewWords(-40), { text: 'in step (-40 ms)', matters: false });
  assert.deepEqual(skewWords(300), { text: '0.3 s ahead', matters: false });
  assert.deepEqual(skewWords(-2400), {
    text: '2.4 s behind: its pictures stand 2.4 s too early on their timelines. Set its clock, best by NTP.',
    matters: true,
  });
});

it('says what is still to come, and how long that takes', () => {
  assert.equal(backlogWords({ rows: 0, segments: 0, bytes: 0 }, 8e6), 'nothing: all that is wanted is here');
  assert.equal(
    backlogWords({ rows: 1, segments: 12, bytes: 30e6 }, 8e6),
    '1 row of timelines, 12 segments, 30.0 MB; 30 s left at 8.0 Mbit/s',
  );
  assert.equal(backlogWords({ rows: 0, segments: 12, bytes: 30e6 }, 0), '12 segments, 30.0 MB');
});

it('says how full a disk is', () => {
  assert.deepEqual(diskWords({ storedBytes: 1e9, freeBytes: 3e9 }), {
    text: '1.00 GB of segments, 3.00 GB free',
    part: 0.25,
  });
  assert.equal(diskWords({ storedBytes: null, freeBytes: null }).text, 'not known yet');
});
