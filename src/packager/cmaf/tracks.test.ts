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
  type MadePacket,
  type MadeTrack,
} from '../../../test/fixtures/encoded-media.ts';
import { isZoetropeError } from '../../base/errors.ts';
import type { VideoCodec } from '../../timeline/asset.ts';
import { lengthPrefixedToAnnexB, joinAnnexB } from '../h264/nal.ts';
import { decodeOrderSamples } from './decode-order.ts';
import { videoSampleOf, videoTrackOf } from './encoded-video.ts';
import { readAvcInit, readInit } from './init-reader.ts';
import { writeInitSegment } from './init-writer.ts';
import { readMediaSegment } from './media-reader.ts';
import { writeMediaSegment } from './media-writer.ts';

const BT709 = '-color_primaries bt709 -color_trc bt709 -colorspace bt709';

interface Case {
  readonly name: string;
  readonly codec: VideoCodec;
  readonly encoder: string;
  readonly codecs: RegExp;
  readonly size?: string;
  readonly rate?: number;
}

const CASES: readonly Case[] = [
  {
    name: 'H.264 with B-pictures',
    codec: 'h264',
    encoder: '-c:v libx264 -preset fast -bf 3 -pix_fmt yuv420p',
    codecs: /^avc1\.6400/,
  },
  {
    name: 'HEVC',
    codec: 'hevc',
    encoder: `-c:v libx265 -preset fast -pix_fmt yuv420p -tag:v hvc1 ${BT709} -x265-params log-level=error`,
    codecs: /^hvc1\.1\.6\.L60\.90$/,
  },
  {
    name: 'HEVC of 10 bits, odd size',
    codec: 'hevc',
    encoder:
      '-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -tag:v hvc1 -x265-params log-level=error:scaling-list=default',
    codecs: /^hvc1\.2\.4\.L60\.90$/,
    size: '426x242',
  },
  {
    name: 'VP9',
    codec: 'vp9',
    encoder: '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p',
    codecs: /^vp09\.00\.20\.08$/,
  },
  {
    name: 'VP9 of 10 bits',
    codec: 'vp9',
    encoder: '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p10le',
    codecs: /^vp09\.02\.20\.10$/,
    rate: 60,
  },
  {
    name: 'AV1',
    codec: 'av1',
    encoder: '-c:v libsvtav1 -preset 12 -pix_fmt yuv420p',
    codecs: /^av01\.0\.0\dM\.08$/,
  },
  {
    name: 'AV1 of another encoder, 10 bits',
    codec: 'av1',
    encoder: `-c:v libaom-av1 -cpu-used 8 -usage realtime -pix_fmt yuv420p10le ${BT709}`,
    codecs: /^av01\.0\.0\dM\.10$/,
  },
];

