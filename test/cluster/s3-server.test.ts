/** The whole server over an S3 server: what comes in by every door is played by Debian's ffmpeg, as somebody who knows nothing of S3. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { ClipJson } from '../../src/api/rest/clip-shapes.ts';
import type { RecordingJson } from '../../src/api/rest/recording-shapes.ts';
import { ChunkEncoder, makeChunks } from '../fixtures/chunk-encoder.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { eventually } from '../fixtures/processes.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { hlsArguments, makePushStream } from '../fixtures/pushed-hls.ts';
import { S3Server } from '../fixtures/servers/s3.ts';
import { TestServer } from '../fixtures/server.ts';
import { ended, upload } from '../fixtures/vod-assets.ts';
import { AAC, film, X264 } from '../fixtures/vod-films.ts';

const execFileAsync = promisify(execFile);
const FRAMES = 24;

/** Pictures that Debian's ffmpeg gets out of a URL. @throws when it meets a fault */
async function decoded(url: string): Promise<number> {
  const args = '-v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0'.split(' ');
  // One that is not told the end of a playlist would wait for more.
  const { stdout, stderr } = await execFileAsync('/usr/bin/ffprobe', [...args, url], { timeout: 30_000 });
  assert.equal(stderr, '', url);
  return Number(stdout.trim().split('\n')[0]);
}

const iso = (ms: number): string => new Date(ms).toISOString();

