import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileClock } from './file-clock.ts';

const SECOND = 90_000;

test('a steady clock is left alone, small steps back and long pauses included', () => {
  const clock = new FileClock('mp4');
  for (const time of [0, 1, 2, 1.8, 100, 101]) assert.equal(clock.offsetAt(0, time * SECOND, SECOND), 0);
  assert.equal(clock.jumps, 0);
});

test('a clock that begins anew goes on where it stood, for all tracks alike', () => {
  const clock = new FileClock('mp4');
  for (const time of [0, 1, 2]) for (const track of [0, 1]) clock.offsetAt(track, time * SECOND, SECOND);
  assert.equal(clock.offsetAt(0, 0, SECOND), 3 * SECOND);
  assert.equal(clock.offsetAt(1, 3 * SECOND, SECOND), 0, 'the other track has not come to the joint yet');
  assert.equal(clock.offsetAt(1, SECOND, SECOND), 3 * SECOND);
  assert.equal(clock.jumps, 1);
});

test('a jump forward is one in formats for broadcasting alone', () => {
  for (const [container, offset] of [
    ['mpegts', -99 * SECOND],
    ['matroska', 0],
  ] as const) {
    const clock = new FileClock(container);
    clock.offsetAt(0, 0, SECOND);
    assert.equal(clock.offsetAt(0, 100 * SECOND, SECOND), offset);
  }
});
