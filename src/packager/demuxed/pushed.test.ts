import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decodeComplaints,
  makePushedSegments,
  probePackets,
  type PushedSegments,
  type PushedSource,
} from '../../../test/fixtures/pushed-segments.ts';
import { readFragmentedMedia } from '../cmaf/fragmented-reader.ts';
import { readMuxedInit, readMuxedSegment, type ReadMuxedSegment } from '../cmaf/muxed-reader.ts';
import { TS_LEAD_90K } from '../mpegts/pes.ts';
import { readTransportStream } from '../mpegts/ts-reader.ts';
import { writeMuxedTsSegment } from '../mpegts/ts-writer.ts';
import type { DemuxedMedia } from './demuxed-media.ts';
import { firstPts90k, unwrapMedia } from './media-clock.ts';
import { repackage, type RepackagedSegment } from './repackage.ts';

const H264 = '-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -pix_fmt yuv420p -g 25 -keyint_min 25 -sc_threshold 0';
const HEVC =
  '-c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params log-level=error:keyint=25:min-keyint=25:open-gop=0:bframes=2';
const AAC = '-c:a aac -b:a 64k -ac 2';

interface Case extends Omit<PushedSource, 'container'> {
  readonly name: string;
  readonly codecs: RegExp;
}

const CASES: readonly Case[] = [
  { name: 'H.264 with B-pictures and AAC', video: H264, audio: AAC, codecs: /^avc1\.\w{6},mp4a\.40\.2$/ },
  {
    name: '29.97 pictures a second, sound at 44.1 kHz',
    video: H264.replaceAll('25', '30'),
    audio: `${AAC} -ar 44100`,
    rate: '30000/1001',
    codecs: /^avc1/,
  },
  { name: '23.976 pictures a second', video: H264, audio: AAC, rate: '24000/1001', codecs: /^avc1/ },
  { name: 'HEVC', video: HEVC, audio: AAC, codecs: /^hvc1\.1\.[\w.]+,mp4a\.40\.2$/ },
  { name: 'pictures alone', video: H264, audio: null, codecs: /^avc1\.\w{6}$/ },
  { name: 'sound alone', video: null, audio: AAC, codecs: /^mp4a\.40\.2$/ },
];

/** As ingest does: each segment alone, on the clock of the first, told where the one before ended. */
function repackageAll(medias: readonly DemuxedMedia[]): readonly RepackagedSegment[] {
  const [first] = medias;
  assert.ok(first !== undefined);
  const originPts90k = firstPts90k(first);
  const made: RepackagedSegment[] = [];
  for (const media of medias) {
    const before = made.at(-1);
    const near = before === undefined ? originPts90k : before.startPts90k + before.duration90k;
    made.push(
      repackage(unwrapMedia(media, near), {
        sequenceNumber: made.length,
        originPts90k,
        nextPts90k: null,
        audioGridSamples: before?.audio?.endSamples ?? null,
      }),
    );
  }
  return made;
}

function readAll({ init, segments }: PushedSegments): readonly DemuxedMedia[] {
  return segments.map((bytes) => (init === null ? readTransportStream(bytes) : readFragmentedMedia(init, bytes)));
}

const sorted = (times: readonly number[]): readonly number[] => [...times].sort((a, b) => a - b);

