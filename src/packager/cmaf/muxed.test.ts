import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  makeAudioTrack,
  makeVideoTrack,
  parseWithMp4box,
  type MadeTrack,
} from '../../../test/fixtures/encoded-media.ts';
import { isZoetropeError } from '../../base/errors.ts';
import { decodeOrderSamples } from './decode-order.ts';
import { videoTrackOf } from './encoded-video.ts';
import { readInit } from './init-reader.ts';
import type { AacTrack, VideoTrack } from './init-track.ts';
import { writeInitSegment } from './init-writer.ts';
import { readMediaSegment, type ReadMediaSegment } from './media-reader.ts';
import { writeMediaSegment, type TrackSamples } from './media-writer.ts';
import { readMuxedInit, readMuxedSegment, selectTrack, selectTrackInit } from './muxed-reader.ts';
import { writeMuxedInit, writeMuxedSegment } from './muxed-writer.ts';
import { retimeInit } from './retime.ts';

const FRAMES = 25;
const FRAME_90K = 3600;

describe('segments of pictures and sound', () => {
  let directory: string;
  let video: VideoTrack;
  let audio: AacTrack;
  let pictures: TrackSamples;
  let sound: TrackSamples;
  let init: Uint8Array;
  let segment: Uint8Array;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'zoetrope-muxed-'));
    const madeVideo = makeVideoTrack('-c:v libx264 -preset fast -bf 3 -pix_fmt yuv420p', { frames: FRAMES });
    const madeAudio = makeAudioTrack({ rateHz: 44_100, seconds: 1 });
    video = trackOf(madeVideo);
    audio = { codec: 'mp4a', audioConfig: madeAudio.extradata, primingSamples: 0 };
    pictures = decodeOrderSamples(madeVideo.packets, FRAMES * FRAME_90K);
    const samples = madeAudio.packets.map(({ data }) => ({ data, duration: 1024, isSync: true }));
    sound = { baseMediaDecodeTime: 0, samples };
    init = writeMuxedInit({ video, audio });
    segment = writeMuxedSegment({ sequenceNumber: 7, video: pictures, audio: sound });
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function trackOf({ extradata, packets }: MadeTrack): VideoTrack {
    const keyFrame = packets[0]?.data ?? new Uint8Array();
    return videoTrackOf({ codec: 'h264', extradata, keyFrame, frameRate: 25 });
  }

  function ffprobe(parts: readonly Uint8Array[], stream: string, entries: string): readonly string[] {
    const file = join(directory, 'probe.mp4');
    writeFileSync(file, Buffer.concat(parts));
    const args = ['-v', 'warning', '-select_streams', stream, '-show_entries', entries, '-of', 'csv=p=0', file];
    const rows = execFileSync('ffprobe', args, { encoding: 'utf8' }).split(/\s+/);
    return rows.filter((row) => row !== '').map((row) => row.replace(/,+$/, ''));
  }

  test('ffmpeg decodes both tracks at exact times, over several segments', () => {
    const half = Math.floor(sound.samples.length / 2);
    const next = writeMuxedSegment({
      sequenceNumber: 8,
      video: { ...pictures, baseMediaDecodeTime: FRAMES * FRAME_90K },
      audio: { baseMediaDecodeTime: sound.samples.length * 1024, samples: sound.samples.slice(0, half) },
    });
    const parts = [init, segment, next];
    assert.deepEqual(
      ffprobe(parts, 'v', 'frame=pts'),
      Array.from({ length: 2 * FRAMES }, (_, index) => String(index * FRAME_90K)),
    );
    assert.deepEqual(
      ffprobe(parts, 'a', 'frame=pts'),
      Array.from({ length: sound.samples.length + half }, (_, index) => String(index * 1024)),
    );
    const tracks = parseWithMp4box(init).tracks.map(({ id, type, timescale }) => [id, type, timescale]);
    assert.deepEqual(tracks, [
      [1, 'video', 90_000],
      [2, 'audio', 44_100],
    ]);
  });

  test('what was written is read', () => {
    const info = readMuxedInit(init);
    assert.deepEqual(info.video, readInit(writeInitSegment(video)));
    assert.deepEqual(info.audio, readInit(writeInitSegment(audio)));
    const read = readMuxedSegment(init, segment);
    assertSamples(read.video, pictures);
    assertSamples(read.audio, sound);
  });

  test('one track taken out is what is written of it alone', () => {
    const alone = { video: pictures, audio: sound };
    for (const [kind, track] of [
      ['video', video],
      ['audio', audio],
    ] as const) {
      const selectedInit = selectTrackInit(init, kind);
      assert.deepEqual(Buffer.from(selectedInit), Buffer.from(writeInitSegment(track)));
      const selected = selectTrack(init, segment, kind);
      assert.deepEqual(Buffer.from(selected), Buffer.from(writeMediaSegment({ sequenceNumber: 7, ...alone[kind] })));
      assertSamples(readMediaSegment(selected), alone[kind]);
    }
    assert.equal(readInit(retimeInit(selectTrackInit(init, 'video'), 5)).timescale, 450_000);
  });

  test('a file of one track is read and selected just so', () => {
    for (const [kind, other, track, samples] of [
      ['video', 'audio', video, pictures],
      ['audio', 'video', audio, sound],
    ] as const) {
      const ownInit = writeInitSegment(track);
      const own = writeMediaSegment({ sequenceNumber: 3, ...samples });
      const tracks = { video: null, audio: null };
      assert.deepEqual(Buffer.from(writeMuxedInit({ ...tracks, [kind]: track })), Buffer.from(ownInit));
      assert.deepEqual(
        Buffer.from(writeMuxedSegment({ sequenceNumber: 3, ...tracks, [kind]: samples })),
        Buffer.from(own),
      );
      assert.deepEqual(readMuxedInit(ownInit)[kind], readInit(ownInit));
      assert.equal(readMuxedInit(ownInit)[other], null);
      assertSamples(readMuxedSegment(ownInit, own)[kind], samples);
      assert.equal(readMuxedSegment(ownInit, own)[other], null);
      assert.deepEqual([selectTrackInit(ownInit, kind), selectTrack(ownInit, own, kind)], [ownInit, own]);
      assert.throws(() => selectTrackInit(ownInit, other), { code: 'not_found' });
      assert.throws(() => selectTrack(ownInit, own, other), { code: 'not_found' });
    }
  });

  test('a segment may lack a track that its init segment has', () => {
    const silent = writeMuxedSegment({ sequenceNumber: 0, video: pictures, audio: null });
    assert.equal(readMuxedSegment(init, silent).audio, null);
    assertSamples(readMediaSegment(selectTrack(init, silent, 'video')), pictures);
    assert.throws(() => selectTrack(init, silent, 'audio'), /The segment holds no sound/);
    assert.throws(() => readMediaSegment(segment), /must have one traf/);
    assert.throws(() => writeMuxedInit({ video: null, audio: null }), { code: 'invalid_argument' });
  });

  test('damaged bytes are corrupt_media or read as something', () => {
    const changes = fc.array(fc.tuple(fc.nat({ max: 5000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.boolean(), changes, (isInit, damage) => {
        const bytes = Uint8Array.from(isInit ? init : segment);
        for (const [at, value] of damage) bytes[at % Math.min(bytes.length, 2000)] = value;
        try {
          if (isInit) readMuxedInit(bytes);
          readMuxedSegment(isInit ? bytes : init, isInit ? segment : bytes);
          selectTrackInit(isInit ? bytes : init, 'audio');
        } catch (error) {
          assert.ok(isZoetropeError(error), String(error));
          assert.match(error.code, /^(corrupt_media|unsupported_media|not_found)$/);
        }
      }),
      { numRuns: 3000, seed: 41 },
    );
  });

  test('many runs over the same bytes, and many boxes, end in an error soon', () => {
    const u32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
    const box = (type: string, ...parts: readonly Uint8Array[]): Buffer => {
      const body = Buffer.concat(parts);
      return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
    };
    const dataBytes = 10_000;
    const run = box('trun', u32(1), u32(dataBytes), u32(0));
    const tfhd = box('tfhd', u32(0x020018), u32(1), u32(1), u32(1));
    const moof = box(
      'moof',
      box('traf', tfhd, box('tfdt', u32(0), u32(0)), ...Array.from({ length: 5000 }, () => run)),
    );
    const patched = Buffer.from(moof);
    for (let at = patched.indexOf('trun'); at !== -1; at = patched.indexOf('trun', at + 1)) {
      patched.writeInt32BE(patched.length + 8, at + 12);
    }
    const media = Buffer.concat([patched, box('mdat', Buffer.alloc(dataBytes))]);
    assert.throws(() => readMediaSegment(media), /claims more than its/);
    assert.throws(() => readMediaSegment(Buffer.concat(Array.from({ length: 100_001 }, () => box('free')))), {
      code: 'corrupt_media',
    });
  });

  function assertSamples(read: ReadMediaSegment | null, written: TrackSamples): void {
    assert.ok(read !== null);
    assert.equal(read.baseMediaDecodeTime, written.baseMediaDecodeTime);
    assert.deepEqual(
      read.samples.map((sample) => [
        Buffer.from(sample.data),
        sample.duration,
        sample.isSync,
        sample.compositionOffset,
      ]),
      written.samples.map((one) => [Buffer.from(one.data), one.duration, one.isSync, one.compositionOffset ?? 0]),
    );
  }
});
