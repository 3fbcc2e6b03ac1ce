import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { eventually } from '../fixtures/processes.ts';
import { makePushStream, push } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const execFileAsync = promisify(execFile);

describe('media that is unusual and right', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-odd-'));
  let server: TestServer;
  let runs = 0;
  before(async () => {
    server = await TestServer.start();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Makes HLS with options of ffmpeg behind its inputs; answers with its files in order, the playlist last. */
  async function made(options: string, input = 'testsrc2=size=320x180:rate=25'): Promise<readonly [string, Buffer][]> {
    const own = join(directory, String(runs++));
    await mkdir(own);
    const sound = options.includes('-c:a') ? ['-f', 'lavfi', '-i', 'sine=sample_rate=48000'] : [];
    await execFileAsync('/usr/bin/ffmpeg', [
      ...'-v error -f lavfi -i'.split(' '),
      input,
      ...sound,
      ...'-c:v libx264 -preset ultrafast -sc_threshold 0 -pix_fmt yuv420p'.split(' '),
      ...options.split(' '),
      ...'-f hls -hls_list_size 0'.split(' '),
      join(own, 'live.m3u8'),
    ]);
    const number = (name: string): number =>
      Number(/(\d+)\.\w+$/.exec(name)?.[1] ?? (name.endsWith('m3u8') ? 1e9 : -1));
    const names = (await readdir(own)).toSorted((a, b) => number(a) - number(b));
    return Promise.all(names.map(async (name) => [name, await readFile(join(own, name))] as [string, Buffer]));
  }

  async function pushed(files: readonly (readonly [string, Buffer])[]): Promise<string> {
    const id = await makePushStream(server.api, 'odd');
    for (const [name, bytes] of files) await push(server.api, id, name, bytes);
    return id;
  }

  /** The whole window, once it has so many segments. */
  function timeline(id: string, segments: number): Promise<ReturnType<typeof parseMediaPlaylist>['segments']> {
    return eventually(
      `${segments} segments are on the timeline`,
      async () => {
        const { status, bytes } = await server.api.request(`/play/streams/${id}/dvr.m3u8`);
        const playlist = status === 200 ? parseMediaPlaylist(bytes.toString()) : undefined;
        return (playlist?.segments.length ?? 0) >= segments ? playlist?.segments : undefined;
      },
      { timeoutMs: 20_000, everyMs: 50, describe: () => server.logs },
    );
  }

  for (const [what, options, durations] of [
    ['a picture a second, each a segment', '-r 1 -g 1 -hls_time 1 -t 4', [1, 1, 1, 1]],
    ['a picture in two seconds, each a segment', '-r 1/2 -g 1 -hls_time 2 -t 6', [2, 2, 2]],
    ['24000/1001 pictures a second with B-frames', '-r 24000/1001 -g 48 -bf 3 -hls_time 2 -t 8 -c:a aac', null],
    ['time stamps of 33 bits that wrap', '-g 50 -bf 2 -hls_time 2 -t 10 -c:a aac -output_ts_offset 95439', null],
    ['HEVC', '-c:v libx265 -x265-params log-level=none:keyint=50:min-keyint=50 -hls_time 2 -t 6 -c:a aac', null],
  ] as const) {
    test(`${what}: one epoch without a hole`, async () => {
      const files = await made(options);
      const id = await pushed(files);
      const listed = await timeline(id, files.length - 1);
      assert.deepEqual(
        listed.flatMap((one, index) => (one.discontinuity === true ? [index] : [])),
        [],
      );
      if (durations !== null)
        assert.deepEqual(
          listed.map(({ duration }) => duration),
          durations,
        );
      for (const [index, one] of listed.slice(1).entries()) {
        const before = listed[index];
        const stepMs = (one.programDateTime?.getTime() ?? 0) - (before?.programDateTime?.getTime() ?? 0);
        assert.ok(Math.abs(stepMs - (before?.duration ?? 0) * 1000) <= 2, `segment ${index}: ${stepMs} ms`);
      }
      const { source } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
      assert.deepEqual([source?.gaps, source?.rejected], [0, 0]);
    });
  }

  test('a burst of old segments ends when it came, if its playlist tells', async () => {
    const files = await made('-g 50 -hls_time 2 -t 20');
    const fromMs = Date.now();
    const id = await pushed(files);
    const listed = await timeline(id, 10);
    const last = listed.at(-1);
    const endMs = (last?.programDateTime?.getTime() ?? 0) + (last?.duration ?? 0) * 1000;
    assert.ok(endMs >= fromMs && endMs <= Date.now(), `it ends ${endMs - Date.now()} ms ahead`);
    assert.ok(listed.every(({ discontinuity }) => discontinuity !== true));
  });
});
