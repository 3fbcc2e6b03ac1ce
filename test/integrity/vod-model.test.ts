import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { isZoetropeError } from '../../src/base/errors.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { wallMs } from '../../src/base/time.ts';
import type { TaskLease } from '../../src/catalog/asset-store.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { createSqliteCatalog } from '../../src/catalog/sqlite/sqlite-catalog.ts';
import { createFilesystemObjects } from '../../src/objects/filesystem/filesystem-objects.ts';
import type { ObjectStore } from '../../src/objects/object-store.ts';
import { assetPrefix, isFinal, NO_USAGE, sourceKey, type AssetRequest } from '../../src/timeline/asset.ts';
import { GuardedHttp } from '../../src/egress/guarded-http.ts';
import { createAssetService, type AssetService } from '../../src/vod/asset-service.ts';
import { createTaskRunner } from '../../src/vod/run-tasks.ts';
import { Settler } from '../../src/vod/settler.ts';
import type { TaskRunner, TryResult } from '../../src/vod/worker.ts';
import { NO_REQUEST } from '../fixtures/asset-request.ts';
import { pretendTranscoder, type PretendedFile } from '../fixtures/pretend-transcoder.ts';

const LEASE_MS = 10_000;
const RULES = { segmentMs: 4000, chunkMs: 6000, maxAttempts: 2 };
const REQUEST: AssetRequest = {
  ...NO_REQUEST,
  video: [{ heightPx: 240 }, { heightPx: 144 }],
  poster: true,
  download: true,
  webhookUrl: 'https://example.org/hook',
};
/** Steps that are asked for by name. */
const [RUN, TELL, CANCEL_OUTPUT] = [0, 4, 13];
const FILES: readonly PretendedFile[] = [
  { hasVideo: true, hasAudio: true, seconds: 20 },
  { hasVideo: true, hasAudio: false, seconds: 20 },
  { hasVideo: false, hasAudio: true, seconds: 60 },
];

/** A process that dies at one of its calls to the stores, and does nothing from then on. */
class Life {
  #calls: number;

  constructor(calls: number) {
    this.#calls = calls;
  }

  /** The store as a process that lives so long sees it. */
  of<T extends object>(store: T): T {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]): unknown => {
          if (this.#calls-- <= 0) throw new Died();
          return Reflect.apply(member, target, given);
        };
      },
    });
  }
}

class Died extends Error {}

interface Parts {
  readonly service: AssetService;
  readonly settler: Settler;
  readonly runner: TaskRunner;
  readonly catalog: Catalog;
}

/** A try that ran to its end and has not told so yet. */
interface Ran {
  readonly lease: TaskLease;
  readonly result: TryResult;
}

/** One asset in real stores, and whatever happens to it. */
class Story {
  readonly #catalog: Catalog;
  readonly #objects: ObjectStore;
  readonly #clock: FakeClock;
  readonly #file: PretendedFile;
  readonly #ran: Ran[] = [];
  id = '';
  hasDied = false;

  constructor(stores: { catalog: Catalog; objects: ObjectStore; clock: FakeClock }, file: PretendedFile) {
    this.#catalog = stores.catalog;
    this.#objects = stores.objects;
    this.#clock = stores.clock;
    this.#file = file;
  }

  async begin(): Promise<void> {
    this.id = randomIds.next('asset');
    const key = `inputs/t/${this.id}`;
    await this.#objects.put(key, Buffer.from('film'));
    const asset = { id: this.id, tenant: 't', name: 'film', referenceId: null, priority: 0, request: REQUEST };
    await this.#process(Infinity).service.create({ ...asset, source: { kind: 'object', key } });
  }

