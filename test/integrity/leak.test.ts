import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeJpeg } from '../fixtures/pictures.ts';
import { descendantsOf, eventually, openHandles, residentBytes } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';

const CAMERAS = 12;
const FRAMES_A_SESSION = 7;
const WARM_UP = 4;
const ROUNDS = 12;
const MINUTE_MS = 60_000;

/** What a server holds. */
interface Holdings {
  readonly residentBytes: number;
  readonly handles: number;
  readonly processes: number;
}

test('sessions, viewers and broken connections come and go and leave nothing behind', async (t) => {
  await using server = await TestServer.start({
    env: {
      ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '0.2',
      ZOETROPE_OFFLINE_AFTER_SECONDS: '0.4',
      ZOETROPE_OFFLINE_CHECK_INTERVAL_SECONDS: '0.2',
      ZOETROPE_MIN_ARCHIVE_DURATION_SECONDS: '0',
      ZOETROPE_CLEANUP_INTERVAL_SECONDS: '0.5',
    },
  });
  const picture = makeJpeg({ width: 320, height: 240, seed: 3 });
  const startMs = Date.now() - 20 * 60 * MINUTE_MS;
  for (let round = 0; round < WARM_UP; round++) await visit(server, picture, startMs + round * MINUTE_MS);
  const warm = await settled(server);
  for (let round = WARM_UP; round < WARM_UP + ROUNDS; round++)
    await visit(server, picture, startMs + round * MINUTE_MS);
  const end = await settled(server);
  t.diagnostic(`after warming up ${JSON.stringify(warm)}, in the end ${JSON.stringify(end)}`);
  assert.equal(end.processes, warm.processes);
  assert.ok(end.handles <= warm.handles + 8, `handles grew from ${warm.handles} to ${end.handles}`);
  assert.ok(
    end.residentBytes < warm.residentBytes * 1.4,
    `memory grew from ${warm.residentBytes} to ${end.residentBytes} bytes over ${ROUNDS} rounds`,
  );
  const archives = await server.api.json<{ readonly items: readonly unknown[] }>('/v1/archives?limit=1000');
  assert.ok(archives.items.length >= CAMERAS, 'sessions must have ended, else this test shows nothing');
});

/** One session of every camera, watched by players and by event streams that hang up without a word. */
async function visit(server: TestServer, picture: Uint8Array, startMs: number): Promise<void> {
  const listeners = Array.from({ length: 10 }, () => new AbortController());
  const listening = listeners.map((listener) =>
    fetch(new URL('/v1/streams/events', server.url), { signal: listener.signal }).then(
      (response) => response.text().catch(() => undefined),
      () => undefined,
    ),
  );
  await Promise.all(
    Array.from({ length: CAMERAS }, async (_, camera) => {
      for (let frame = 0; frame < FRAMES_A_SESSION; frame++) {
        const answer = await server.api.postFrame(`camera-${camera}`, startMs + frame * 1000, picture);
        assert.equal(answer.status, 202, answer.bytes.toString());
      }
    }),
  );
  for (const { id } of await server.api.streams()) {
    for (const file of ['master.m3u8', 'live.m3u8', 'dvr.m3u8'])
      await server.api.request(`/play/streams/${id}/${file}`);
    await server.api.request(`/v1/streams/${id}/latest.jpg?width=64`);
  }
  // Uploads that break off in the middle.
  await Promise.all(Array.from({ length: 5 }, () => breakOff(server)));
  for (const listener of listeners) listener.abort();
  await Promise.all(listening);
  const isOver = async (): Promise<true | undefined> =>
    (await server.api.streams()).every((stream) => stream.state === 'offline') ? true : undefined;
  await eventually('every session ends', isOver, { timeoutMs: 30_000, describe: () => server.logs });
}

async function breakOff(server: TestServer): Promise<void> {
  const controller = new AbortController();
  const body = new ReadableStream({
    start: (stream) => stream.enqueue(new Uint8Array(1000)),
    pull: () => controller.abort(),
  });
  const init: RequestInit & { readonly duplex: 'half' } = {
    method: 'POST',
    headers: { 'content-type': 'image/jpeg', 'x-captured-at': new Date().toISOString() },
    body,
    duplex: 'half',
    signal: controller.signal,
  };
  await fetch(new URL('/v1/devices/test/broken/frames', server.url), init).catch(() => undefined);
}

/** The least of several looks: what is held after garbage was collected. */
async function settled(server: TestServer): Promise<Holdings> {
  let least: Holdings | undefined;
  for (let look = 0; look < 6; look++) {
    await delay(500);
    const pids = [server.pid, ...descendantsOf(server.pid)];
    const now = { residentBytes: residentBytes(pids), handles: openHandles(server.pid), processes: pids.length };
    if (least === undefined || now.residentBytes < least.residentBytes)
      least = { ...now, handles: Math.min(now.handles, least?.handles ?? now.handles) };
  }
  assert.ok(least !== undefined);
  return least;
}
