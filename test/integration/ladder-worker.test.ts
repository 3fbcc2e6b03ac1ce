import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { ZoetropeError } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { createSqliteCatalog } from '../../src/catalog/sqlite/sqlite-catalog.ts';
import type {
  EncodedRendition,
  EncodeLadderRequest,
  EncodeLadderResult,
  Measured,
  RunOptions,
} from '../../src/engine/transcoder.ts';
import { LadderWorker, type LadderWorkerDeps } from '../../src/ladder/ladder-worker.ts';
import { Slots } from '../../src/ladder/slots.ts';
import { createFilesystemObjects } from '../../src/objects/filesystem/filesystem-objects.ts';
import type { ObjectStore } from '../../src/objects/object-store.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';

const LADDER = { ladder: [{ height: 90, videoKbps: null }] } as const;

/** Encodes nothing; the test says when a run ends, and how. */
class HandTranscoder {
  readonly begun: { readonly request: EncodeLadderRequest; readonly watch: RunOptions; isAborted: boolean }[] = [];
  readonly #ends: PromiseWithResolvers<Measured<EncodeLadderResult>>[] = [];
  readonly #objects: ObjectStore;
  readonly #init: Uint8Array;

  constructor(objects: ObjectStore, init: Uint8Array) {
    this.#objects = objects;
    this.#init = init;
  }

  encodeLadder(request: EncodeLadderRequest, watch: RunOptions = {}): Promise<Measured<EncodeLadderResult>> {
    const end = Promise.withResolvers<Measured<EncodeLadderResult>>();
    const one = { request, watch, isAborted: false };
    this.begun.push(one);
    this.#ends.push(end);
    watch.signal?.addEventListener('abort', () => {
      one.isAborted = true;
      end.reject(new ZoetropeError('cancelled', 'The run was cancelled.'));
    });
    return end.promise;
  }

