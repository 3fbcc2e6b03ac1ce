import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../../base/time.ts';
import { Rhythm } from './rhythm.ts';

test('before two frames are known the interval is the stated one', () => {
  const rhythm = new Rhythm(5000);
  assert.equal(rhythm.intervalMs, 5000);
  rhythm.note(wallMs(1000));
  assert.equal(rhythm.intervalMs, 5000);
});

test('the median follows the camera and is not bent by one outage or by late frames', () => {
  const rhythm = new Rhythm(5000);
  for (const atMs of [0, 2000, 4000, 6000, 600_000, 602_000, 604_000]) rhythm.note(wallMs(atMs));
  assert.equal(rhythm.intervalMs, 2000);
  rhythm.note(wallMs(3000));
  assert.equal(rhythm.intervalMs, 2000);
});

test('a changed rhythm wins in the end', () => {
  const rhythm = new Rhythm(5000);
  let atMs = 0;
  for (let count = 0; count < 40; count++) rhythm.note(wallMs((atMs += 5000)));
  for (let count = 0; count < 20; count++) rhythm.note(wallMs((atMs += 1000)));
  assert.equal(rhythm.intervalMs, 1000);
});
