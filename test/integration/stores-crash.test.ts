import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createSqliteCatalog } from '../../src/catalog/sqlite/sqlite-catalog.ts';
import { createEmbeddedLog } from '../../src/events/embedded/embedded-log.ts';
import type { EventLog } from '../../src/events/event-log.ts';
import { createFilesystemObjects } from '../../src/objects/filesystem/filesystem-objects.ts';
import { segmentEndMs } from '../../src/timeline/segment.ts';

const CHILD = fileURLToPath(new URL('../fixtures/stores-crash-child.ts', import.meta.url));
const ROUNDS = 8;

test('kill -9: every acknowledged event is in the log once and in order, and no call is there by half', async (t) => {
  const path = join(await directory(t), 'events.db');
  const acknowledged = await killRounds(t, 'publish', path);
  const log = await openLog(t, path);
  const events = await log.peek('t', { limit: 1_000_000 });
  const values = events.map((event) => event.value as { batch: string; step: number; part: number });
  const parts = Map.groupBy(values, ({ batch }) => batch);
  for (const batch of acknowledged) assert.equal(parts.get(batch)?.length, 3, `acknowledged ${batch}`);
  for (const [batch, of] of parts) {
    assert.deepEqual(
      of.map(({ part }) => part).toSorted((a, b) => a - b),
      [0, 1, 2],
      `whole ${batch}`,
    );
  }
  for (const inPartition of Map.groupBy(events, (event) => event.partition).values()) {
    const offsets = inPartition.map((event) => event.offset);
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(offsets).size, offsets.length);
  }
  t.diagnostic(`${acknowledged.length} acknowledged calls in ${ROUNDS} rounds`);
});

test('kill -9: every acknowledged segment is on its timeline once, and numbers have no holes', async (t) => {
  const path = join(await directory(t), 'catalog.db');
  const acknowledged = await killRounds(t, 'append', path);
  const catalog = createSqliteCatalog({ path, clock: systemClock, ids: randomIds, logger: silentLogger });
  t.after(() => catalog.close());
  await catalog.start(AbortSignal.timeout(10_000));
  const { items: streams } = await catalog.listStreams({}, { limit: 10 });
  assert.equal(streams.length, 3);
  let segments = 0;
  const sequences = new Map<string, number>();
  for (const stream of streams) {
    const window = await catalog.dvrWindow(stream.id);
    segments += window.segments.length;
    assert.deepEqual(
      window.segments.map(({ sequence }) => sequence),
      window.segments.map((_, index) => index),
    );
    assert.equal(window.rendition.nextSequence, window.segments.length);
    for (const segment of window.segments) sequences.set(segment.id, segment.sequence);
    for (const epoch of window.epochs) assert.equal(epoch.init.length, 500);
    const ordinals = window.epochs.map(({ ordinal }) => ordinal).toSorted((a, b) => a - b);
    assert.deepEqual(
      ordinals,
      ordinals.map((_, index) => index),
    );
    const [session] = await catalog.sessionsBetween(stream.id, 0 as never, 9e15 as never);
    const last = window.segments.at(-1);
    assert.equal(session?.endMs, last && segmentEndMs(last));
  }
  for (const line of acknowledged) {
    const [id, sequence] = line.split(' ');
    assert.equal(sequences.get(String(id)), Number(sequence), `acknowledged ${line}`);
  }
  assert.equal((await catalog.totals()).segments, segments);
  t.diagnostic(`${acknowledged.length} acknowledged segments in ${ROUNDS} rounds`);
});

test('kill -9: every acknowledged object is whole, and so is every other that can be seen', async (t) => {
  const path = join(await directory(t), 'objects');
  const acknowledged = await killRounds(t, 'put', path);
  const store = createFilesystemObjects({ directory: path });
  await store.start(AbortSignal.timeout(10_000));
  const seen = new Set<string>();
  for await (const { key, sizeBytes } of store.list('')) {
    seen.add(key);
    const size = 50_000 + Number(key.split('-').at(-1));
    assert.equal(sizeBytes, size, `whole ${key}`);
    assert.ok(Buffer.from(await store.get(key)).equals(Buffer.alloc(size, key)), `whole ${key}`);
  }
  for (const key of acknowledged) assert.ok(seen.has(key), `acknowledged ${key}`);
  t.diagnostic(`${acknowledged.length} acknowledged objects in ${ROUNDS} rounds`);
});