  async succeed(index: number): Promise<void> {
    const { request } = this.begun[index] ?? {};
    assert.ok(request !== undefined);
    const rungs: EncodedRendition[] = [];
    for (const { id, outputPrefix } of request.rungs) {
      const bytes = Buffer.from(`${outputPrefix} made`);
      await this.#objects.put(`${outputPrefix}0.m4s`, bytes);
      rungs.push({
        id,
        init: {
          base64: Buffer.from(this.#init).toString('base64'),
          sha256: sha256(this.#init),
          codecs: 'avc1.64001E',
          width: 160,
          height: 90,
        },
        segments: [
          {
            mediaStart90k: request.mediaStart90k,
            duration90k: request.duration90k,
            objectKey: `${outputPrefix}0.m4s`,
            sizeBytes: bytes.length,
            sha256: sha256(bytes),
            keyframeBytes: null,
          },
        ],
      });
    }
    this.#ends[index]?.resolve({ value: { rungs }, usage: { cpuMs: 100, peakMemoryBytes: 1, wallMs: 100 } });
  }

  fail(index: number): void {
    this.#ends[index]?.reject(new ZoetropeError('engine_failed', 'The process died.'));
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('who makes ladders', () => {
  let media: PushedMedia;
  let small: PushedMedia;
  before(() => {
    media = new PushedMedia({ size: '320x180' });
    small = new PushedMedia({ size: '160x90' });
  });

  interface World {
    readonly catalog: Catalog;
    readonly clock: FakeClock;
    readonly objects: ObjectStore;
    readonly counted: { made: number; failed: number; slow: number };
    worker(
      workerId: string,
      slots?: number,
      own?: FakeClock,
    ): Promise<{ readonly hand: HandTranscoder; readonly worker: LadderWorker }>;
    stream(): Promise<PushedStream>;
    until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
    /** The rung's segments: their numbers, with a minus where there is a gap. */
    rung(id: string): Promise<string>;
  }

  async function makeWorld(t: TestContext): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), 'zoetrope-ladder-worker-'));
    const clock = new FakeClock();
    const deps = { clock, ids: randomIds, logger: silentLogger };
    const catalog = createSqliteCatalog({ path: join(directory, 'catalog.db'), ...deps });
    const objects = createFilesystemObjects({ directory: join(directory, 'objects') });
    await catalog.start(AbortSignal.timeout(30_000));
    await objects.start(AbortSignal.timeout(30_000));
    const workers: LadderWorker[] = [];
    t.after(async () => {
      for (const worker of workers) await worker.close();
      await objects.close();
      await catalog.close();
      rmSync(directory, { recursive: true });
    });
    const counted = { made: 0, failed: 0, slow: 0 };
    const metrics: LadderWorkerDeps['metrics'] = {
      made: (rungs) => void (counted.made += rungs),
      missed: (cause, segments) => void (counted[cause] += segments),
    };
    return {
      catalog,
      clock,
      objects,
      counted,
      async worker(workerId, slots = 2, own = clock) {
        const hand = new HandTranscoder(objects, small.init);
        const worker = new LadderWorker({
          catalog,
          objects,
          transcoder: hand,
          metrics,
          slots: new Slots(slots),
          maxBehind: 4,
          workerId,
          ...deps,
          clock: own,
        });
        workers.push(worker);
        await worker.start();
        return { hand, worker };
      },
      stream: () => PushedStream.make({ catalog, objects, clock }, media, { settings: LADDER }),
      async until(condition, what) {
        for (let round = 0; round < 200; round++) {
          if (await condition()) return;
          await clock.advance(50);
        }
        assert.fail(`never happened: ${what}`);
      },
      async rung(id) {
        const renditions = await catalog.renditionsOf(id);
        if (!renditions.some(({ name }) => name === '90p')) return '';
        const { segments } = await catalog.dvrWindow(id, '90p');
        return segments.map(({ sequence, lost }) => (lost ? `-${sequence}` : String(sequence))).join(' ');
      },
    };
  }

  test('segments are encoded side by side and appended in order', async (t) => {
    const world = await makeWorld(t);
    const { hand, worker } = await world.worker('one');
    const pushed = await world.stream();
    await pushed.appendMany(3);
    await world.until(() => hand.begun.length === 2, 'two are begun, as there are slots');
    await hand.succeed(1);
    await world.until(() => hand.begun.length === 3, 'the third is begun');
    assert.equal(await world.rung(pushed.id), '');
    assert.deepEqual(worker.stats(), { streams: 1, lagMs: 3000 });
    await hand.succeed(0);
    await world.until(async () => (await world.rung(pushed.id)) === '0 1', 'both are there');
    assert.equal(worker.stats().lagMs, 1000);
    await hand.succeed(2);
    await world.until(async () => (await world.rung(pushed.id)) === '0 1 2', 'all are there');
    assert.deepEqual(world.counted, { made: 3, failed: 0, slow: 0 });
    assert.equal(worker.stats().lagMs, 0);
  });

  test('a worker that is too slow passes over what it cannot make, and goes on at the source’s end', async (t) => {
    const world = await makeWorld(t);
    const { hand, worker } = await world.worker('one', 1);
    const pushed = await world.stream();
    await pushed.append();
    await world.until(() => hand.begun.length === 1, 'the first is begun');
    await pushed.appendMany(9);
    await hand.succeed(0);
    await world.until(() => hand.begun.length === 2, 'the newest is begun');
    assert.equal(hand.begun[1]?.request.mediaStart90k, 9 * 90_000);
    await hand.succeed(1);
    await world.until(async () => (await world.rung(pushed.id)).endsWith(' 9'), 'it is there');
    assert.equal(await world.rung(pushed.id), '0 -1 -2 -3 -4 -5 -6 -7 -8 9');
    assert.deepEqual(world.counted, { made: 2, failed: 0, slow: 8 });
    await world.until(async () => (await world.catalog.getLadder(pushed.id))?.missed === 8, 'it is noted');
    assert.equal(worker.stats().lagMs, 0);
  });

  test('a segment that fails twice is a gap, and the ladder says why', async (t) => {
    const world = await makeWorld(t);
    const { hand } = await world.worker('one', 1);
    const pushed = await world.stream();
    const [first] = await pushed.appendMany(2);
    await world.until(() => hand.begun.length === 1, 'it is begun');
    hand.fail(0);
    await world.until(() => hand.begun.length === 2, 'it is tried again');
    assert.equal(hand.begun[1]?.request.mediaStart90k, 0);
    hand.fail(1);
    await world.until(() => hand.begun.length === 3, 'the next is begun');
    await hand.succeed(2);
    await world.until(async () => (await world.rung(pushed.id)) !== '', 'it is there');
    assert.equal(await world.rung(pushed.id), '1');
    await pushed.append();
    await world.until(() => hand.begun.length === 4, 'the third is begun');
    hand.fail(3);
    await world.until(() => hand.begun.length === 5, 'it is tried again');
    hand.fail(4);
    await pushed.append();
    await world.until(() => hand.begun.length === 6, 'the fourth is begun');
    await hand.succeed(5);
    await world.until(async () => (await world.rung(pushed.id)) === '1 -2 3', 'the gap is there with what follows it');
    const report = await world.catalog.getLadder(pushed.id);
    assert.deepEqual([world.counted.failed, report?.lastFailure?.code], [2, 'engine_failed']);
    assert.notEqual(report?.lastFailure?.segmentId, first?.segment.id);
  });

  test('another worker takes over when a lease runs out, and what the first one still brings is nobody’s', async (t) => {
    const world = await makeWorld(t);
    const pushed = await world.stream();
    await pushed.append();
    // On its clock no time passes, so its lease is not renewed: as if its process stood still.
    const still = new FakeClock();
    const one = await world.worker('one', 2, still);
    await world.until(() => one.hand.begun.length === 1, 'one has begun');
    const two = await world.worker('two');
    await world.clock.advance(3000);
    assert.equal(two.hand.begun.length, 0, 'the lease of the first has not run out');
    await world.clock.advance(3000);
    await world.until(() => two.hand.begun.length === 1, 'two has begun');
    await two.hand.succeed(0);
    await world.until(async () => (await world.rung(pushed.id)) === '0', 'it is there');
    await one.hand.succeed(0);
    await still.advance(1000);
    await world.until(() => one.worker.stats().streams === 0, 'the first lets go');
    assert.equal(await world.rung(pushed.id), '0');
    const { segments } = await world.catalog.dvrWindow(pushed.id, '90p');
    assert.ok((await world.objects.get(segments[0]?.objectKey ?? '')).length > 0);
  });

  test('turned off, what is encoded is ended; a stream that is deleted is let go', async (t) => {
    const world = await makeWorld(t);
    const { hand, worker } = await world.worker('one');
    const [pushed, deleted] = [await world.stream(), await world.stream()];
    await pushed.append();
    await deleted.append();
    await world.until(() => hand.begun.length === 2, 'both are begun');
    await world.catalog.updateStream(pushed.id, { settings: { ladder: null } });
    await world.catalog.deleteStream(deleted.id);
    await world.until(() => hand.begun.every(({ isAborted }) => isAborted), 'both are ended');
    await world.until(() => worker.stats().streams === 0, 'both are let go');
    assert.equal(await world.rung(pushed.id), '');
  });

  test('rungs are made in processes of the stream’s tenant alone', async (t) => {
    const world = await makeWorld(t);
    const { hand } = await world.worker('one');
    await (await world.stream()).append();
    await world.until(() => hand.begun.length === 1, 'it is begun');
    assert.equal(hand.begun[0]?.watch.owner, 'ladder acme');
  });
});