  #process(calls: number): Parts {
    const life = new Life(calls);
    const [catalog, objects] = [life.of(this.#catalog), life.of(this.#objects)];
    const shared = { catalog, objects, clock: this.#clock, ids: randomIds, logger: silentLogger, ...RULES };
    const settler = new Settler(shared);
    const runner = createTaskRunner({
      ...shared,
      settler,
      transcoder: pretendTranscoder(this.#file, objects),
      fetchFile: async () => assert.fail('nothing is fetched'),
      limits: { maxBytes: 1, maxDurationMs: 1, maxPixels: 1, maxTracks: 1 },
    });
    return {
      catalog,
      settler,
      runner,
      service: createAssetService({ ...shared, settler, http: new GuardedHttp({ allowedNetworks: [] }) }),
    };
  }

  /** Does one thing in a process that may die at any of its calls. What cannot be done now is refused, and that is all. */
  async step(action: number, which: number, calls: number): Promise<void> {
    const parts = this.#process(calls);
    try {
      await this.#act(parts, action, which);
    } catch (error) {
      if (error instanceof Died) this.hasDied = true;
      else if (!isZoetropeError(error, 'conflict')) throw error;
    }
  }

  async #act(parts: Parts, action: number, which: number): Promise<void> {
    const { service } = parts;
    switch (action) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#run(parts);
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        return this.#tell(parts, which);
      case 9:
        return this.#fail(parts, which);
      case 10:
        await this.#clock.advance(LEASE_MS + 1);
        await parts.catalog.expireTasks();
        return;
      case 11:
        return this.#look(parts);
      case 12:
        if (which < 3) await service.cancel(this.id);
        return;
      case 13: {
        const outputs = (await this.#catalog.outputsOf([this.id])).get(this.id) ?? [];
        const victim = outputs[which % Math.max(1, outputs.length)];
        if (victim !== undefined) await service.cancelOutput(this.id, victim.id);
        return;
      }
      case 14:
        await service.retry(this.id);
        return;
      default:
        await service.update(this.id, { name: `film ${which}` });
    }
  }

  async #run({ catalog, runner }: Parts): Promise<void> {
    const lease = await catalog.claimTask({ workerId: 'w', leaseMs: LEASE_MS });
    if (lease === null) return;
    const context = { signal: AbortSignal.timeout(60_000), onProgress: () => undefined };
    const result = await runner.run(lease, context);
    assert.ok('result' in result, 'tasks of assets wait for nobody');
    this.#ran.push({ lease, result });
  }

  /** As {@link Worker} ends a try. */
  async #tell({ catalog, runner, settler }: Parts, which: number): Promise<void> {
    const [ran] = this.#ran.splice(which % Math.max(1, this.#ran.length), 1);
    if (ran === undefined) return;
    const { result, usage, shares = null } = ran.result;
    const { id, attempt } = ran.lease.task;
    const isTaken = await catalog.finishTask({ taskId: id, attempt }, { kind: 'done', result, usage, shares });
    if (isTaken) await settler.settle(this.id);
    else await runner.discard(ran.lease);
  }

  async #fail({ catalog, runner, settler }: Parts, which: number): Promise<void> {
    const [ran] = this.#ran.splice(which % Math.max(1, this.#ran.length), 1);
    if (ran === undefined) return;
    const { id, attempt } = ran.lease.task;
    const retryAtMs = which < 6 ? wallMs(this.#clock.nowMs() + 1000) : null;
    const cause = { code: 'engine_failed', message: 'It fell over.' } as const;
    await catalog.finishTask({ taskId: id, attempt }, { kind: 'failed', cause, usage: NO_USAGE, retryAtMs });
    await runner.discard(ran.lease);
    await settler.settle(this.id);
  }

