import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { isZoetropeError } from '../../src/base/errors.ts';
import { wallMs, type WallMs } from '../../src/base/time.ts';
import { Recordings } from '../../src/recordings/recordings.ts';
import type { Hold } from '../../src/timeline/hold.ts';
import { segmentEndMs, type Segment } from '../../src/timeline/segment.ts';
import { removeStream } from '../../src/upkeep/remove-stream.ts';
import { resetDevice } from '../../src/upkeep/reset-device.ts';
import { sweep, sweepGraceMs } from '../../src/upkeep/sweep.ts';
import { createRandom } from '../fixtures/random.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const HOUR_MS = 3_600_000;
const SEGMENT_MS = 30_000;
/** Of 30 s segments under the default settings: a segment may wait 60 s, and one frame lasts 5 s. */
const GRACE_MS = sweepGraceMs(65_000);
const signal = new AbortController().signal;

/** Each look at it is a millisecond later. */
class TickingClock extends FakeClock {
  #looks = 0;

  override nowMs(): WallMs {
    return wallMs(super.nowMs() + this.#looks++);
  }
}

function recordingsOf(store: TimelineStore): Recordings {
  const { catalog } = store.stores;
  return new Recordings({ catalog, clock: store.clock, ids: randomIds, defaults: streamDefaults(store.config) });
}

async function shownIn(store: TimelineStore, hold: Hold): Promise<readonly Segment[]> {
  const toMs = hold.toMs ?? wallMs(Number.MAX_SAFE_INTEGER);
  return (await store.stores.catalog.segmentsBetween(hold.streamId, hold.fromMs, toMs, 10_000)).segments;
}

describe('recordings under upkeep', () => {
  it('one that starts now starts, however the clock ticks meanwhile', async () => {
    await using store = await TimelineStore.open();
    const { catalog } = store.stores;
    const stream = await store.stream('yard');
    const recordings = new Recordings({
      catalog,
      clock: new TickingClock(store.nowMs),
      ids: randomIds,
      defaults: streamDefaults(store.config),
    });
    assert.equal((await recordings.start(stream, {})).toMs, null);
  });

  it('whatever is started, stopped, deleted and swept in whatever order, each keeps what lies in it, and nothing else stays', async (t) => {
    const random = createRandom(Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31) + 1));
    t.diagnostic(`SEED=${random.seed} repeats this run`);
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: String((5 * 60) / 3600) });
    const { catalog, objects } = store.stores;
    const recordings = recordingsOf(store);
    const stream = await store.stream('yard');
    let lates = 0;
    const all = new Map<string, Segment>();
    const made = new Map<string, Hold>();
    /** What each recording had when it was last looked at: it never has less. */
    const had = new Map<string, ReadonlySet<string>>();
    const start = async (fromMs: WallMs | undefined, untilMs: WallMs | undefined): Promise<void> => {
      try {
        const hold = await recordings.start(stream, {
          ...(fromMs === undefined ? {} : { fromMs }),
          ...(untilMs === undefined ? {} : { untilMs }),
        });
        made.set(hold.id, hold);
      } catch (error) {
        if (!isZoetropeError(error, 'out_of_range') || fromMs === undefined) throw error;
      }
    };
    const step = async (): Promise<void> => {
      const hold = made.size === 0 ? undefined : random.pick([...made.values()]);
      const wish = random.next();
      if (wish < 0.45) {
        const gapMs = random.next() < 0.15 ? random.integer(1, 10) * SEGMENT_MS : 0;
        await store.clock.advance(gapMs + SEGMENT_MS);
        const late = random.next() < 0.1;
        const startMs = store.nowMs - (late ? random.integer(2, 12) : 1) * SEGMENT_MS + (late ? ++lates : 0);
        const { segment } = await store.append(stream.id, { startMs, late, frames: late ? 1 : 6 });
        all.set(segment.id, segment);
      } else if (wish < 0.6) {
        const back = random.next() < 0.6 ? wallMs(store.nowMs - random.integer(0, 8 * 60_000)) : undefined;
        await start(back, random.next() < 0.3 ? wallMs(store.nowMs + random.integer(1, 300_000)) : undefined);
      } else if (wish < 0.7 && hold !== undefined) {
        const atMs = random.next() < 0.5 ? undefined : wallMs(hold.fromMs + random.integer(1, 400_000));
        const stopped = await recordings.stop(hold, stream, atMs);
        if (hold.toMs === null || stopped.toMs === null || stopped.toMs < hold.toMs) had.delete(hold.id);
        made.set(hold.id, stopped);
      } else if (wish < 0.76 && hold !== undefined) {
        await catalog.releaseHold(hold.id);
        made.delete(hold.id);
      } else if (wish < 0.9) {
        await store.upkeep.recordingEnds.runOnce({ signal });
        await store.upkeep.retention.runOnce({ signal });
      } else {
        await store.clock.advance(random.integer(1, 4) * 30_000);
      }
    };
    for (let count = 0; count < 250; count++) {
      await step();
      for (const { id } of made.values()) {
        const hold = await catalog.getHold(id);
        made.set(id, hold);
        const ids = new Set((await shownIn(store, hold)).map((segment) => segment.id));
        for (const before of had.get(id) ?? []) assert.ok(ids.has(before), `step ${count}: ${id} lost ${before}`);
        had.set(id, ids);
      }
    }
    for (const { id } of made.values()) {
      const { extent } = await catalog.measureHold(id);
      const hold = await catalog.getHold(id);
      const shown = await shownIn(store, hold);
      assert.deepEqual(extent, hold.extent);
      assert.equal(extent?.segmentCount, shown.length);
      assert.equal(
        extent?.sizeBytes,
        shown.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      );
      for (const { objectKey, sizeBytes } of shown) assert.equal((await objects.get(objectKey)).length, sizeBytes);
    }
    assert.deepEqual((await store.upkeep.doctor.examine({ signal, deep: true })).findings, []);
    // In the end only what a recording covers is left.
    await store.clock.advance(HOUR_MS);
    await store.upkeep.retention.runOnce({ signal });
    await store.clock.advance(GRACE_MS);
    await store.upkeep.recordingEnds.runOnce({ signal });
    await store.upkeep.retention.runOnce({ signal });
    const kept = await Promise.all([...made.keys()].map((id) => catalog.getHold(id)));
    const left = new Set(await store.segmentIds(stream.id));
    for (const id of left) {
      const segment = all.get(id);
      assert.ok(segment !== undefined);
      const endMs = segmentEndMs(segment);
      const isKept = kept.some(({ fromMs, toMs }) => fromMs < endMs && (toMs === null || toMs > segment.startMs));
      assert.ok(isKept, `${id} is kept by nothing`);
    }
    const totals = await catalog.totals();
    assert.deepEqual([totals.segments, totals.retiredSegments], [0, left.size]);
    assert.equal((await store.objectKeys('media/')).length, left.size);
  });

  it('one that is started while its first segments are being deleted has them whole, or not at all', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '1' });
    const { catalog, objects } = store.stores;
    const stream = await store.stream('yard');
    const segments = await store.fill(stream.id, HOUR_MS + 120_000, 4);
    await store.upkeep.retention.runOnce({ signal });
    const hold = (startMs: number): Parameters<typeof catalog.createHold>[0] => ({
      id: randomIds.next('recording'),
      streamId: stream.id,
      kind: 'recording',
      name: 'x',
      fromMs: wallMs(startMs),
      toMs: wallMs(startMs + 1),
      sessionId: null,
      expiresAtMs: null,
    });
    const startOf = (index: number): number => segments[index]?.segment.startMs ?? 0;
    let before: Hold | undefined;
    let after: Hold | undefined;
    const nowMs = wallMs(store.nowMs + GRACE_MS);
    const swept = await sweep(
      {
        catalog: {
          async sweepableSegments(request) {
            const found = await catalog.sweepableSegments(request);
            before ??= await catalog.createHold(hold(startOf(0)));
            return found;
          },
          takeSweepable: (ids) => catalog.takeSweepable(ids),
          removeSegments: (ids) => catalog.removeSegments(ids),
        },
        objects: {
          async delete(keys) {
            after ??= await catalog.createHold(hold(startOf(1)));
            await objects.delete(keys);
            assert.deepEqual(await shownIn(store, after), []);
          },
        },
      },
      { nowMs, graceMs: GRACE_MS, signal, dryRun: false },
    );
    assert.equal(swept.segments, 3);
    assert.ok(before !== undefined);
    const [kept] = await shownIn(store, before);
    assert.equal((await objects.get(kept?.objectKey ?? '')).length, kept?.sizeBytes);
    assert.deepEqual((await store.upkeep.doctor.examine({ signal, deep: true })).findings, []);
  });

  it('go with their device only when that is said', async () => {
    await using store = await TimelineStore.open();
    const stream = await store.stream('yard');
    await store.fill(stream.id, 300_000, 3);
    const { id } = await recordingsOf(store).start(stream, { title: 'Kept' });
    const request = {
      clientId: 'acme',
      deviceId: 'yard',
      dryRun: false,
      skipCatalog: false,
      skipStorage: false,
      signal,
    };
    for (const dryRun of [true, false]) {
      await assert.rejects(resetDevice({ ...request, dryRun, force: false }, store.stores), (error) => {
        assert.ok(isZoetropeError(error, 'conflict'));
        assert.ok(error.message.includes(`${id} ("Kept")`) && error.message.includes('--force'), error.message);
        return true;
      });
    }
    assert.equal((await store.segmentIds(stream.id)).length, 3);
    assert.equal((await resetDevice({ ...request, force: true }, store.stores)).segments, 3);
    await assert.rejects(store.stores.catalog.getHold(id), { code: 'not_found' });
    await assert.rejects(removeStream(stream.id, store.stores), { code: 'not_found' });
  });
});
