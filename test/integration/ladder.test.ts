import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { LadderJson } from '../../src/api/rest/ladder-shapes.ts';
import type { ApiClient } from '../fixtures/api-client.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { inStep, listedOf, mediaOf, untilListed, type ListedPlaylist } from '../fixtures/ladder-judge.ts';
import { run } from '../fixtures/media-judge.ts';
import { eventually } from '../fixtures/processes.ts';
import { makeHls, makePushStream, push, untilSegment } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';

describe('a ladder below what ffmpeg pushes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-ladder-'));
  let server: TestServer;
  before(async () => {
    // What is pushed faster than it was made is still no more than a rung may be behind.
    server = await TestServer.start({ env: { ZOETROPE_LIVE_SEGMENTS: '8' } });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Pushes the encoder's files one after the other, its playlist after each. */
  async function pushMade(streamId: string, name: string, size: string, seconds: number): Promise<void> {
    const own = join(directory, name);
    await mkdir(own);
    const { playlist, files } = await makeHls({ container: 'ts', seconds, size, withTime: false }, own);
    for (const [index, [file, bytes]] of [...files].entries()) {
      await push(server.api, streamId, file, bytes);
      await push(server.api, streamId, 'live.m3u8', untilSegment(playlist, index + 1));
    }
  }

  /** Pictures, and packets of sound with their times, as ffprobe finds them. */
  async function probe(
    parts: readonly Uint8Array[],
  ): Promise<{ readonly pictures: readonly number[]; readonly sound: readonly string[] }> {
    const args = ['-v', 'error', '-show_packets', '-show_data_hash', 'md5', '-of', 'json', 'pipe:0'];
    const { packets } = JSON.parse((await run('ffprobe', args, ...parts)).toString()) as {
      readonly packets: readonly { readonly codec_type: string; readonly pts: number; readonly data_hash: string }[];
    };
    return {
      pictures: packets
        .flatMap(({ codec_type, pts }) => (codec_type === 'video' ? [pts] : []))
        .toSorted((a, b) => a - b),
      sound: packets.flatMap(({ codec_type, pts, data_hash }) =>
        codec_type === 'audio' ? [`${pts} ${data_hash}`] : [],
      ),
    };
  }

  test('two rungs, over a restart of the encoder, a resize below one of them and back: in step to the last number', async () => {
    const settings = { ladder: [{ height: 270 }, { height: 90, videoKbps: 100 }] };
    const id = await makePushStream(server.api, 'ladder', { settings });
    await pushMade(id, 'large', '640x360', 6);
    await untilListed(server, id, '270p', 3);
    await pushMade(id, 'small', '320x180', 4);
    await untilListed(server, id, '90p', 5);
    await pushMade(id, 'again', '640x360', 4);
    const main = await untilListed(server, id, 'main', 7);
    const [upper, lower] = [await untilListed(server, id, '270p', 7), await untilListed(server, id, '90p', 7)];
    assert.deepEqual(
      main.segments.map(({ isBreak }) => isBreak),
      [false, false, false, true, false, true, false],
    );
    assert.deepEqual(inStep(upper), inStep(main));
    assert.deepEqual(inStep(lower), inStep(main));
    const gapsOf = ({ segments }: ListedPlaylist): readonly boolean[] => segments.map(({ isGap }) => isGap);
    assert.deepEqual(
      gapsOf(upper),
      [false, false, false, true, true, false, false],
      'it was no smaller than the source',
    );
    assert.ok(!gapsOf(lower).includes(true));
    for (const [name, rung] of [
      ['270p', upper],
      ['90p', lower],
    ] as const) {
      const live = await listedOf(server, id, 'live', name);
      const liveMain = await listedOf(server, id, 'live', 'main');
      assert.deepEqual(
        live?.segments.map(({ sequence, time }) => [sequence, time]),
        liveMain?.segments.map(({ sequence, time }) => [sequence, time]),
      );
      assert.equal(live?.discontinuitySequence, liveMain?.discontinuitySequence);
      for (const [index, line] of rung.segments.entries()) {
        const source = main.segments[index];
        if (line.isGap || source === undefined) continue;
        assert.deepEqual(await probe(await mediaOf(server, id, line)), await probe(await mediaOf(server, id, source)));
      }
    }
    const master = await server.api.text(`/play/streams/${id}/master.m3u8`);
    assert.deepEqual(master.match(/RESOLUTION=\d+x\d+/g), [
      'RESOLUTION=640x360',
      'RESOLUTION=480x270',
      'RESOLUTION=160x90',
    ]);
    const ladder = await server.api.json<LadderJson>(`/v1/streams/${id}/ladder`);
    assert.deepEqual(
      ladder.rungs.map(({ name, width, height, lagSeconds }) => [name, width, height, lagSeconds]),
      [
        ['270p', 480, 270, 0],
        ['90p', 160, 90, 0],
      ],
    );
    assert.deepEqual([ladder.missed, ladder.lastFailure], [0, null]);
    await assertDoctorClean(server);
  });

  test('turned off, the rungs stop and are offered no more; turned on again, they go on in step behind a gap', async () => {
    const id = await makePushStream(server.api, 'off and on', { settings: { ladder: [{ height: 90 }] } });
    await pushMade(id, 'on', '320x180', 6);
    await untilListed(server, id, '90p', 3);
    await patch(server.api, id, { ladder: null });
    await pushMade(id, 'off', '328x184', 20);
    await untilListed(server, id, 'main', 13);
    const master = await server.api.text(`/play/streams/${id}/master.m3u8`);
    assert.deepEqual(master.match(/RESOLUTION=\d+x\d+/g), ['RESOLUTION=328x184']);
    const stale = await server.api.request(`/play/streams/${id}/live.m3u8?rendition=90p`);
    assert.equal(stale.status, 404);
    assert.match(stale.bytes.toString(), /went on without it.*master\.m3u8/);
    assert.equal((await listedOf(server, id, 'dvr', '90p'))?.segments.length, 3, 'what it has stays until retention');
    await patch(server.api, id, { ladder: 'auto' });
    await patch(server.api, id, { ladder: [{ height: 90 }] });
    await untilLadder(id);
    await pushMade(id, 'on again', '336x188', 6);
    const main = await untilListed(server, id, 'main', 16);
    const rung = await untilListed(server, id, '90p', 16);
    assert.deepEqual(inStep(rung), inStep(main));
    const made = rung.segments.flatMap(({ isGap, sequence }) => (isGap ? [] : [sequence]));
    assert.deepEqual(made, [0, 1, 2, 10, 11, 12, 13, 14, 15]);
    await assertDoctorClean(server);
  });

  test('a late segment of the source gets its rungs', async () => {
    const id = await makePushStream(server.api, 'late', { settings: { ladder: [{ height: 90 }] } });
    const own = join(directory, 'late');
    await mkdir(own);
    const { playlist, files } = await makeHls({ container: 'ts', seconds: 10, size: '320x180' }, own);
    const [late, ...others] = [...files].slice(1);
    const [first] = files;
    assert.ok(late !== undefined && first !== undefined);
    await push(server.api, id, ...first);
    await push(server.api, id, 'live.m3u8', untilSegment(playlist, 1));
    await untilListed(server, id, '90p', 1);
    for (const file of others) await push(server.api, id, ...file);
    await push(server.api, id, 'live.m3u8', playlist);
    // It is missed for as long as it is waited for.
    await untilListed(server, id, '90p', 4);
    await push(server.api, id, ...late);
    await push(server.api, id, 'live.m3u8', playlist);
    const main = await untilListed(server, id, 'main', 5);
    const rung = await untilListed(server, id, '90p', 5);
    assert.deepEqual(inStep(rung), inStep(main));
    assert.ok(rung.segments.every(({ isGap }) => !isGap));
    await assertDoctorClean(server);
  });

  /** The server has taken the ladder up. */
  async function untilLadder(id: string): Promise<void> {
    await eventually(
      'somebody makes the ladder',
      async () => {
        const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text();
        const streams = Number(/^zoetrope_ladder_streams (\d+)/m.exec(metrics)?.[1]);
        const wanted = (await wantedLadders()).length;
        return streams === wanted ? true : undefined;
      },
      { timeoutMs: 20_000, everyMs: 100, describe: () => `${id}\n${server.logs}` },
    );
  }

  async function wantedLadders(): Promise<readonly unknown[]> {
    const { items } = await server.api.json<{
      readonly items: readonly { readonly settings: { readonly ladder?: unknown } }[];
    }>('/v1/streams');
    return items.filter(({ settings }) => (settings.ladder ?? null) !== null);
  }
});

async function patch(api: ApiClient, id: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await api.request(`/v1/streams/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ settings }),
  });
  assert.equal(answer.status, 200, answer.bytes.toString());
}
