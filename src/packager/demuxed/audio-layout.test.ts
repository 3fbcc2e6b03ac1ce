import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layOutAudio } from './audio-layout.ts';
import type { DemuxedAudio } from './demuxed-media.ts';

const RATE_HZ = 48_000;
const PACKET_90K = 1920;
const ORIGIN_90K = 1_000_000;

describe('sound on the clock of its epoch', () => {
  function lay(times90k: readonly number[], gridSamples: number | null, sampleRateHz = RATE_HZ) {
    const frames = times90k.map((time, index) => ({ data: Uint8Array.of(index), pts90k: ORIGIN_90K + time }));
    const audio: DemuxedAudio = {
      codec: 'aac',
      audioSpecificConfig: new Uint8Array(),
      sampleRateHz,
      channels: 2,
      frames,
    };
    const faults: string[] = [];
    const laidOut = layOutAudio(audio, { originPts90k: ORIGIN_90K, gridSamples, faults });
    const packets = laidOut?.samples.map(({ data, duration }) => [data[0], duration]);
    return { start: laidOut?.startSamples, end: laidOut?.endSamples, packets, faults };
  }

  test('packets follow each other', () => {
    assert.deepEqual(lay([0, PACKET_90K, 2 * PACKET_90K], null), {
      start: 0,
      end: 3072,
      packets: [
        [0, 1024],
        [1, 1024],
        [2, 1024],
      ],
      faults: [],
    });
  });

  test('a start within a millisecond of the grid is on it, another where it is', () => {
    const start = 10 * PACKET_90K;
    assert.equal(lay([start + 90], 1024).start, 10_240);
    assert.equal(lay([start - 90], 1024).start, 10_240);
    assert.equal(lay([start + 91], 1024).start, 10_240 + 49);
    assert.equal(lay([start + 91], null).start, 10_240 + 49);
    assert.equal(lay([start + 3], 7).start, 10_240 + 7);
  });

  test('rounding of 44.1 kHz to ticks leaves no hole from segment to segment', () => {
    let grid: number | null = null;
    for (let segment = 0; segment < 50; segment++) {
      const times = Array.from({ length: 43 }, (_, index) =>
        Math.round(((segment * 43 + index) * 1024 * 90_000) / 44_100),
      );
      const { start, end, faults } = lay(times, grid, 44_100);
      assert.equal(start, segment * 43 * 1024);
      assert.deepEqual(faults, []);
      grid = end ?? null;
    }
  });

  test('a hole is bridged by the packet before it, on the grid', () => {
    const read = lay([0, PACKET_90K, 10 * PACKET_90K + 40], null);
    assert.deepEqual(read.packets, [
      [0, 1024],
      [1, 9 * 1024],
      [2, 1024],
    ]);
    assert.deepEqual([read.end, read.faults], [11 * 1024, ['The sound has 1 holes.']]);
  });

  test('jitter below 30 ms is none, and a packet that overlaps more is left out', () => {
    assert.deepEqual(lay([0, PACKET_90K + 2700, 2 * PACKET_90K - 2700], null).faults, []);
    const read = lay([0, PACKET_90K, PACKET_90K - 2701 + PACKET_90K, 2 * PACKET_90K], null);
    assert.deepEqual(
      read.packets?.map(([index]) => index),
      [0, 1, 3],
    );
    assert.match(read.faults.join(), /1 packets of sound overlap/);
  });

  test('what begins before the origin is left out', () => {
    const read = lay([-2 * PACKET_90K, -PACKET_90K, 0, PACKET_90K], null);
    assert.deepEqual([read.start, read.packets?.map(([index]) => index)], [0, [2, 3]]);
    assert.equal(lay([-PACKET_90K], null).packets, undefined);
    assert.throws(() => lay([0, 3601 * 90_000], null), { code: 'corrupt_media' });
  });
});
