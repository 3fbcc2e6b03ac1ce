import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  makeAudioTrack,
  makeVideoTrack,
  parseWithMp4box,
  type MadeTrack,
} from '../../../test/fixtures/encoded-media.ts';
import type { VideoCodec } from '../../timeline/asset.ts';
import { findBox, readBoxes } from '../cmaf/box-reader.ts';
import { decodeOrderSamples } from '../cmaf/decode-order.ts';
import { videoTrackOf } from '../cmaf/encoded-video.ts';
import { writeInitSegment } from '../cmaf/init-writer.ts';
import { readMediaSegment } from '../cmaf/media-reader.ts';
import { writeMediaSegment } from '../cmaf/media-writer.ts';
import { segmentTable, type MovieTrack } from './movie-track.ts';
import { planMovie } from './movie-writer.ts';

const FRAME_90K = 3600;

interface Source {
  readonly init: Uint8Array;
  readonly segments: readonly Uint8Array[];
}

const ENCODERS: readonly (readonly [VideoCodec, string])[] = [
  ['h264', '-c:v libx264 -preset fast -bf 3 -b_strategy 0 -g 25 -flags +cgop -sc_threshold 0'],
  ['hevc', '-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=error:keyint=25:open-gop=0:bframes=2'],
  ['vp9', '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25'],
  ['av1', '-c:v libsvtav1 -preset 12 -g 25'],
];

