import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { StreamJson } from '../api/client.ts';
import { codecNames, driftWords, lagWords, sourceLine, stateWords, type SourceFacts } from './source-state.ts';

const NOW = Date.parse('2026-11-20T10:30:00Z');
const effective = { reconnectWindowSeconds: 300 } as StreamJson['effective'];
const stream = (change: Partial<SourceFacts>): SourceFacts => ({
  kind: 'push',
  state: 'online',
  endedAt: null,
  lastReceivedAt: '2026-11-20T10:29:00Z',
  effective,
  ...change,
});

it('says how a source is', () => {
  assert.equal(stateWords(stream({}), NOW), 'Live');
  assert.equal(stateWords(stream({ state: 'new', lastReceivedAt: null }), NOW), 'Waits for its first segment');
  assert.equal(stateWords(stream({ state: 'offline' }), NOW), 'Away, ends in 4:00');
  assert.equal(stateWords(stream({ state: 'offline' }), NOW + 300_000), 'Away, ends now');
  assert.equal(stateWords(stream({ state: 'offline', endedAt: '2026-11-20T10:29:30Z' }), NOW), 'Ended');
  assert.equal(stateWords(stream({ state: 'offline', kind: 'frames' }), NOW), 'Offline');
});

it('names what an encoder sends', () => {
  assert.deepEqual(codecNames('avc1.64001f,mp4a.40.2'), { picture: 'H.264', sound: 'AAC' });
  assert.deepEqual(codecNames('hvc1.1.6.L93.B0'), { picture: 'HEVC', sound: null });
  assert.deepEqual(codecNames('mp4a.40.2'), { picture: null, sound: 'AAC' });
  const source = { codecs: 'avc1.64001f,mp4a.40.2', width: 640, height: 360, frameRate: 29.97002997 };
  assert.equal(
    sourceLine({ ...source, bitsPerSecond: 612_345 } as NonNullable<StreamJson['source']>),
    'H.264, AAC · 640×360 · 29.97 fps · 612 kbit/s',
  );
});

it('puts clocks into words', () => {
  assert.equal(driftWords(-7.4), 'in step (-7 ms)');
  assert.equal(driftWords(140), '140 ms: media runs slow');
  assert.equal(driftWords(-2340), '2.3 s: media runs fast');
  assert.equal(lagWords(2140), '2.1 s after it was taken');
  assert.equal(lagWords(-90_000), 'its clock is 1 min 30 s ahead');
});
