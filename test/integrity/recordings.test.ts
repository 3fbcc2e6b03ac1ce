import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordingJson } from '../../src/api/rest/recording-shapes.ts';
import { CameraFeed } from '../fixtures/camera-feed.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { eventually } from '../fixtures/processes.ts';
import { createRandom, runSeed, type Random } from '../fixtures/random.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';
import { sweepPlaylist } from '../fixtures/timeline-sweep.ts';

const ROUNDS = Number(process.env['INTEGRITY_ROUNDS'] ?? 8);
const CAMERAS = 3;
/** Nobody records it: retention always finds something to take. */
const UNRECORDED = `camera-${CAMERAS - 1}`;
const INTERVAL_MS = 200;
const RETENTION_MS = 6_000;

test('recordings that start and stop while processes are killed and retention runs are complete', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  const startMs = Date.now();
  await using server = await TestServer.start({
    env: {
      ZOETROPE_FRAMES_PER_SEGMENT: '4',
      ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '1',
      ZOETROPE_FRAME_INTERVAL_SECONDS: '0.2',
      ZOETROPE_OFFLINE_AFTER_SECONDS: '3600',
      ZOETROPE_RETENTION_HOURS: String(RETENTION_MS / 3_600_000),
      ZOETROPE_CLEANUP_INTERVAL_SECONDS: '1',
    },
  });
  const feeds = Array.from(
    { length: CAMERAS },
    (_, index) =>
      new CameraFeed(server.api, random, {
        device: `camera-${index}`,
        startMs,
        intervalMs: 1,
        pauseMs: INTERVAL_MS,
        isLive: true,
        sizes: [[320, 240]],
      }),
  );
  const operator = new Operator(server, random);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const posting = feeds.map((feed) => feed.run(stop.signal));
  await eventually('the cameras are known', async () => (await server.api.streams()).length === CAMERAS || undefined, {
    timeoutMs: 10_000,
  });
  const working = [operator.work(stop.signal), operator.watch(stop.signal)];
  for (let round = 0; round < ROUNDS; round++) {
    await delay(random.integer(300, 2000));
    if (random.next() < 0.3) server.killEngine((count) => random.integer(0, count - 1));
    await server.kill();
    await server.orphansGone();
    await server.restart();
  }
  await delay(1500);
  stop.abort();
  await Promise.all([...posting, ...working]);
  for (const feed of feeds) assert.deepEqual(feed.faults, []);
  assert.deepEqual(operator.faults, []);

  await operator.stopAll();
  const kept = await operator.list();
  operator.check(kept);
  await eventually(
    'retention has swept what nobody records',
    async () => {
      for (const { id } of await server.api.streams()) {
        const { stretches } = await server.api.timeline(id, startMs - 60_000, Date.now());
        const isHeld = (atMs: number): boolean =>
          kept.some(
            (one) => one.streamId === id && atMs < Date.parse(one.to ?? '') && atMs + 2000 > Date.parse(one.from),
          );
        if (stretches.some(({ from, to }) => Date.parse(to) > Date.parse(from) && !isHeld(Date.parse(from))))
          return undefined;
      }
      return true;
    },
    { timeoutMs: 90_000 },
  );
  let frames = 0;
  for (const recording of kept) {
    const feed = feeds.find(({ device }) => recording.title.startsWith(`${device} `));
    assert.ok(feed !== undefined, recording.title);
    frames += await assertComplete(server, recording, feed);
  }
  let left = 0;
  for (const { id } of await server.api.streams())
    left += await server.api.frameCount(id, startMs - 60_000, Date.now());
  const sent = feeds.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  assert.ok(left < sent, 'retention took nothing: this run shows nothing');
  await assertDoctorClean(server);
  await server.stop();
  await assertDoctorClean(server);
  t.diagnostic(
    `${kept.length} recordings kept of ${operator.started}, ${operator.deleted} deleted, ${frames} frames in them, ${left} left of ${sent}`,
  );
  assert.ok(frames > 0 && operator.deleted > 0);
});

/** Every acknowledged frame of its range is in its playlist once, and everything that it names is there. */
async function assertComplete(server: TestServer, recording: RecordingJson, feed: CameraFeed): Promise<number> {
  const path = `/play/recordings/${recording.id}/index.m3u8`;
  const [fromMs, toMs] = [Date.parse(recording.from), Date.parse(recording.to ?? '')];
  const wanted = [...feed.acknowledged].filter((atMs) => atMs >= fromMs && atMs < toMs);
  const text = await eventually(
    `${recording.id} is complete`,
    async () => {
      const answer = await server.api.request(path);
      if (answer.status === 404) return wanted.length === 0 ? 'empty' : undefined;
      const playlist = answer.bytes.toString();
      return playlist.includes('#EXT-X-ENDLIST') ? playlist : undefined;
    },
    { timeoutMs: 15_000 },
  );
  if (text === 'empty') return 0;
  const seen = (await sweepPlaylist(server.api, path)).flatMap(({ frameTimesMs }) => frameTimesMs.map(Math.round));
  assert.equal(new Set(seen).size, seen.length, `${recording.id} has frames twice`);
  const missing = wanted.filter((atMs) => !seen.includes(atMs));
  assert.deepEqual(
    missing.map((atMs) => new Date(atMs).toISOString()),
    [],
    `${JSON.stringify(recording)} lacks frames:\n${text}`,
  );
  const foreign = seen.filter((atMs) => !feed.acknowledged.has(atMs) && !feed.unsure.has(atMs));
  assert.deepEqual(foreign, [], `${recording.id} has frames that nobody sent`);
  const { coveredSeconds, segmentCount } = await server.api.json<RecordingJson>(`/v1/recordings/${recording.id}`);
  assert.equal(segmentCount, parseMediaPlaylist(text).segments.length);
  assert.ok(coveredSeconds <= (toMs - fromMs) / 1000);
  return wanted.length;
}