describe('movies', () => {
  let directory: string;
  let sound: MadeTrack;
  let audio: Source;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'zoetrope-movie-'));
    sound = makeAudioTrack({ seconds: 3, rateHz: 44_100 });
    audio = audioSource(sound);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function videoSource(codec: VideoCodec, made: MadeTrack): Source {
    const keyFrame = made.packets[0]?.data ?? new Uint8Array();
    const init = writeInitSegment(videoTrackOf({ codec, extradata: made.extradata, keyFrame, frameRate: 25 }));
    const starts = made.packets.flatMap((packet, index) => (packet.isSync ? [index] : []));
    const segments = starts.map((from, index) => {
      const to = starts[index + 1] ?? made.packets.length;
      const timed = decodeOrderSamples(made.packets.slice(from, to), to * FRAME_90K);
      return writeMediaSegment({ sequenceNumber: index, ...timed });
    });
    return { init, segments };
  }

  function audioSource(made: MadeTrack): Source {
    const init = writeInitSegment({ codec: 'mp4a', audioConfig: made.extradata, primingSamples: 1024 });
    const half = Math.floor(made.packets.length / 2);
    const segments = [0, 1].map((index) => {
      const packets = index === 0 ? made.packets.slice(0, half) : made.packets.slice(half);
      const samples = packets.map(({ data }) => ({ data, duration: 1024, isSync: true }));
      return writeMediaSegment({ sequenceNumber: index, baseMediaDecodeTime: index * half * 1024, samples });
    });
    return { init, segments };
  }

  function trackOf({ init, segments }: Source): MovieTrack {
    return { init, segments: segments.map((bytes) => segmentTable(readMediaSegment(bytes))) };
  }

  /** As its user writes it: the header, and then ranges of segments. */
  function write(sources: readonly Source[]): { readonly bytes: Uint8Array; readonly durationMs: number } {
    const { header, chunks, sizeBytes, durationMs } = planMovie(sources.map(trackOf));
    const parts = chunks.map(({ track, segment, offset, size }) =>
      (sources[track]?.segments[segment] ?? assert.fail('no such segment')).subarray(offset, offset + size),
    );
    const bytes = Buffer.concat([header, ...parts]);
    assert.equal(bytes.length, sizeBytes);
    return { bytes, durationMs };
  }

  function save(bytes: Uint8Array): string {
    const file = join(directory, 'movie.mp4');
    writeFileSync(file, bytes);
    return file;
  }

  function probe(file: string, stream: string, entries: string): readonly number[] {
    const args = ['-v', 'warning', '-select_streams', stream, '-show_entries', entries, '-of', 'csv=p=0', file];
    const { stdout, stderr } = spawnSync('ffprobe', args, { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
  }

  for (const [codec, encoder] of ENCODERS) {
    test(`${codec} and sound begin together at 0 and decode whole`, () => {
      const frames = 60;
      const made = makeVideoTrack(`${encoder} -pix_fmt yuv420p`, { frames });
      const { bytes, durationMs } = write([videoSource(codec, made), audio]);
      const file = save(bytes);
      assert.deepEqual(
        probe(file, 'v', 'frame=pts'),
        Array.from({ length: frames }, (_, index) => index * FRAME_90K),
      );
      assert.deepEqual(
        probe(file, 'a', 'packet=pts'),
        sound.packets.map((_, index) => (index - 1) * 1024),
      );
      assert.ok(Math.abs(durationMs - ((sound.packets.length - 1) * 1024_000) / 44_100) < 0.1);
      const movie = parseWithMp4box(bytes);
      assert.equal(movie.isProgressive, true);
      assert.equal(movie.isFragmented, false);
      assert.deepEqual(
        movie.tracks.map((track) => [track.id, track.type, track.nb_samples, track.codec.toLowerCase()]),
        [
          [1, 'video', frames, made.codecs.toLowerCase()],
          [2, 'audio', sound.packets.length, 'mp4a.40.2'],
        ],
      );
    });
  }

  test('the sound is sample for sample that of the encoder, without its priming', () => {
    const made = makeVideoTrack(`${ENCODERS[0]?.[1]} -pix_fmt yuv420p`, { frames: 25 });
    const file = save(write([videoSource('h264', made), audio]).bytes);
    const original = join(directory, 'original.mp4');
    writeFileSync(original, sound.file);
    const pcm = (input: string): Buffer =>
      execFileSync('ffmpeg', ['-v', 'error', '-i', input, '-vn', '-f', 's16le', '-'], { maxBuffer: 1 << 24 });
    const heard = 3 * 44_100 * 4;
    assert.ok(pcm(file).subarray(0, heard).equals(pcm(original).subarray(0, heard)));
  });

  test('tracks alternate by the second', () => {
    const made = makeVideoTrack(`${ENCODERS[0]?.[1]} -pix_fmt yuv420p`, { frames: 75 });
    const { chunks } = planMovie([trackOf(videoSource('h264', made)), trackOf(audio)]);
    const order = chunks.map((chunk) => chunk.track);
    for (const track of [0, 1]) {
      assert.ok(
        order.filter((one) => one === track).length >= 3,
        `track ${track} is cut into seconds: ${order.join('')}`,
      );
    }
    assert.doesNotMatch(order.join(''), /000|111/);
  });

  test('a track that begins later waits, and a hole is bridged', () => {
    const made = makeVideoTrack(`${ENCODERS[0]?.[1]} -pix_fmt yuv420p`, { frames: 50 });
    const video = trackOf(videoSource('h264', made));
    const late = video.segments.map((segment, index) => ({
      ...segment,
      baseMediaDecodeTime: segment.baseMediaDecodeTime + 900_000 + index * 90_000,
    }));
    const source = videoSource('h264', made);
    const soundTrack = trackOf(audio);
    const shifted = soundTrack.segments.map((segment) => ({
      ...segment,
      baseMediaDecodeTime: segment.baseMediaDecodeTime + 10 * 44_100 - 22_050 + 1024,
    }));
    const plan = planMovie([
      { ...video, segments: late },
      { ...soundTrack, segments: shifted },
    ]);
    const parts = plan.chunks.map(({ track, segment, offset, size }) =>
      ([source, audio][track]?.segments[segment] ?? assert.fail()).subarray(offset, offset + size),
    );
    const file = save(Buffer.concat([plan.header, ...parts]));
    const times = probe(file, 'v', 'frame=pts');
    assert.deepEqual([times[0], times[24], times[25]], [45_000, 45_000 + 24 * FRAME_90K, 45_000 + 180_000]);
    assert.equal(probe(file, 'a', 'packet=pts')[0], 0);
  });

  test('beyond 4 GiB offsets have 64 bits, and nothing but tables is held', () => {
    const source = trackOf(audio);
    const large = source.segments.map((segment) => {
      let offset = 0;
      const samples = segment.samples.map((sample) => {
        const at = offset;
        offset += 2 ** 26;
        return { ...sample, offset: at, size: 2 ** 26 };
      });
      return { ...segment, samples };
    });
    const plan = planMovie([{ ...source, segments: large }]);
    assert.equal(plan.sizeBytes, plan.header.length + sound.packets.length * 2 ** 26);
    const stbl = findBox(plan.header.subarray(0, plan.header.length - 16), ['moov', 'trak', 'mdia', 'minf', 'stbl']);
    const types = readBoxes(plan.header, stbl.bodyStart, stbl.end).map((box) => box.type);
    assert.ok(types.includes('co64') && !types.includes('stco'));
    const last = plan.chunks.at(-1) ?? assert.fail();
    assert.equal(Buffer.from(plan.header).readBigUInt64BE(stbl.end - 8), BigInt(plan.sizeBytes - last.size));
    assert.equal(
      Buffer.from(plan.header).readBigUInt64BE(plan.header.length - 8),
      BigInt(plan.sizeBytes - plan.header.length + 16),
    );
  });

  test('what cannot be a movie is refused', () => {
    assert.throws(() => planMovie([]), { code: 'invalid_argument' });
    assert.throws(() => planMovie([{ init: audio.init, segments: [] }]), /Track 0 has none/);
    const [first] = trackOf(audio).segments;
    assert.ok(first !== undefined);
    assert.throws(() => planMovie([{ init: audio.init, segments: [first, first] }]), /must rise in time/);
  });
});
