import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { randomIds } from '../base/ids.ts';
import { silentLogger } from '../base/logger.ts';
import { readJpegHeader } from '../engine/jpeg/read-header.ts';
import { cameraName, simulateCameras, type CameraSimulationOptions } from './camera-simulation.ts';

interface Received {
  readonly path: string;
  readonly device: string;
  readonly capturedAt: string;
  readonly eventId: string;
  readonly size: number;
  readonly key: string | undefined;
}

const NO_FAULTS = { jitter: 0, drop: 0, late: 0, duplicate: 0, corrupt: 0, resize: 0 };

/** A stand-in for a server: `answer` gives the status for the n-th request. */
class StandIn implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly bodies: string[] = [];
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  readonly #answer: (count: number) => number;
  #count = 0;
  #wanted: { readonly count: number; readonly resolve: () => void } | undefined;

  constructor(answer: (count: number) => number = () => 202) {
    this.#answer = answer;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Resolves when so many frames were taken. */
  until(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = { count, resolve };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path === '/healthz') return void response.end('{}');
    const body = await text(request.setEncoding('latin1'));
    const status = this.#answer(this.#count++);
    const device = /^\/v1\/devices\/[^/]+\/([^/]+)\/frames$/.exec(path)?.[1] ?? '';
    if (status === 202) {
      const header = (name: string): string => String(request.headers[name] ?? '');
      this.received.push({
        path,
        device,
        capturedAt: header('x-captured-at'),
        eventId: header('x-event-id'),
        size: body.length,
        key: request.headers.authorization,
      });
      this.bodies.push(body);
    }
    const items =
      path === '/v1/events/frames' ? { items: (JSON.parse(body) as unknown[]).map(() => ({ streamId: 'str_x' })) } : {};
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ eventId: 'e', streamId: `str_${device}`, detail: 'as the test wants it', ...items }));
    if (this.#wanted !== undefined && this.received.length >= this.#wanted.count) this.#wanted.resolve();
  }
}

function options(url: string, change: Partial<CameraSimulationOptions> = {}): CameraSimulationOptions {
  return {
    count: 2,
    intervalMs: 40,
    size: { width: 160, height: 120 },
    url,
    key: null,
    client: 'demo',
    faults: NO_FAULTS,
    seed: 1,
    timeZone: 'UTC',
    markers: false,
    framesDir: null,
    clock: systemClock,
    ids: randomIds,
    logger: silentLogger,
    ...change,
  };
}

test('each camera sends pictures in order, on multiples of the interval, taking turns', async () => {
  await using server = new StandIn();
  const url = await server.listen();
  const stop = new AbortController();
  const running = simulateCameras(options(url, { key: 'zk_secret' }), stop.signal);
  await server.until(12);
  stop.abort();
  const summary = await running;
  assert.deepEqual(new Set(server.received.map((frame) => frame.device)), new Set(['gate-north', 'yard']));
  for (const [index, device] of ['gate-north', 'yard'].entries()) {
    const times = server.received
      .filter((frame) => frame.device === device)
      .map((frame) => Date.parse(frame.capturedAt));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.ok(
      times.every((time) => time % 40 === index * 20),
      `${device}: ${times.join()}`,
    );
  }
  assert.equal(new Set(server.received.map((frame) => frame.eventId)).size, server.received.length);
  assert.ok(server.received.every((frame) => frame.key === 'Bearer zk_secret'));
  const header = readJpegHeader(Buffer.from(server.bodies[0] ?? '', 'latin1'), { maxBytes: 1e6, maxPixels: 1e6 });
  assert.deepEqual([header.width, header.height], [160, 120]);
  const { normal } = summary.kinds;
  assert.equal(normal.sent, normal.accepted + summary.lost);
  assert.ok(normal.accepted >= 12);
});

test('a server that fails for a while gets every frame, in order; one that refuses is believed', async () => {
  await using server = new StandIn((count) => (count < 2 ? 503 : count === 3 ? 422 : 202));
  const url = await server.listen();
  const stop = new AbortController();
  const running = simulateCameras(options(url, { count: 1 }), stop.signal);
  await server.until(12);
  stop.abort();
  const summary = await running;
  const times = server.received.map((frame) => Date.parse(frame.capturedAt));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.equal(summary.retries, 2);
  assert.equal(summary.kinds.normal.refused, 1);
  assert.equal(summary.lost, 0);
});

test('faults come as asked for, the same for the same seed', async () => {
  await using server = new StandIn();
  const url = await server.listen();
  const faults = { jitter: 0.5, drop: 0.1, late: 0.1, duplicate: 0.2, corrupt: 0.2, resize: 0.2 };
  const stop = new AbortController();
  const running = simulateCameras(options(url, { count: 4, intervalMs: 30, faults }), stop.signal);
  await server.until(150);
  stop.abort();
  const { kinds, dropped } = await running;
  for (const kind of ['normal', 'late', 'duplicate', 'corrupt', 'resized'] as const)
    assert.ok(kinds[kind].accepted > 0, kind);
  assert.ok(dropped > 0);
  const ids = server.received.map((frame) => frame.eventId);
  assert.ok(new Set(ids).size < ids.length, 'some came twice');
  const inOrder = (device: string): boolean => {
    const times = server.received
      .filter((frame) => frame.device === device)
      .map((frame) => Date.parse(frame.capturedAt));
    return times.every((time, index) => time >= (times[index - 1] ?? 0));
  };
  assert.ok(
    ['gate-north', 'yard', 'loading-dock', 'roof'].some((device) => !inOrder(device)),
    'some came late',
  );
});

test('by events, frames lie in files that the events name', async () => {
  await using server = new StandIn();
  const url = await server.listen();
  const framesDir = mkdtempSync(join(tmpdir(), 'zoetrope-simulator-'));
  try {
    const stop = new AbortController();
    const running = simulateCameras(options(url, { framesDir }), stop.signal);
    await server.until(3);
    stop.abort();
    await running;
    const events = server.bodies.flatMap(
      (body) => JSON.parse(body) as { readonly framePath: string; readonly deviceId: string }[],
    );
    assert.ok(events.length >= 3);
    for (const { framePath, deviceId } of events) {
      assert.ok(framePath.startsWith(join(framesDir, 'demo', deviceId)));
      assert.equal(readFileSync(framePath).readUInt16BE(0), 0xffd8);
    }
  } finally {
    rmSync(framesDir, { recursive: true, force: true });
  }
});

test('stopped before the server is up, it ends', async () => {
  const stop = new AbortController();
  const running = simulateCameras(options('http://127.0.0.1:1'), stop.signal);
  stop.abort();
  assert.equal((await running).kinds.normal.sent, 0);
});

test('cameras have names of their own', () => {
  const names = Array.from({ length: 100 }, (_, index) => cameraName(index));
  assert.equal(new Set(names).size, 100);
  assert.deepEqual(names.slice(0, 4), ['gate-north', 'yard', 'loading-dock', 'roof']);
  assert.ok(names.every((name) => /^[a-z0-9-]+$/.test(name)));
});
