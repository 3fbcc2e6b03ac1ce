import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DemuxedMedia } from './demuxed-media.ts';
import { fillWithSilence } from './silence.ts';

const STEREO_48K = Uint8Array.of(0x11, 0x90);
const PACKET_90K = 1920;
const SECOND_90K = 90_000;

describe('silence for sound that a segment lacks', () => {
  /** Two seconds of pictures from a time on, with sound from another. */
  function media(from90k: number, soundFrom90k: number | null): DemuxedMedia {
    const samples = Array.from({ length: 50 }, (_, index) => {
      const pts90k = from90k + index * 3600;
      return { data: Uint8Array.of(1), pts90k, dts90k: pts90k, isSync: index === 0 };
    });
    const sets = { sps: new Uint8Array(), pps: new Uint8Array() };
    const count = soundFrom90k === null ? 0 : Math.floor((from90k + 2 * SECOND_90K - soundFrom90k) / PACKET_90K);
    const frames = Array.from({ length: count }, (_, index) => {
      return { data: Uint8Array.of(2), pts90k: (soundFrom90k ?? 0) + index * PACKET_90K };
    });
    return {
      video: { codec: 'h264', sets, samples, end90k: null },
      audio:
        frames.length === 0
          ? null
          : { codec: 'aac', audioSpecificConfig: STEREO_48K, sampleRateHz: 48_000, channels: 2, frames },
      faults: [],
    };
  }

  const times = ({ audio }: DemuxedMedia): readonly number[] => (audio?.frames ?? []).map(({ pts90k }) => pts90k);

  test('goes on where the sound ended, up to the end of the pictures', () => {
    const gridPts90k = 10 * SECOND_90K - 500;
    const filled = times(
      fillWithSilence(media(10 * SECOND_90K, null), { audioSpecificConfig: STEREO_48K, gridPts90k, isEnd: true }),
    );
    assert.equal(filled[0], gridPts90k);
    assert.ok(filled.every((time, index) => time === gridPts90k + index * PACKET_90K));
    const end = (filled.at(-1) ?? 0) + PACKET_90K;
    assert.ok(end >= 12 * SECOND_90K && end < 12 * SECOND_90K + PACKET_90K, `it ends at ${end}`);
  });

  test('stands before sound that begins too late, and leaves what is there alone', () => {
    const late = media(10 * SECOND_90K, 11 * SECOND_90K);
    const gridPts90k = 10 * SECOND_90K + 100;
    const filled = times(fillWithSilence(late, { audioSpecificConfig: STEREO_48K, gridPts90k, isEnd: true }));
    const own = times(late);
    assert.deepEqual(filled.slice(-own.length), own);
    const silent = filled.slice(0, -own.length);
    assert.ok(silent.length > 40 && (silent.at(-1) ?? 0) + PACKET_90K <= 11 * SECOND_90K);
    const whole = media(10 * SECOND_90K, 10 * SECOND_90K + 1000);
    assert.equal(fillWithSilence(whole, { audioSpecificConfig: STEREO_48K, gridPts90k, isEnd: true }), whole);
  });

  test('does not know of a hole where it is not known up to where there is sound', () => {
    const late = media(10 * SECOND_90K, 11 * SECOND_90K);
    assert.equal(fillWithSilence(late, { audioSpecificConfig: STEREO_48K, gridPts90k: 0, isEnd: false }), late);
    const filled = times(
      fillWithSilence(media(10 * SECOND_90K, null), { audioSpecificConfig: STEREO_48K, gridPts90k: 7, isEnd: false }),
    );
    assert.ok((filled[0] ?? 0) >= 10 * SECOND_90K && (filled[0] ?? 0) < 10 * SECOND_90K + PACKET_90K);
    assert.equal(((filled[0] ?? 0) - 7) % PACKET_90K, 0, 'on the grid');
  });

  test('fills no hours', () => {
    const filled = times(
      fillWithSilence(media(9000 * SECOND_90K, null), {
        audioSpecificConfig: STEREO_48K,
        gridPts90k: SECOND_90K,
        isEnd: true,
      }),
    );
    assert.ok(filled.length < 100);
  });
});
