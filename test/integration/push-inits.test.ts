import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LivePlayback } from '../fixtures/live-playback.ts';
import { eventually } from '../fixtures/processes.ts';
import { makeHls, makePushStream, push, untilSegment } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';

describe('an encoder of fMP4 that begins anew with another size and the same names', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-push-inits-'));
  let server: TestServer;
  let runs: readonly [Made, Made];
  before(async () => {
    server = await TestServer.start();
    runs = [await made('320x180'), await made('160x90')];
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  type Made = Awaited<ReturnType<typeof makeHls>>;

  async function made(size: string): Promise<Made> {
    const own = join(directory, size);
    await mkdir(own);
    return makeHls({ container: 'fmp4', seconds: 4, size }, own);
  }

  const fileOf = ({ files }: Made, name: string): Buffer => files.get(name) ?? assert.fail(`no ${name}`);

  async function widths(id: string, segments: number): Promise<readonly number[]> {
    const playback = new LivePlayback(server.api);
    return eventually(
      `${segments} segments are on the timeline`,
      async () => {
        if ((await server.api.request(`/play/streams/${id}/dvr.m3u8`)).status !== 200) return undefined;
        const played = await playback.play(id, 'dvr.m3u8');
        return played.length === segments ? played.map(({ media }) => media.width) : undefined;
      },
      { timeoutMs: 20_000, describe: () => server.logs },
    );
  }

  for (const order of ['before', 'behind'] as const) {
    test(`its init segment comes ${order} its first segment`, async () => {
      const id = await makePushStream(server.api, order);
      const [first, second] = runs;
      for (const [name, bytes] of first.files) await push(server.api, id, name, bytes);
      await push(server.api, id, 'live.m3u8', first.playlist);
      assert.deepEqual(await widths(id, 2), [320, 320]);
      const names = ['init.mp4', 'live0.m4s'];
      for (const name of order === 'before' ? names : names.toReversed()) {
        await push(server.api, id, name, fileOf(second, name));
        if (name === 'live0.m4s') await push(server.api, id, 'live.m3u8', untilSegment(second.playlist, 1));
      }
      await push(server.api, id, 'live1.m4s', fileOf(second, 'live1.m4s'));
      await push(server.api, id, 'live.m3u8', second.playlist);
      assert.deepEqual(await widths(id, 4), [320, 320, 160, 160]);
    });
  }

  test('one that sends no init segment again goes on with the former', async () => {
    const id = await makePushStream(server.api, 'none');
    const [first] = runs;
    for (const [name, bytes] of first.files) await push(server.api, id, name, bytes);
    await push(server.api, id, 'live.m3u8', first.playlist);
    await widths(id, 2);
    const later = first.playlist.replace(/(?<=PROGRAM-DATE-TIME:).*/g, (time) =>
      new Date(Date.parse(time) + 10_000).toISOString(),
    );
    await push(server.api, id, 'live0.m4s', fileOf(first, 'live0.m4s'));
    await push(server.api, id, 'live.m3u8', untilSegment(later, 1));
    assert.deepEqual(await widths(id, 3), [320, 320, 320]);
  });
});