describe('a server whose objects lie on S3', () => {
  let s3: S3Server;
  let server: TestServer;
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-s3-server-'));
  const firstMs = Date.now() - 120_000;
  let camera = '';

  before(async () => {
    s3 = await S3Server.start();
    server = await TestServer.start({ env: { ZOETROPE_OBJECTS_URL: s3.url({ prefix: 'site/one' }) } });
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await s3?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  async function segments(id: string, count: number): Promise<void> {
    await eventually(
      `${count} segments of ${id} are listed`,
      async () => {
        const { status, bytes } = await server.api.request(`/play/streams/${id}/dvr.m3u8`);
        return status === 200 && bytes.toString().split('#EXTINF').length - 1 >= count ? true : undefined;
      },
      { timeoutMs: 40_000, describe: () => server.logs },
    );
  }

  test('frames become a timeline that plays', async () => {
    for (let index = 0; index < FRAMES; index++) {
      const answer = await server.api.postFrame('s3', firstMs + index * 1000, makeJpeg({ seed: index }));
      assert.equal(answer.status, 202, answer.bytes.toString());
      camera = (JSON.parse(answer.bytes.toString()) as { streamId: string }).streamId;
    }
    await segments(camera, FRAMES / 6);
    // What docs/design/objects.md reckons with: one put for each frame, one for each segment.
    const puts = s3.passages.filter(({ method, path }) => method === 'PUT' && !path.includes('/health/'));
    assert.deepEqual(
      ['frames', 'media'].map((kind) => puts.filter(({ path }) => path.includes(`/site/one/${kind}/`)).length),
      [FRAMES, FRAMES / 6],
    );
    assert.equal(puts.length, FRAMES + FRAMES / 6);
    assert.equal(await server.api.frameCount(camera, firstMs, Date.now()), FRAMES);
    const range = `range.m3u8?from=${iso(firstMs)}&to=${iso(firstMs + 17_500)}`;
    assert.equal(await decoded(`${server.url}/play/streams/${camera}/${range}`), 18);
    assert.equal(await decoded(`${server.url}/play/streams/${camera}/${range}&container=ts&speed=2`), 18);
  });

  test('a recording holds and plays', async () => {
    const made = await server.api.postJson(`/v1/streams/${camera}/recordings`, { from: iso(firstMs + 2000) });
    assert.equal(made.status, 201, made.bytes.toString());
    const { id } = JSON.parse(made.bytes.toString()) as RecordingJson;
    const stopped = await server.api.postJson(`/v1/recordings/${id}/stop`, {});
    assert.equal(stopped.status, 200, stopped.bytes.toString());
    assert.ok((await decoded(`${server.url}/play/recordings/${id}/index.m3u8`)) >= FRAMES - 6);
  });

  test('a clip is cut, and leaves nothing on the disk of the server', async () => {
    const made = await server.api.postJson(`/v1/streams/${camera}/clips`, {
      from: iso(firstMs + 1000),
      to: iso(firstMs + 11_000),
    });
    assert.equal(made.status, 202, made.bytes.toString());
    const { id } = JSON.parse(made.bytes.toString()) as ClipJson;
    const clip = await eventually(
      'the clip has ended',
      async () => {
        const now = await server.api.json<ClipJson>(`/v1/clips/${id}`);
        return ['ready', 'failed'].includes(now.state) ? now : undefined;
      },
      { timeoutMs: 60_000, describe: () => server.logs },
    );
    assert.deepEqual([clip.state, clip.cause], ['ready', null]);
    assert.equal(await decoded(`${server.url}/v1/clips/${id}/file`), 10);
    assert.deepEqual(await filesBelow(join(server.dataDir, 'incoming')), []);
  });

  test('a pushed stream plays', async () => {
    const id = await makePushStream(server.api, 'pushed');
    const target = `${server.url}/ingest/hls/${id}/live.m3u8`;
    await execFileAsync(
      '/usr/bin/ffmpeg',
      hlsArguments({ container: 'ts', seconds: 6, more: ['-method', 'PUT'] }, target),
    );
    await segments(id, 3);
    await server.api.request(`/v1/streams/${id}/end`, { method: 'POST' });
    assert.equal(await decoded(`${server.url}/play/streams/${id}/dvr.m3u8`), 150);
  });

  test('an uploaded film is transcoded and plays', async () => {
    await mkdir(directory, { recursive: true });
    const path = join(directory, 'film.mp4');
    await film({ seconds: 4 }, { seconds: 4 }, `${X264} -g 50`, AAC)(path);
    const { id } = await upload(server, path, { filename: 'film.mp4' });
    const asset = await ended(server, id, 120_000);
    assert.deepEqual([asset.state, asset.cause], ['ready', null], server.logs);
    assert.equal(await decoded(`${server.url}/play/assets/${id}/master.m3u8`), 100);
  });

  test('chunks go straight to the S3 server by URLs that it judges, and play', async () => {
    const encoder = await ChunkEncoder.make(server.api, 'chunks', await makeChunks('ts', 3));
    const target = await encoder.target(0);
    assert.ok(target.url.startsWith(`${s3.endpoint}/${s3.bucket}/site/one/`), target.url);
    await encoder.send(0, 1, 2);
    await segments(encoder.id, 3);
    await encoder.end();
    assert.equal(await decoded(`${server.url}/play/streams/${encoder.id}/dvr.m3u8`), 150);
    assert.equal((await encoder.chunks()).missing, 0);
  });

  test('doctor and cleanup work on it, and nobody is told the keys', async () => {
    await assertDoctorClean(server);
    const cleanup = await server.command(['cleanup', '--dry-run', '--json']);
    assert.equal(cleanup.code, 0, cleanup.stderr);
    const config = await server.command(['config', '--json']);
    assert.equal(config.code, 0, config.stderr);
    const told = cleanup.stdout + cleanup.stderr + config.stdout + config.stderr + server.logs;
    assert.ok(!told.includes(s3.secretAccessKey) && !told.includes(encodeURIComponent(s3.secretAccessKey)));
    assert.match(config.stdout, /s3:\/\/zoetrope-test:\*\*\*@zoetrope\/site\/one/);
    assert.equal(await s3.unfinishedUploads(), 0);
  });

  test('wrong keys end the start with what to do', async () => {
    const { code, stderr } = await server.command(['doctor']);
    assert.equal(code, 0, stderr);
    await assert.rejects(
      TestServer.start({ env: { ZOETROPE_OBJECTS_URL: s3.url({ secret: 'wrong-secret' }) } }),
      (error: Error) => /does not accept the keys/.test(error.message) && !error.message.includes('wrong-secret'),
    );
  });
});

async function filesBelow(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