/** Somebody who starts, stops and deletes recordings at random, and remembers what was answered. */
class Operator {
  readonly faults: string[] = [];
  started = 0;
  deleted = 0;
  readonly #server: TestServer;
  readonly #random: Random;
  readonly #known = new Map<string, RecordingJson>();
  readonly #gone = new Set<string>();
  /** Sent and not answered: may have happened. */
  readonly #unsure = new Set<string>();
  readonly #texts = new Map<string, readonly string[]>();

  constructor(server: TestServer, random: Random) {
    this.#server = server;
    this.#random = random;
  }

  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [running, stopped] = ['recording', 'stopped'].map((state) =>
        [...this.#known.values()].filter((one) => one.state === state && !this.#unsure.has(one.id)),
      );
      const wish = this.#random.next();
      if (running === undefined || running.length === 0 || (wish < 0.3 && running.length < 4)) await this.#start();
      else if (wish < 0.65) await this.#change(this.#random.pick(running), 'stop');
      else await this.#change(this.#random.pick([...running, ...(stopped ?? [])]), 'delete');
      await delay(this.#random.integer(50, 800));
    }
  }

  /** Reads growing playlists as players do: through all crashes, what was listed stays, in its place. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { id, state } of this.#known.values()) {
        if (state !== 'recording' || signal.aborted) continue;
        const answer = await this.#ask(`/play/recordings/${id}/index.m3u8`);
        const text = answer?.status === 200 ? answer.bytes.toString() : '';
        if (!text.includes('PLAYLIST-TYPE:EVENT')) continue;
        const uris = text.split('\n').filter((line) => line.startsWith('segments/'));
        const before = this.#texts.get(id) ?? [];
        if (before.some((uri, index) => uris[index] !== uri)) this.faults.push(`${id} lost what it listed`);
        this.#texts.set(id, uris);
      }
      await delay(150);
    }
  }

  async stopAll(): Promise<void> {
    for (const { id } of await this.list()) await this.#server.api.postJson(`/v1/recordings/${id}/stop`, {});
  }

  async list(): Promise<readonly RecordingJson[]> {
    return (await this.#server.api.json<{ readonly items: readonly RecordingJson[] }>('/v1/recordings?limit=1000'))
      .items;
  }

  /** What was acknowledged is so: started recordings are there, stopped ones have their end, deleted ones are gone. */
  check(kept: readonly RecordingJson[]): void {
    const there = new Map(kept.map((one) => [one.id, one]));
    for (const id of this.#gone) assert.ok(!there.has(id), `${id} was deleted and is there`);
    for (const [id, known] of this.#known) {
      const one = there.get(id);
      if (one === undefined && this.#unsure.has(id)) continue;
      assert.ok(one !== undefined, `${id} was started and is not there`);
      assert.equal(one.from, known.from);
      if (known.state === 'stopped') assert.equal(one.to, known.to, id);
    }
  }

  async #start(): Promise<void> {
    const streams = await this.#streams();
    if (streams.length < CAMERAS) return;
    const stream = this.#random.pick(streams.filter(({ deviceId }) => deviceId !== UNRECORDED));
    const backMs = this.#random.integer(500, 2 * RETENTION_MS);
    const isPast = this.#random.next() < 0.5;
    const body = {
      title: `${stream.deviceId} ${this.started}`,
      ...(isPast ? { from: new Date(Date.now() - backMs).toISOString() } : {}),
    };
    const answer = await this.#ask(`/v1/streams/${stream.id}/recordings`, body);
    if (answer === undefined || (answer.status === 422 && isPast)) return;
    if (answer.status !== 201) {
      this.faults.push(`start: ${answer.status} ${answer.bytes.toString()}`);
      return;
    }
    const made = JSON.parse(answer.bytes.toString()) as RecordingJson;
    this.#known.set(made.id, made);
    this.started++;
  }

  async #change({ id }: RecordingJson, what: 'stop' | 'delete'): Promise<void> {
    const answer =
      what === 'stop'
        ? await this.#ask(`/v1/recordings/${id}/stop`, {})
        : await this.#ask(`/v1/recordings/${id}`, null, 'DELETE');
    if (answer === undefined) {
      this.#unsure.add(id);
    } else if (answer.status === 204) {
      this.#known.delete(id);
      this.#gone.add(id);
      this.deleted++;
    } else if (answer.status === 200) {
      this.#known.set(id, JSON.parse(answer.bytes.toString()) as RecordingJson);
    } else {
      this.faults.push(`${what} ${id}: ${answer.status} ${answer.bytes.toString()}`);
    }
  }

  async #streams(): Promise<Awaited<ReturnType<TestServer['api']['streams']>>> {
    try {
      return await this.#server.api.streams();
    } catch {
      return [];
    }
  }

  /** Undefined when the connection broke, or the server is on its way. */
  async #ask(
    path: string,
    body?: object | null,
    method?: string,
  ): Promise<Awaited<ReturnType<TestServer['api']['get']>> | undefined> {
    try {
      const { api } = this.#server;
      const answer = await (body === undefined || body === null
        ? api.request(path, { method: method ?? 'GET' })
        : api.postJson(path, body, method));
      return answer.status === 503 ? undefined : answer;
    } catch {
      return undefined;
    }
  }
}
