import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pts90k, wallMs } from '../base/time.ts';
import type { Segment } from '../timeline/segment.ts';
import { isLeftBehind, keepsUp, leftBehind } from './kept-up.ts';
import type { LiveWindow } from './rendition-windows.ts';

/** A live window of segments of a second, from one on; negative: lost. */
function windowOf(...seconds: readonly number[]): LiveWindow {
  const segments = seconds.map((second): Segment => ({
    id: `seg_${second}`,
    streamId: 'str_1',
    renditionId: 'rnd_1',
    epochId: 'epo_1',
    placement: 'onTime',
    sequence: Math.abs(second),
    startMs: wallMs(Math.abs(second) * 1000),
    mediaStart90k: pts90k(0),
    duration90k: pts90k(90_000),
    frameTimesMs: [],
    objectKey: '',
    sizeBytes: 1,
    sha256: '',
    keyframeBytes: null,
    discontinuity: false,
    createdAtMs: wallMs(0),
    dvrDiscontinuity: false,
    lost: second < 0,
    retiredAtMs: null,
  }));
  const rendition = {
    id: 'rnd_1',
    streamId: 'str_1',
    name: '360p',
    nextSequence: 0,
    nextLateSequence: 0,
    nextEpochOrdinal: 0,
    dvrMediaSequence: 0,
    dvrDiscontinuitySequence: 0,
  };
  return { rendition, segments, epochs: new Map() };
}

const MAIN = windowOf(10, 11, 12, 13, 14, 15);

test('a rendition is offered that ends in the newer half of main and has three segments', () => {
  assert.equal(keepsUp(windowOf(10, 11, 12, 13, 14, 15), MAIN), true);
  assert.equal(keepsUp(windowOf(11, 12, 13), MAIN), true);
  assert.equal(keepsUp(windowOf(8, 9, 10, 11, 12), MAIN), false);
  assert.equal(keepsUp(windowOf(14, 15), MAIN), false);
  assert.equal(keepsUp(windowOf(10, 11), windowOf(10, 11)), true, 'main has no more either');
  assert.equal(keepsUp(windowOf(), MAIN), false);
});

test('what was lost does not count', () => {
  assert.equal(keepsUp(windowOf(10, 11, 12, -13, -14, -15), MAIN), false);
  assert.equal(keepsUp(windowOf(11, 12, -13, 14), MAIN), true);
  assert.equal(keepsUp(windowOf(-11, -12, 13, 14), MAIN), false);
});

test('one that only begins is not left behind, and a stream without segments leaves nobody behind', () => {
  assert.equal(isLeftBehind(windowOf(15), MAIN), false);
  assert.equal(isLeftBehind(windowOf(), MAIN), true);
  assert.equal(isLeftBehind(windowOf(1), windowOf()), false);
  const { code, message } = leftBehind('str_1', windowOf(3));
  assert.equal(code, 'not_found');
  assert.match(message, /360p of the stream str_1 ended at 1970-01-01T00:00:04/);
});
