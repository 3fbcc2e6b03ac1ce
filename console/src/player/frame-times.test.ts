import assert from 'node:assert/strict';
import { it } from 'node:test';
import { frameOffsets, timescaleOf } from './frame-times.ts';

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
};
const box = (type: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
};
const buffer = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;

it('reads each frame’s duration', () => {
  const trun = box('trun', u32(0x301, 3, 0, 450_000, 9, 90_000, 9, 360_000, 9));
  const segment = Buffer.concat([
    box('moof', box('mfhd', u32(0, 1)), box('traf', box('tfhd', u32(0, 1)), trun)),
    box('mdat'),
  ]);
  assert.deepEqual(frameOffsets(buffer(segment), 90_000), [0, 5, 6]);
});

it('goes by the pictures where there is sound too, in the order in which they are shown', () => {
  const video = box('trun', u32(0xb00, 3, 90, 1, 90, 90, 1, 180, 90, 1, 0));
  const pictures = box('traf', box('tfhd', u32(0, 1)), video);
  const sound = box('traf', box('tfhd', u32(0, 2)), box('trun', u32(0x100, 2, 1024, 1024)));
  assert.deepEqual(frameOffsets(buffer(box('moof', pictures, sound)), 90), [0, 1, 2]);
});

it('falls back to the default duration of the fragment', () => {
  const traf = box('traf', box('tfhd', u32(0x8, 1, 90)), box('trun', u32(0x200, 4, 1, 1, 1, 1)));
  assert.deepEqual(frameOffsets(buffer(box('moof', traf)), 90), [0, 1, 2, 3]);
});

it('gives nothing for what is not a segment', () => {
  assert.deepEqual(frameOffsets(new ArrayBuffer(3), 1), []);
  assert.deepEqual(frameOffsets(buffer(Buffer.from('not a segment, only some text')), 1), []);
  const lying = box('moof', box('traf', box('tfhd', u32(0, 1)), box('trun', u32(0x100, 1000, 5))));
  assert.deepEqual(frameOffsets(buffer(lying), 1), []);
});

it('finds the timescale of an init segment', () => {
  const init = (mdhd: Buffer): Buffer =>
    box('moov', box('mvhd', u32(0, 0, 0, 1000)), box('trak', box('mdia', box('mdhd', mdhd))));
  assert.equal(timescaleOf(init(u32(0, 0, 0, 12_800, 0))), 12_800);
  assert.equal(timescaleOf(init(u32(0x01_00_00_00, 0, 0, 0, 0, 44_100, 0, 0))), 44_100);
  assert.equal(timescaleOf(Buffer.from('nonsense')), 90_000);
  const track = (ticks: number): Buffer => box('trak', box('mdia', box('mdhd', u32(0, 0, 0, ticks, 0))));
  assert.equal(timescaleOf(box('moov', track(90_000), track(48_000))), 90_000, 'pictures come first');
});
