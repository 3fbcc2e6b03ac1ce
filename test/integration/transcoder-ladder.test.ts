import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EncodedRendition, EncodeLadderResult, VideoRung } from '../../src/engine/transcoder.ts';
import { readMuxedInit, readMuxedSegment } from '../../src/packager/cmaf/muxed-reader.ts';
import { planRung } from '../../src/vod/ladder.ts';
import { run } from '../fixtures/media-judge.ts';
import { PushedMedia, type PushedMediaOptions } from '../fixtures/pushed-media.ts';
import { startTranscoder, type TranscoderBench } from '../fixtures/transcoder.ts';

describe('the rungs of a live segment', () => {
  let bench: TranscoderBench;
  before(async () => {
    bench = await startTranscoder();
  });
  after(() => bench[Symbol.asyncDispose]());

  const rungs = (heights: readonly number[], name: string): readonly VideoRung[] =>
    heights.map((heightPx) => {
      const { spec } = planRung({ width: 320, height: 180 }, { heightPx }, 25);
      return { id: `${heightPx}p`, spec, outputPrefix: `out/${name}-${heightPx}.` };
    });

  async function encode(
    media: PushedMedia,
    index: number,
    options: { readonly silent?: boolean; readonly name: string },
  ): Promise<EncodeLadderResult & { readonly source: Uint8Array }> {
    const { bytes, mediaStart90k, duration90k } = media.segment(index, options);
    const objectKey = `in/${options.name}.m4s`;
    await bench.objects.put(objectKey, bytes);
    const { value } = await bench.transcoder.encodeLadder({
      objectKey,
      init: media.init,
      mediaStart90k,
      duration90k,
      rungs: rungs([144, 90], options.name),
    });
    return { ...value, source: bytes };
  }

  async function bytesOf(rung: EncodedRendition | undefined): Promise<{ init: Uint8Array; bytes: Uint8Array }> {
    const segment = rung?.segments[0];
    assert.ok(rung !== undefined && segment !== undefined && rung.segments.length === 1);
    const bytes = await bench.objects.get(segment.objectKey);
    assert.equal(bytes.length, segment.sizeBytes);
    return { init: new Uint8Array(Buffer.from(rung.init.base64, 'base64')), bytes };
  }

  /** Presentation times of pictures, sorted, as our reader has them. */
  function pictureTimes(init: Uint8Array, bytes: Uint8Array): readonly number[] {
    const { video } = readMuxedSegment(init, bytes);
    let decoding = video?.baseMediaDecodeTime ?? 0;
    const times = (video?.samples ?? []).map(({ duration, compositionOffset }) => {
      const at = decoding + compositionOffset;
      decoding += duration;
      return at;
    });
    return times.toSorted((a, b) => a - b);
  }

  /** Packets with the hashes of their data, as Debian's ffprobe reads them. */
  async function probe(
    init: Uint8Array,
    bytes: Uint8Array,
  ): Promise<{
    readonly streams: readonly string[];
    readonly sound: readonly string[];
    readonly keys: readonly number[];
  }> {
    const args = ['-v', 'error', '-show_packets', '-show_data_hash', 'md5', '-show_streams', '-of', 'json', 'pipe:0'];
    const { packets, streams } = JSON.parse((await run('ffprobe', args, init, bytes)).toString()) as {
      readonly packets: readonly {
        readonly codec_type: string;
        readonly pts: number;
        readonly data_hash: string;
        readonly flags: string;
      }[];
      readonly streams: readonly { readonly codec_name: string; readonly width?: number; readonly height?: number }[];
    };
    const pictures = packets.filter((packet) => packet.codec_type === 'video');
    return {
      streams: streams.map(({ codec_name, width, height }) =>
        width === undefined ? codec_name : `${codec_name} ${width}x${height}`,
      ),
      sound: packets.flatMap(({ codec_type, pts, data_hash }) =>
        codec_type === 'audio' ? [`${pts} ${data_hash}`] : [],
      ),
      keys: pictures.flatMap(({ flags }, index) => (flags.includes('K') ? [index] : [])),
    };
  }

  for (const options of [
    { codec: 'h264', reordered: 2 },
    { codec: 'h264', hasAudio: false },
    { codec: 'hevc', segmentSeconds: 2 },
  ] as const satisfies readonly PushedMediaOptions[]) {
    test(`of ${JSON.stringify(options)}: the same pictures at the same times, the same sound, a keyframe at the start and no other`, async () => {
      const media = new PushedMedia(options);
      for (const index of [0, 3]) {
        const name = `${JSON.stringify(options)}-${index}`.replaceAll(/[^a-z0-9-]/gi, '');
        const made = await encode(media, index, { name });
        const source = await probe(media.init, made.source);
        for (const [place, size] of ['256x144', '160x90'].entries()) {
          const rung = made.rungs[place];
          const { init, bytes } = await bytesOf(rung);
          assert.deepEqual(pictureTimes(init, bytes), pictureTimes(media.init, made.source));
          const judged = await probe(init, bytes);
          assert.equal(judged.streams[0], `h264 ${size}`);
          assert.deepEqual(judged.sound, source.sound);
          assert.deepEqual(judged.keys, [0]);
          const { mediaStart90k, duration90k } = media.segment(index);
          assert.deepEqual(
            [rung?.segments[0]?.mediaStart90k, rung?.segments[0]?.duration90k],
            [mediaStart90k, duration90k],
          );
          const { video, audio } = readMuxedInit(init);
          assert.equal(rung?.init.codecs, [video, audio].flatMap((one) => one?.codecs ?? []).join());
          const decode = ['-v', 'error', '-i', 'pipe:0', '-f', 'null', '-'];
          await run('ffmpeg', decode, init, bytes);
        }
      }
    });
  }

  test('one init segment for all segments, whatever is in them, also where the sound is missing for once', async () => {
    const media = new PushedMedia();
    const inits = new Set<string>();
    for (const [index, silent] of [false, false, true, false].entries()) {
      const { rungs: made } = await encode(media, index, { silent, name: `init-${index}` });
      inits.add(made.map(({ init }) => init.sha256).join());
      if (silent) {
        const { init, bytes } = await bytesOf(made[0]);
        assert.equal(readMuxedSegment(init, bytes).audio, null);
      }
    }
    assert.equal(inits.size, 1);
  });

  test('what has no pictures, or none that decode, is refused and costs nothing more', async () => {
    const sound = new PushedMedia({ hasVideo: false });
    await assert.rejects(encode(sound, 0, { name: 'sound' }), { code: 'unsupported_media' });
    const media = new PushedMedia();
    const { bytes, mediaStart90k, duration90k } = media.segment(0);
    const { video } = readMuxedSegment(media.init, bytes);
    const broken = Uint8Array.from(bytes);
    for (const { offset, size } of video?.samples ?? []) broken.fill(0, offset + 4, offset + size);
    await bench.objects.put('in/broken.m4s', broken);
    const request = { init: media.init, mediaStart90k, duration90k, rungs: rungs([90], 'broken') };
    await assert.rejects(bench.transcoder.encodeLadder({ ...request, objectKey: 'in/broken.m4s' }), {
      code: 'corrupt_media',
    });
    await assert.rejects(bench.transcoder.encodeLadder({ ...request, objectKey: 'in/none.m4s' }), {
      code: 'missing_input',
    });
    await assert.rejects(bench.transcoder.encodeLadder({ ...request, objectKey: 'in/broken.m4s', rungs: [] }), {
      code: 'invalid_argument',
    });
  });
});