test('kill -9: the partitions of a killed consumer go on elsewhere long before its lease runs out', async (t) => {
  const path = join(await directory(t), 'events.db');
  const log = await openLog(t, path);
  await log.publish(
    't',
    Array.from({ length: 200 }, (_, index) => ({ key: `k${index}`, value: index })),
  );
  const child = start(t, 'consume', path, 1);
  await child.killWhen((lines) => lines.filter((line) => line.startsWith('committed')).length >= 8);
  const endedAtMs = performance.now();
  const fences = new Map(child.lines.filter((line) => line.startsWith('owned')).map(pair));
  assert.equal(fences.size, 4);
  const committed = new Map(child.lines.filter((line) => line.startsWith('committed')).map(pair));
  const owned = new Map<number, number>();
  const firstRead = new Map<number, number>();
  await new Promise<void>((resolve, reject) => {
    const consuming = log.consume({
      topic: 't',
      group: 'g',
      onError: reject,
      onAssigned: async (partition) => {
        owned.set(partition.partition, partition.fence);
        if (owned.size === 4) resolve();
        for await (const [first] of partition.read({ maxEvents: 1 })) {
          if (first !== undefined && !firstRead.has(partition.partition))
            firstRead.set(partition.partition, first.offset);
        }
      },
    });
    consuming.catch(reject);
  });
  assert.ok(performance.now() - endedAtMs < 5_000, 'taken over before the lease of 10 s');
  for (const [partition, fence] of owned) assert.ok(fence > Number(fences.get(partition)));
  for (const [partition, offset] of firstRead)
    assert.ok(offset > (committed.get(partition) ?? -1), 'committed ones are done');
});

/** Runs a child a number of times, each killed at a random instant after its first line. Answers all lines. */
async function killRounds(t: TestContext, role: string, path: string): Promise<string[]> {
  const all: string[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const wanted = 1 + Math.floor(Math.random() * 120);
    const child = start(t, role, path, round);
    await child.killWhen((lines) => lines.length >= wanted);
    all.push(...child.lines);
  }
  return all;
}

/** A child process and the lines that it printed. */
class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #onLine: () => void = () => undefined;

  constructor(role: string, path: string, round: number) {
    const child = spawn(process.execPath, [CHILD, role, path, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => {
      this.lines.push(line);
      this.#onLine();
    });
    this.#process = child;
    this.#ended = Promise.all([once(reader, 'close'), once(child, 'exit')]);
  }

  /** Kills it as soon as it has printed enough. Resolves when it has ended and every line is read. */
  async killWhen(enough: (lines: readonly string[]) => boolean): Promise<void> {
    let ended = false;
    await Promise.race([
      new Promise<void>((resolve) => {
        this.#onLine = () => {
          if (enough(this.lines)) resolve();
        };
        this.#onLine();
      }),
      this.#ended.then(() => {
        ended = true;
      }),
    ]);
    assert.equal(ended, false, 'the child ended by itself');
    this.kill();
    await this.#ended;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

function start(t: TestContext, role: string, path: string, round: number): Child {
  const child = new Child(role, path, round);
  t.after(() => child.kill());
  return child;
}

/** `word NUMBER NUMBER` as a pair of the numbers. */
function pair(line: string): [number, number] {
  const [, key, value] = line.split(' ');
  return [Number(key), Number(value)];
}

async function directory(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'zoetrope-crash-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

async function openLog(t: TestContext, path: string): Promise<EventLog> {
  const log = createEmbeddedLog({
    path,
    partitions: 4,
    retentionMs: 3_600_000,
    clock: systemClock,
    logger: silentLogger,
  });
  await log.start(AbortSignal.timeout(10_000));
  t.after(() => log.close());
  return log;
}
