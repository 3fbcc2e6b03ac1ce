import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedQualities } from './film-state.ts';

const level = (width: number, height: number, codec = 'avc1.64001e', bitsPerS = 1_000_000) => ({
  width,
  height,
  codec,
  bitsPerS,
});
const names = (...levels: readonly ReturnType<typeof level>[]): readonly string[] =>
  namedQualities(levels).map(({ name }) => name);

test('a quality is called by its short side, wide or upright', () => {
  assert.deepEqual(names(level(854, 480), level(360, 640)), ['480p', '360p']);
});

test('codec and rate are told where the size alone does not tell', () => {
  assert.deepEqual(names(level(854, 480), level(854, 480, 'hvc1.1.6.L93.B0')), ['480p H.264', '480p HEVC']);
  assert.deepEqual(names(level(854, 480), level(854, 480, 'avc1.4d401e', 2_400_000)), [
    '480p · 1.0 Mbit/s',
    '480p · 2.4 Mbit/s',
  ]);
});

test('a key stays when other renditions come', () => {
  const [before] = namedQualities([level(854, 480)]);
  const [, after] = namedQualities([level(1280, 720), level(854, 480)]);
  assert.equal(before?.key, after?.key);
});
