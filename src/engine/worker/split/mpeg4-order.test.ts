import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mpeg4Order } from './mpeg4-order.ts';
import type { SourcePacket } from './source-packet.ts';

const TYPES = { I: 0, P: 1, B: 2 } as const;
const EMPTY = 'N';

/** Packets as `I`, `PB` (two pictures in one), `N` (empty), one each 10 ticks; each picture carries its number. */
function packets(pattern: string): readonly SourcePacket[] {
  let number = 0;
  return pattern.split(' ').map((letters, index) => ({
    pts90k: null,
    dts90k: index * 10,
    duration90k: 10,
    isKey: letters.startsWith('I'),
    flags: 0,
    data: Uint8Array.from(
      letters === EMPTY
        ? [0, 0, 1, 0xb6, TYPES.P << 6]
        : letters.split('').flatMap((letter) => {
            const start = [0, 0, 1, 0xb6, (TYPES[letter as keyof typeof TYPES] ?? 0) << 6, number++];
            return [...start, ...Array.from({ length: 20 }, () => 7)];
          }),
    ),
    sideData: [],
  }));
}

/** Number and time of each picture that comes out. */
function placed(pattern: string): readonly (readonly [number | undefined, number | null])[] {
  const order = new Mpeg4Order();
  const out = [...packets(pattern).flatMap((packet) => order.add(packet)), ...order.finish()];
  return out.map(({ data, pts90k }) => [data[5], pts90k]);
}

test('without B-pictures every picture has the time of its packet', () => {
  assert.deepEqual(placed('I P P I P'), [
    [0, 0],
    [1, 10],
    [2, 20],
    [3, 30],
    [4, 40],
  ]);
});

test('reference pictures are shown behind the B-pictures that follow them', () => {
  assert.deepEqual(placed('I P B B I B'), [
    [0, 0],
    [1, 30],
    [2, 10],
    [3, 20],
    [4, 50],
    [5, 40],
  ]);
});

test('packed pictures are taken apart, and the empty packets away', () => {
  assert.deepEqual(placed('I PB N PB B N'), [
    [0, 0],
    [1, 20],
    [2, 10],
    [3, 50],
    [4, 30],
    [5, 40],
  ]);
});

test('a packed picture without an empty packet is not lost', () => {
  assert.deepEqual(
    placed('I PB P').map(([number]) => number),
    [0, 1, 2, 3],
  );
});
