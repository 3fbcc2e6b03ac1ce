/**
 * Debian's ffmpeg pushes in real time, by every method and container at once and all with the same file names, each stream in a colour of its own.
 * Each encoder loses a segment on the way and is started anew with another size.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { LossyLine } from '../fixtures/lossy-line.ts';
import { run } from '../fixtures/media-judge.ts';
import { eventually } from '../fixtures/processes.ts';
import { makePushStream } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const execFileAsync = promisify(execFile);

const ENCODERS = [
  { container: 'ts', method: 'PUT', colour: 'red', rgb: [255, 0, 0] },
  { container: 'ts', method: 'POST', colour: 'lime', rgb: [0, 255, 0] },
  { container: 'fmp4', method: 'PUT', colour: 'blue', rgb: [0, 0, 255] },
  { container: 'fmp4', method: 'POST', colour: 'yellow', rgb: [255, 255, 0] },
] as const;
const SECONDS = 4;
const FRAMES_PER_S = 25;

type Encoder = (typeof ENCODERS)[number];

/** A segment of a second, as ffmpeg makes it in real time. */
async function encode({ container, method, colour }: Encoder, size: string, target: string): Promise<void> {
  const inputs = `-re -f lavfi -i color=c=${colour}:s=${size}:r=${FRAMES_PER_S} -f lavfi -i sine=sample_rate=48000`;
  const coding = '-c:v libx264 -preset ultrafast -g 25 -sc_threshold 0 -pix_fmt yuv420p -c:a aac';
  const type = container === 'ts' ? 'mpegts' : 'fmp4';
  const output = `-f hls -hls_time 1 -hls_flags program_date_time -hls_segment_type ${type} -method ${method} ${target}`;
  await execFileAsync('ffmpeg', `-v error -nostdin ${inputs} -t ${SECONDS} ${coding} ${output}`.split(' '));
}

describe('four ffmpegs push the same names at once, with losses, restarts and other sizes', () => {
  let server: TestServer;
  let line: LossyLine;
  const ids = new Map<Encoder, string>();
  before(async () => {
    server = await TestServer.start();
    let isFirstRun = true;
    line = await LossyLine.open(server.url, (path) => isFirstRun && /\/live1\.(ts|m4s)$/.test(path));
    for (const encoder of ENCODERS) ids.set(encoder, await makePushStream(server.api, encoder.colour));
    for (const size of ['320x180', '160x90']) {
      const targetOf = (encoder: Encoder): string => `${line.url}/ingest/hls/${idOf(encoder)}/live.m3u8`;
      await Promise.all(ENCODERS.map((encoder) => encode(encoder, size, targetOf(encoder))));
      isFirstRun = false;
    }
  });
  after(async () => {
    await line?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const idOf = (encoder: Encoder): string => ids.get(encoder) ?? assert.fail('no stream');

  test('one segment of each was lost, and the server refused nothing', () => {
    assert.equal(line.lost.length, ENCODERS.length);
    assert.deepEqual(line.refusals, []);
  });

  for (const encoder of ENCODERS) {
    const { container, method, colour, rgb } = encoder;

    test(`${container} by ${method}: all that came is there, with the hole and the restart in their places`, async () => {
      const id = idOf(encoder);
      const { segments } = await eventually(
        'the timeline is whole',
        async () => {
          const playlist = parseMediaPlaylist(await server.api.text(`/play/streams/${id}/dvr.m3u8`));
          return playlist.segments.length === 2 * SECONDS - 1 ? playlist : undefined;
        },
        { timeoutMs: 20_000, describe: () => server.logs },
      );
      const starts = segments.map((segment) => segment.programDateTime?.getTime() ?? 0);
      const breaks = segments.flatMap(({ discontinuity }, index) => (discontinuity === true ? [index] : []));
      assert.deepEqual(breaks, [1, 3], 'after what was lost, and where the encoder began anew');
      const holeMs = (starts[1] ?? 0) - (starts[0] ?? 0) - 1000;
      assert.ok(Math.abs(holeMs - 1000) < 1000 / FRAMES_PER_S, `the hole is ${holeMs} ms long`);
      const report = await server.api.json<StreamJson>(`/v1/streams/${id}`);
      const { gaps, rejected, duplicates, late, width, codecs } = report.source ?? assert.fail('nothing was taken');
      assert.deepEqual([rejected, duplicates, late, width], [0, 0, 0, 160]);
      assert.ok(gaps >= 1 && codecs.includes('mp4a'), `${gaps} gaps, ${codecs}`);
    });

    for (const query of ['', '?container=ts']) {
      test(`${container} by ${method}${query === '' ? '' : ', as MPEG-TS'}: every picture is ${colour}`, async () => {
        const base = `/play/streams/${idOf(encoder)}/`;
        const { segments } = parseMediaPlaylist(await server.api.text(`${base}dvr.m3u8${query}`));
        const inits: Uint8Array[] = [];
        for (const segment of segments) {
          if (segment.map !== null) inits.push((await server.api.get(base + segment.map.uri)).bytes);
          const { bytes } = await server.api.get(base + segment.uri);
          const decode = '-v error -i pipe:0 -map 0:v -vf scale=1:1 -f rawvideo -pix_fmt rgb24 pipe:1'.split(' ');
          const pixels = await run('ffmpeg', decode, inits.at(-1) ?? new Uint8Array(), bytes);
          assert.equal(pixels.length, 3 * FRAMES_PER_S);
          for (const [index, value] of pixels.entries()) {
            assert.ok(
              Math.abs(value - (rgb[index % 3] ?? 0)) < 40,
              `a picture of ${segment.uri} is ${pixels
                .subarray(index - (index % 3))
                .subarray(0, 3)
                .join()}`,
            );
          }
        }
      });
    }
  }
});