  async #look({ catalog, settler }: Parts): Promise<void> {
    for (const id of await catalog.unsettledAssets(9)) await settler.settle(id);
  }

  /** Lets nothing more happen but work, until there is none. */
  async finish(): Promise<void> {
    const parts = this.#process(Infinity);
    for (;;) {
      await this.#look(parts);
      await this.check();
      await this.#clock.advance(LEASE_MS + 1);
      await this.#catalog.expireTasks();
      await this.#run(parts);
      if (this.#ran.length === 0 && (await this.#catalog.unsettledAssets(9)).length === 0) break;
      while (this.#ran.length > 0) await this.#tell(parts, 0);
    }
    const { asset } = await this.#catalog.assetJob(this.id);
    assert.ok(isFinal(asset.state), `it ends, but is ${asset.state}`);
    await this.#checkEvents(asset.round);
    if (!this.hasDied) await this.#checkObjects();
  }

  /** What holds at every moment, whoever died. */
  async check(): Promise<void> {
    const { asset, outputs, tasks } = await this.#catalog.assetJob(this.id);
    const isUnsettled = (await this.#catalog.unsettledAssets(9)).includes(this.id);
    const isAtWork = tasks.some(({ state }) => state === 'waiting' || state === 'running');
    assert.ok(isFinal(asset.state) || isAtWork || isUnsettled, `${asset.state} for ever`);
    if (isFinal(asset.state)) {
      assert.ok(!isAtWork, 'nothing works for what has ended');
      assert.notEqual(asset.endedAtMs, null);
      assert.ok(outputs.every(({ state }) => isFinal(state)));
    }
    for (const output of outputs) {
      const { kind } = output.spec;
      for (const { objectKey } of output.files) await this.#objects.head(objectKey);
      if (asset.state === 'cancelled') assert.ok(output.state !== 'ready' && output.files.length === 0);
      if (kind === 'video' || kind === 'audio') await this.#checkRendition(output.id, output.publishedChunks > 0);
      if (output.state === 'ready' && output.totalChunks !== null) {
        assert.equal(output.publishedChunks, output.totalChunks);
      }
    }
  }

  async #checkRendition(outputId: string, isPublished: boolean): Promise<void> {
    const segments = await this.#catalog.renditionWindow(this.id, outputId, 0).then(
      (window) => window.segments,
      (error: unknown) => {
        if (!isZoetropeError(error, 'not_found')) throw error;
        return [];
      },
    );
    assert.equal(segments.length > 0, isPublished);
    let end90k = 0;
    for (const { mediaStart90k, duration90k, objectKey } of segments) {
      assert.equal(mediaStart90k, end90k, 'ends meet starts');
      end90k = mediaStart90k + duration90k;
      await this.#objects.head(objectKey);
    }
  }

  /** Each transition was told once: of each round at most one `playable`, and one end. */
  async #checkEvents(round: number): Promise<void> {
    const { items } = await this.#catalog.listDeliveries({ subjectId: this.id }, { limit: 1000 });
    const told = items.map(({ type }) => type.replace('asset.', '')).toReversed();
    assert.match(
      told.join(' '),
      /^created( playable)?( (ready|failed|cancelled)( playable)?)* (ready|failed|cancelled)$/,
    );
    assert.equal(told.filter((type) => type !== 'created' && type !== 'playable').length, round + 1);
  }

  async #checkObjects(): Promise<void> {
    const outputs = (await this.#catalog.outputsOf([this.id])).get(this.id) ?? [];
    const files = outputs.flatMap((output) => output.files.map(({ objectKey }) => objectKey));
    const named = new Set([...files, ...(await this.#catalog.objectKeysOf(this.id)), sourceKey(this.id)]);
    const left: string[] = [];
    for await (const { key } of this.#objects.list(assetPrefix(this.id))) if (!named.has(key)) left.push(key);
    assert.deepEqual(left, [], 'nothing lies there that nothing names');
  }
}

async function openStores(t: TestContext): Promise<{ catalog: Catalog; objects: ObjectStore; clock: FakeClock }> {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-model-'));
  const clock = new FakeClock();
  const deps = { clock, ids: randomIds, logger: silentLogger };
  const catalog = createSqliteCatalog({ path: join(directory, 'catalog.db'), ...deps });
  const objects = createFilesystemObjects({ directory: join(directory, 'objects'), clock });
  const signal = AbortSignal.timeout(30_000);
  await catalog.start(signal);
  await objects.start(signal);
  t.after(async () => {
    await catalog.close();
    await objects.close();
    rmSync(directory, { recursive: true });
  });
  return { catalog, objects, clock };
}

test('an asset ends, whole and told once, whatever is finished, failed, cancelled, retried or killed in whatever order', async (t) => {
  const stores = await openStores(t);
  const steps = fc.array(fc.tuple(fc.nat(15), fc.nat(8), fc.oneof(fc.constant(Infinity), fc.nat(12))), {
    minLength: 10,
    maxLength: 60,
  });
  const ends = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.nat(2), steps, fc.boolean(), async (kind, actions, mayDie) => {
      const story = new Story(stores, FILES[kind] ?? { hasVideo: true, hasAudio: true, seconds: 20 });
      await story.begin();
      for (const [action, which, calls] of actions) {
        await story.step(action, which, mayDie ? calls : Infinity);
        await story.check();
      }
      await story.finish();
      const { state } = await stores.catalog.getAsset(story.id);
      ends.set(state, (ends.get(state) ?? 0) + 1);
      await stores.catalog.deleteAsset(story.id, []);
    }),
    { numRuns: 15, endOnFailure: true },
  );
  t.diagnostic(JSON.stringify(Object.fromEntries(ends)));
});

test('the last output may be cancelled by a process that dies at any of its calls', async (t) => {
  const stores = await openStores(t);
  let deaths = 0;
  for (let calls = 0; calls < 12; calls++) {
    const story = new Story(stores, { hasVideo: true, hasAudio: true, seconds: 20 });
    await story.begin();
    await story.step(RUN, 0, Infinity);
    await story.step(TELL, 0, Infinity);
    const outputs = (await stores.catalog.outputsOf([story.id])).get(story.id) ?? [];
    assert.ok(outputs.length > 3);
    for (let which = 0; which < outputs.length; which++) await story.step(CANCEL_OUTPUT, which, calls);
    await story.check();
    for (let which = 0; which < outputs.length - 1; which++) await story.step(CANCEL_OUTPUT, which, Infinity);
    await story.step(CANCEL_OUTPUT, outputs.length - 1, calls);
    await story.check();
    deaths += Number(story.hasDied);
    await story.finish();
    await stores.catalog.deleteAsset(story.id, []);
  }
  assert.ok(deaths > 5);
});