describe('CMAF tracks', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'zoetrope-tracks-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function ffprobe(bytes: readonly Uint8Array[], entries: string): string[] {
    const file = join(directory, 'probe.mp4');
    writeFileSync(file, Buffer.concat(bytes));
    const args = ['-v', 'warning', '-show_entries', entries, '-of', 'csv=p=0', file];
    const rows = execFileSync('ffprobe', args, { encoding: 'utf8' }).split(/\s+/);
    return rows.filter((row) => row !== '').map((row) => row.replace(/,+$/, ''));
  }

  for (const { name, codec, encoder, codecs, ...options } of CASES) {
    test(name, () => {
      const frames = 20;
      const made = makeVideoTrack(encoder, { frames, ...options });
      const keyFrame = made.packets[0]?.data ?? new Uint8Array();
      const track = videoTrackOf({ codec, extradata: made.extradata, keyFrame, frameRate: options.rate ?? 25 });
      const init = writeInitSegment(track);
      const info = readInit(init);
      assert.match(info.codecs, codecs);
      assert.equal(info.codecs.toLowerCase(), made.codecs.toLowerCase());
      assert.equal(parseWithMp4box(init).tracks[0]?.codec.toLowerCase(), made.codecs.toLowerCase());
      const [width = 0, height = 0] = (options.size ?? '320x240').split('x').map(Number);
      assert.deepEqual([info.width, info.height, info.timescale, info.mediaTime], [width, height, 90_000, 0]);
      if (codec !== 'vp9') assertSameRecord(init, made);
      const frame90k = 90_000 / (options.rate ?? 25);
      const segment = decodeOrderSamples(made.packets, frames * frame90k);
      const bytes = writeMediaSegment({ sequenceNumber: 0, ...segment });
      assert.deepEqual(
        ffprobe([init, bytes], 'frame=pts'),
        Array.from({ length: frames }, (_, index) => String(index * frame90k)),
      );
    });
  }

  /** ffmpeg may put messages for people behind the parameter sets, and knows less or more of how the picture is cut for threads. */
  function assertSameRecord(init: Uint8Array, { extradata, codecs }: MadeTrack): void {
    const record = Buffer.from(extradata);
    if (!codecs.startsWith('hvc1') && !codecs.startsWith('hev1')) return assert.ok(Buffer.from(init).includes(record));
    const ours = Buffer.from(init);
    const start = ours.indexOf('hvcC') + 4;
    assert.deepEqual([...ours.subarray(start, start + 13)], [...record.subarray(0, 13)]);
    assert.deepEqual([...ours.subarray(start + 16, start + 22)], [...record.subarray(16, 22)]);
    const info = readInit(init);
    assert.ok(info.codec === 'hvc1');
    for (const set of [info.vps, info.sps, info.pps]) assert.ok(record.includes(set));
  }

  test('an encoder without extradata says the same in its first packet', () => {
    for (const { codec, encoder } of CASES.filter((one) => one.codec !== 'vp9').slice(0, 2)) {
      const made = makeVideoTrack(encoder, { frames: 2 });
      const [first] = made.packets;
      assert.ok(first !== undefined);
      const video = { codec, keyFrame: first.data, frameRate: 25 };
      const track = videoTrackOf({ ...video, extradata: made.extradata });
      const sets = track.codec === 'hvc1' ? [track.vps, track.sps, track.pps] : [];
      const avc = track.codec === 'avc1' ? [track.sps, track.pps] : [];
      const inBand = Buffer.concat([joinAnnexB([...sets, ...avc]), lengthPrefixedToAnnexB(first.data)]);
      assert.deepEqual(videoTrackOf({ ...video, extradata: null, keyFrame: inBand }), track);
      assert.deepEqual(Buffer.from(videoSampleOf(codec, inBand)), Buffer.from(first.data));
    }
  });

  test('temporal delimiters do not become part of AV1 samples', () => {
    const made = makeVideoTrack('-c:v libsvtav1 -preset 12 -pix_fmt yuv420p', { frames: 2 });
    const data = made.packets[0]?.data ?? new Uint8Array();
    const delimiter = [0x12, 0];
    assert.deepEqual(Buffer.from(videoSampleOf('av1', Buffer.from([...delimiter, ...data]))), Buffer.from(data));
    assert.throws(() => videoSampleOf('av1', Buffer.from(delimiter)), { code: 'corrupt_media' });
    const video = {
      codec: 'av1',
      extradata: null,
      keyFrame: Buffer.from([...delimiter, ...data]),
      frameRate: 25,
    } as const;
    assert.equal(readInit(writeInitSegment(videoTrackOf(video))).codecs, made.codecs);
  });

  for (const rateHz of [48_000, 44_100, 22_050]) {
    test(`AAC at ${rateHz} Hz: priming is skipped by the edit list, and segments join`, () => {
      const made = makeAudioTrack({ rateHz, seconds: 1 });
      const init = writeInitSegment({ codec: 'mp4a', audioConfig: made.extradata, primingSamples: 1024 });
      const info = readInit(init);
      assert.ok(info.codec === 'mp4a');
      assert.deepEqual(
        [info.codecs, info.timescale, info.mediaTime, info.sampleRateHz, info.channels],
        ['mp4a.40.2', rateHz, 1024, rateHz, 2],
      );
      assert.deepEqual(Buffer.from(info.audioConfig), Buffer.from(made.extradata));
      assert.equal(parseWithMp4box(init).tracks[0]?.codec, made.codecs);
      const audio = (packets: readonly MadePacket[], from: number): Uint8Array =>
        writeMediaSegment({
          sequenceNumber: 0,
          baseMediaDecodeTime: from * 1024,
          samples: packets.map(({ data }) => ({ data, duration: 1024, isSync: true })),
        });
      const segments = [audio(made.packets.slice(0, 7), 0), audio(made.packets.slice(7), 7)];
      assert.deepEqual(
        ffprobe([init, ...segments], 'packet=pts'),
        made.packets.map((_, index) => String((index - 1) * 1024)),
      );
      const bytes = segments.reduce((sum, { length }) => sum + length, 0);
      const data = made.packets.reduce((sum, packet) => sum + packet.data.length, 0);
      assert.ok(bytes - data < 4 * made.packets.length + 2 * 160, 'a packet of audio costs no more than its size');
    });
  }

  test('what is no such track is refused by name', () => {
    const { extradata } = makeAudioTrack({ seconds: 0.1 });
    const audio = writeInitSegment({ codec: 'mp4a', audioConfig: extradata, primingSamples: 0 });
    assert.equal(readInit(audio).mediaTime, 0);
    assert.throws(() => readAvcInit(audio), /must be H\.264\. Got mp4a\.40\.2/);
    const write = (primingSamples: number) => () =>
      writeInitSegment({ codec: 'mp4a', audioConfig: extradata, primingSamples });
    assert.throws(write(-1), { code: 'invalid_argument' });
    const opus = Buffer.from(audio);
    opus.write('Opus', opus.indexOf('mp4a', opus.indexOf('stsd')), 'latin1');
    assert.throws(() => readInit(opus), /Got "Opus"/);
    const mp3 = Buffer.from(audio);
    mp3.writeUInt8(0x6b, mp3.indexOf(Buffer.from([0x40, 0x15])));
    assert.throws(() => readInit(mp3), /Got object type 107/);
  });

  test('damaged headers are corrupt_media or read as something, whatever the codec', () => {
    const inits = CASES.map(({ codec, encoder, ...options }) => {
      const made = makeVideoTrack(encoder, { frames: 1, ...options });
      const keyFrame = made.packets[0]?.data ?? new Uint8Array();
      return writeInitSegment(videoTrackOf({ codec, extradata: made.extradata, keyFrame, frameRate: 25 }));
    });
    const { extradata } = makeAudioTrack({ seconds: 0.1 });
    inits.push(writeInitSegment({ codec: 'mp4a', audioConfig: extradata, primingSamples: 1024 }));
    const changes = fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.nat({ max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.nat({ max: inits.length - 1 }), changes, (which, damage) => {
        const bytes = Uint8Array.from(inits[which] ?? []);
        for (const [at, value] of damage) bytes[bytes.length - 1 - (at % bytes.length)] = value;
        try {
          readInit(bytes);
        } catch (error) {
          assert.ok(isZoetropeError(error), String(error));
          assert.ok(error.code === 'corrupt_media' || error.code === 'unsupported_media', error.code);
        }
      }),
      { numRuns: 3000 },
    );
    assert.throws(() => readMediaSegment(inits[0] ?? new Uint8Array()), { code: 'corrupt_media' });
  });
});