for (const container of ['ts', 'fmp4'] as const) {
  describe(`${container} as ffmpeg publishes it`, () => {
    for (const { name, codecs, ...source } of CASES) {
      test(name, () => {
        const pushed = makePushedSegments({ ...source, container });
        const medias = readAll(pushed);
        assert.ok(medias.length >= 3);
        const parts = pushed.init === null ? pushed.segments : [pushed.init, ...pushed.segments];
        for (const media of medias) assert.deepEqual(media.faults, []);
        const pictures = medias.flatMap((media) => media.video?.samples ?? []);
        const sound = medias.flatMap((media) => media.audio?.frames ?? []);
        if (source.video !== null) assertPictures(pictures, parts);
        if (source.audio !== null) assertSound(sound, parts);
        assert.deepEqual([pictures.length > 0, sound.length > 0], [source.video !== null, source.audio !== null]);

        const made = repackageAll(medias);
        const [first] = made;
        assert.ok(first !== undefined);
        assert.match(first.codecs, codecs);
        assert.deepEqual([first.width, first.height], source.video === null ? [0, 0] : [320, 240]);
        for (const [index, segment] of made.entries()) {
          assert.deepEqual(Buffer.from(segment.init), Buffer.from(first.init), 'one epoch has one init segment');
          assert.ok(segment.startsWithKeyframe && segment.hasKeyframe);
          const next = made[index + 1];
          if (next === undefined) continue;
          const end = segment.startPts90k + segment.duration90k;
          assert.ok(Math.abs(end - next.startPts90k) <= 1, `segment ${index} ends at ${end}, not ${next.startPts90k}`);
          if (segment.audio !== null) assert.equal(segment.audio.endSamples, next.audio?.startSamples);
        }
        const kept = [first.init, ...made.map(({ bytes }) => bytes)];
        assert.equal(decodeComplaints(kept), '');
        const origin = first.startPts90k;
        if (source.video !== null) {
          const expected = sorted(pictures.map(({ pts90k }) => pts90k - origin));
          assert.deepEqual(sorted(probePackets(kept, 'v').map(({ pts90k }) => pts90k)), expected);
        }
        if (source.audio !== null)
          assertKeptSound(
            first,
            kept,
            sound.map(({ pts90k }) => pts90k - origin),
          );
        assertAsTs(made);
      });
    }
  });

  function assertPictures(
    pictures: readonly { readonly pts90k: number; readonly isSync: boolean }[],
    parts: readonly Uint8Array[],
  ): void {
    const probed = probePackets(parts, 'v');
    assert.equal(pictures.length, probed.length);
    for (const [index, { pts90k, isSync }] of pictures.entries()) {
      const expected = probed[index];
      assert.ok(expected !== undefined);
      assert.ok(Math.abs(pts90k - expected.pts90k) <= 1, `picture ${index} is at ${pts90k}, not ${expected.pts90k}`);
      assert.equal(isSync, expected.isKey);
    }
  }

  function assertSound(frames: readonly { readonly pts90k: number }[], parts: readonly Uint8Array[]): void {
    const probed = probePackets(parts, 'a');
    assert.equal(frames.length, probed.length);
    for (const [index, { pts90k }] of frames.entries()) {
      const expected = probed[index]?.pts90k ?? Number.NaN;
      // In a PES packet ffprobe counts on in whole ticks.
      assert.ok(Math.abs(pts90k - expected) <= (container === 'ts' ? 4 : 1e-6), `${index}: ${pts90k}, not ${expected}`);
    }
  }

  /** One packet after the other without a hole, each within a tick of where the source has it, but for what is before the origin. */
  function assertKeptSound(first: RepackagedSegment, kept: readonly Uint8Array[], times: readonly number[]): void {
    const { audio } = readMuxedInit(first.init);
    assert.ok(audio !== null);
    const heard = times.filter((time) => time >= -0.5);
    const probed = probePackets(kept, 'a').map(({ pts90k }) => pts90k);
    assert.equal(probed.length, heard.length);
    assert.ok(times.length - heard.length <= 2, 'priming alone lies before the first picture');
    const packet90k = (1024 * 90_000) / audio.sampleRateHz;
    for (const [index, time] of probed.entries()) {
      assert.ok(Math.abs(time - ((probed[0] ?? 0) + index * packet90k)) < 1e-3, `packet ${index} is at ${time}`);
      // Half a tick from time stamps, as much from the grid.
      assert.ok(
        Math.abs(time - (heard[index] ?? Number.NaN)) <= 2,
        `packet ${index} is at ${time}, not ${heard[index]}`,
      );
    }
  }

  function assertAsTs(made: readonly RepackagedSegment[]): void {
    const read = made.map(({ init, bytes }) => readMuxedSegment(init, bytes));
    const written = read.map((segment, index) => writeTs(made[index], segment, index));
    assert.equal(decodeComplaints(written), '');
    const back = written.map((bytes) => readTransportStream(bytes));
    for (const [index, media] of back.entries()) {
      assert.deepEqual(media.faults, []);
      assert.equal(media.video?.samples.length ?? 0, made[index]?.pictureCount);
      assert.equal(media.audio?.frames.length ?? 0, read[index]?.audio?.samples.length ?? 0);
    }
    const expected = read.flatMap(({ video }) => {
      let decoding = video?.baseMediaDecodeTime ?? 0;
      return (video?.samples ?? []).map((sample) => {
        const at = decoding + sample.compositionOffset + TS_LEAD_90K;
        decoding += sample.duration;
        return at;
      });
    });
    assert.deepEqual(
      back.flatMap(({ video }) => video?.samples.map(({ pts90k }) => pts90k) ?? []),
      expected,
    );
    if (expected.length > 0)
      assert.deepEqual(
        probePackets(written, 'v').map(({ pts90k }) => pts90k),
        expected,
      );
  }

  function writeTs(made: RepackagedSegment | undefined, segment: ReadMuxedSegment, sequenceNumber: number): Uint8Array {
    assert.ok(made !== undefined);
    const info = readMuxedInit(made.init);
    const content = (kind: 'video' | 'audio') => {
      const [track, stretch] = [info[kind], segment[kind]];
      if (track === null || stretch === null) return null;
      return { track, baseTime: stretch.baseMediaDecodeTime, samples: stretch.samples, speed: 1 };
    };
    return writeMuxedTsSegment({ sequenceNumber, video: content('video'), audio: content('audio') });
  }
}
