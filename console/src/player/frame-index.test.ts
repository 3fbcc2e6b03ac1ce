import assert from 'node:assert/strict';
import { it } from 'node:test';
import { frameBounds, frameStart, neighbourFrame, type FrameIndex } from './frame-index.ts';

const known: readonly (readonly number[])[] = [[0, 5, 6], [], [0, 5]];
const index: FrameIndex = {
  fragments: [
    { startS: 10, durationS: 10, wallMs: 0 },
    { startS: 20, durationS: 15, wallMs: 10_000 },
    { startS: 35, durationS: 10, wallMs: 500_000 },
  ],
  offsets: (position) => known[position] ?? [],
  intervalS: 5,
};

it('steps to the next frame, also into the next segment and over a gap', () => {
  assert.equal(neighbourFrame(index, 0, 10, 1), 15);
  assert.equal(neighbourFrame(index, 0, 15.2, 1), 16);
  assert.equal(neighbourFrame(index, 0, 16, 1), 20);
  assert.equal(neighbourFrame(index, 1, 31, 1), 35);
  assert.equal(neighbourFrame(index, 2, 41, 1), null);
});

it('steps back, also into a segment that is not loaded', () => {
  assert.equal(neighbourFrame(index, 0, 16.5, -1), 15);
  assert.equal(neighbourFrame(index, 0, 15, -1), 10);
  assert.equal(neighbourFrame(index, 2, 35, -1), 34.995);
  assert.equal(neighbourFrame(index, 0, 12, -1), null);
});

it('takes rounding for the same frame', () => {
  assert.equal(neighbourFrame(index, 0, 14.9995, 1), 16);
  assert.equal(frameStart(index, 0, 15.999_9), 16);
  assert.equal(frameStart(index, 0, 15.9), 15);
});

it('tells from where to where a frame is shown, and whether that is certain', () => {
  assert.deepEqual(frameBounds(index, 0, 15.5), { startS: 15, endS: 16, isCertain: true });
  assert.deepEqual(frameBounds(index, 0, 19.9), { startS: 16, endS: 20, isCertain: true });
  assert.deepEqual(frameBounds(index, 1, 24), { startS: 20, endS: 25, isCertain: false });
  assert.equal(frameBounds(index, 3, 50), null);
});
