import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeAudioTrack, makeVideoTrack, type MadePacket } from '../../../test/fixtures/encoded-media.ts';
import type { VideoCodec } from '../../timeline/asset.ts';
import { decodeOrderSamples, type TimedSamples } from '../cmaf/decode-order.ts';
import { videoTrackOf } from '../cmaf/encoded-video.ts';
import { readInit, type InitInfo } from '../cmaf/init-reader.ts';
import { writeInitSegment } from '../cmaf/init-writer.ts';
import { TS_LEAD_90K, TS_PACKET_BYTES } from './pes.ts';
import { writeTsSegment } from './ts-writer.ts';

const FRAME_90K = 3600;

describe('MPEG-TS tracks', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'zoetrope-ts-tracks-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function initOf(codec: VideoCodec, made: ReturnType<typeof makeVideoTrack>): InitInfo {
    const keyFrame = made.packets[0]?.data ?? new Uint8Array();
    return readInit(writeInitSegment(videoTrackOf({ codec, extradata: made.extradata, keyFrame, frameRate: 25 })));
  }

  /** Segments as asset chunks are: cut at key frames, each written alone. */
  function cut(packets: readonly MadePacket[]): readonly TimedSamples[] {
    const starts = packets.flatMap((packet, index) => (packet.isSync ? [index] : []));
    return starts.map((from, index) => {
      const to = starts[index + 1] ?? packets.length;
      return decodeOrderSamples(packets.slice(from, to), to * FRAME_90K);
    });
  }

  function write(track: InitInfo, segments: readonly TimedSamples[], firstSequence = 0): string {
    const file = join(directory, 'joined.ts');
    const written = segments.map(({ baseMediaDecodeTime, samples }, index) =>
      writeTsSegment({
        track,
        sequenceNumber: firstSequence + index,
        baseTime: baseMediaDecodeTime,
        samples,
        speed: 1,
      }),
    );
    for (const bytes of written) assert.equal(bytes.length % TS_PACKET_BYTES, 0);
    writeFileSync(file, Buffer.concat(written));
    return file;
  }

  function complaints(file: string): readonly string[] {
    const { stderr } = spawnSync('ffmpeg', ['-v', 'debug', '-i', file, '-f', 'null', '-'], { encoding: 'utf8' });
    const pattern = /continuity|corrupt|mismatch|invalid data|error while|non.monoton|out of order|invalid timestamps/i;
    return stderr.split('\n').filter((line) => pattern.test(line));
  }

  function probe(file: string, entries: string): readonly (readonly number[])[] {
    const args = ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', file];
    const rows = execFileSync('ffprobe', args, { encoding: 'utf8' }).split('\n');
    return rows.filter((row) => /\d/.test(row)).map((row) => row.split(',').filter(Boolean).map(Number));
  }

  const cases = [
    { codec: 'h264', encoder: '-c:v libx264 -preset fast -bf 3 -b_strategy 0 -g 10 -flags +cgop -sc_threshold 0' },
    {
      codec: 'hevc',
      encoder: '-c:v libx265 -preset fast -tag:v hvc1 -x265-params log-level=error:keyint=10:min-keyint=10:open-gop=0',
    },
  ] as const;
  for (const { codec, encoder } of cases) {
    test(`${codec} with reordered pictures: segments written alone join in time`, () => {
      const made = makeVideoTrack(`${encoder} -pix_fmt yuv420p`, { frames: 30 });
      const segments = cut(made.packets);
      assert.equal(segments.length, 3);
      assert.ok(made.packets.some((packet, index) => packet.pts < (made.packets[index - 1]?.pts ?? 0)));
      const file = write(initOf(codec, made), segments, 14);
      assert.deepEqual(complaints(file), []);
      const packets = probe(file, 'packet=pts,dts');
      assert.equal(packets.length, 30);
      for (const [index, [pts = 0, dts = 0]] of packets.entries()) {
        assert.ok(dts <= pts, `packet ${index} is decoded at ${dts}, after ${pts}`);
        assert.ok(index === 0 || dts > (packets[index - 1]?.[1] ?? 0), `decoding goes back at packet ${index}`);
      }
      assert.deepEqual(
        probe(file, 'frame=pts').flat(),
        Array.from({ length: 30 }, (_, index) => TS_LEAD_90K + index * FRAME_90K),
      );
      const [first] = segments.slice(1);
      assert.ok(first !== undefined);
      const alone = probe(write(initOf(codec, made), [first]), 'frame=pts').flat();
      assert.deepEqual([alone.length, alone[0]], [10, TS_LEAD_90K + 10 * FRAME_90K]);
    });
  }

  test('decoding times behind presentation are given anew', () => {
    const made = makeVideoTrack(`${cases[0].encoder} -pix_fmt yuv420p`, { frames: 10 });
    const samples = made.packets.map((packet, index) => ({
      ...packet,
      duration: FRAME_90K,
      compositionOffset: packet.pts - index * FRAME_90K,
    }));
    assert.ok(samples.some((sample) => sample.compositionOffset < 0));
    const file = write(initOf('h264', made), [{ baseMediaDecodeTime: 0, samples }]);
    for (const [pts = 0, dts = 0] of probe(file, 'packet=pts,dts')) assert.ok(dts <= pts);
    assert.deepEqual(
      probe(file, 'frame=pts').flat(),
      Array.from({ length: 10 }, (_, index) => TS_LEAD_90K + index * FRAME_90K),
    );
  });

  for (const rateHz of [48_000, 44_100, 8000]) {
    test(`AAC at ${rateHz} Hz is on the clock of the pictures, priming before them`, () => {
      const made = makeAudioTrack({ rateHz, seconds: 2 });
      const track = readInit(writeInitSegment({ codec: 'mp4a', audioConfig: made.extradata, primingSamples: 1024 }));
      const samples = made.packets.map(({ data }) => ({ data, duration: 1024, isSync: true }));
      const half = Math.floor(samples.length / 2);
      const segments = [
        { baseMediaDecodeTime: 0, samples: samples.slice(0, half) },
        { baseMediaDecodeTime: half * 1024, samples: samples.slice(half) },
      ];
      const file = write(track, segments, 15);
      assert.deepEqual(complaints(file), []);
      for (const pes of audioPesPackets(readFileSync(file))) {
        assert.equal(pes.readUInt16BE(4), pes.length - 6, 'a PES packet of sound says how long it is');
      }
      const frames = probe(file, 'frame=pts').flat();
      assert.equal(frames.length, samples.length);
      for (const [index, pts] of frames.entries()) {
        const exact = TS_LEAD_90K + ((index - 1) * 1024 * 90_000) / rateHz;
        // A PES packet states the time of its first frame; the probe counts on in whole ticks.
        assert.ok(Math.abs(pts - exact) <= 4, `frame ${index} is at ${pts}, not ${exact}`);
      }
      const pcm = (input: string): Buffer =>
        execFileSync('ffmpeg', ['-v', 'error', '-i', input, '-f', 's16le', '-'], { maxBuffer: 1 << 24 });
      const source = join(directory, 'source.mp4');
      writeFileSync(source, made.file);
      const priming = pcm(file).length - pcm(source).length;
      assert.ok(
        pcm(file)
          .subarray(1024 * 4)
          .subarray(0, rateHz)
          .equals(pcm(source).subarray(0, rateHz)),
      );
      assert.ok(priming >= 1024 * 4, 'the decoder is primed by the packet before the first');
    });
  }

  test('codecs without a place in MPEG-TS are refused with the way out', () => {
    const made = makeVideoTrack('-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p', { frames: 2 });
    assert.throws(() => write(initOf('vp9', made), cut(made.packets.slice(0, 1))), /no place for vp09.*fMP4 has/);
  });

  test('what ADTS has no room for is refused', () => {
    const audioConfig = Uint8Array.of(0x17, 0x80, 0x02, 0xee, 0x08);
    const track = readInit(writeInitSegment({ codec: 'mp4a', audioConfig, primingSamples: 0 }));
    const sample = { data: Uint8Array.of(1), duration: 1024, isSync: true };
    assert.throws(() => write(track, [{ baseMediaDecodeTime: 0, samples: [sample] }]), { code: 'unsupported_media' });
  });
});

/** PES packets of the sound, put together again: a second reading of the standard. */
function audioPesPackets(bytes: Buffer): readonly Buffer[] {
  const packets: Buffer[][] = [];
  for (let at = 0; at < bytes.length; at += TS_PACKET_BYTES) {
    if ((bytes.readUInt16BE(at + 1) & 0x1fff) !== 0x101) continue;
    const isStart = (bytes.readUInt8(at + 1) & 0x40) !== 0;
    const fieldBytes = (bytes.readUInt8(at + 3) & 0x20) === 0 ? 0 : 1 + bytes.readUInt8(at + 4);
    if (isStart) packets.push([]);
    packets.at(-1)?.push(bytes.subarray(at + 4 + fieldBytes, at + TS_PACKET_BYTES));
  }
  return packets.map((parts) => Buffer.concat(parts));
}
