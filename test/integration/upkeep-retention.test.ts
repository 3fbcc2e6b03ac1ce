import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import { segmentEndMs } from '../../src/timeline/segment.ts';
import { sweepGraceMs } from '../../src/upkeep/sweep.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const HOUR_MS = 3_600_000;
/** Of 30 s segments under the default settings: a segment may wait 60 s, and one frame lasts 5 s. */
const GRACE_MS = sweepGraceMs(65_000);
const signal = new AbortController().signal;

describe('retention', () => {
  it('takes what is too old out of the window, and sweeps it after the grace', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '1' });
    const { id } = await store.stream('yard');
    const segments = await store.fill(id, HOUR_MS + 60_000, 6);
    const first = await store.upkeep.retention.runOnce({ signal });
    assert.equal(first.retiredByAge.segments, 2);
    assert.equal(first.swept.segments, 0);
    assert.equal((await store.stores.catalog.dvrWindow(id)).segments.length, 4);
    assert.equal((await store.objectKeys('media/')).length, 6);

    await store.clock.advance(GRACE_MS - 1);
    assert.equal((await store.upkeep.retention.runOnce({ signal })).swept.segments, 0);
    await store.clock.advance(1);
    const second = await store.upkeep.retention.runOnce({ signal });
    assert.equal(second.swept.segments, 2);
    assert.equal(second.swept.bytes, (segments[0]?.segment.sizeBytes ?? 0) * 2);
    assert.equal((await store.objectKeys('media/')).length, 4);
  });

  it('goes by the settings of each stream', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '1' });
    const [short, long] = [await store.stream('short', { retentionMs: 60_000 }), await store.stream('long')];
    await store.fill(short.id, 600_000, 6);
    await store.fill(long.id, 600_000, 6);
    await store.upkeep.retention.runOnce({ signal });
    assert.equal((await store.stores.catalog.dvrWindow(short.id)).segments.length, 0);
    assert.equal((await store.stores.catalog.dvrWindow(long.id)).segments.length, 6);
  });

  it('changes nothing in a dry run, which says what a run would do', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '1' });
    const { id } = await store.stream('yard');
    await store.fill(id, HOUR_MS + 60_000, 6);
    const dry = await store.upkeep.retention.runOnce({ signal, dryRun: true });
    assert.equal(dry.retiredByAge.segments, 2);
    assert.equal((await store.stores.catalog.dvrWindow(id)).segments.length, 6);
    const real = await store.upkeep.retention.runOnce({ signal });
    assert.deepEqual({ ...real, dryRun: true }, dry);
    await store.clock.advance(GRACE_MS);
    assert.equal((await store.upkeep.retention.runOnce({ signal, dryRun: true })).swept.segments, 2);
    assert.equal((await store.segmentIds(id)).length, 6);
  });

  it('keeps the bytes below their ceiling, oldest first over all streams, and takes no more than it must', async () => {
    await using probe = await TimelineStore.open();
    const sizeBytes = (await probe.append((await probe.stream('x')).id, { startMs: 0 })).segment.sizeBytes;
    await using store = await TimelineStore.open({ ZOETROPE_MAX_BYTES: String(sizeBytes * 7) });
    const [a, b] = [await store.stream('a'), await store.stream('b')];
    await store.fill(a.id, 3_600_000, 5);
    await store.fill(b.id, 3_585_000, 5);
    const dry = await store.upkeep.retention.runOnce({ signal, dryRun: true });
    assert.equal(dry.retiredByCeiling.segments, 3);
    const report = await store.upkeep.retention.runOnce({ signal });
    assert.equal(report.retiredByCeiling.segments, 3);
    assert.equal(report.unmetBytes, 0);
    assert.equal((await store.stores.catalog.dvrWindow(a.id)).segments.length, 3);
    assert.equal((await store.stores.catalog.dvrWindow(b.id)).segments.length, 4);
    const again = await store.upkeep.retention.runOnce({ signal });
    assert.equal(again.retiredByCeiling.segments, 0, 'what waits for its grace counts as gone');
    await store.clock.advance(GRACE_MS);
    assert.equal((await store.upkeep.retention.runOnce({ signal })).swept.segments, 3);
    assert.equal((await store.stores.catalog.totals()).segments, 7);
  });

  it('never takes the newest minutes for a ceiling, and says what it could not free', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_MAX_BYTES: '1' });
    const { id } = await store.stream('yard');
    await store.fill(id, 300_000, 10);
    const report = await store.upkeep.retention.runOnce({ signal });
    assert.equal(report.retiredByCeiling.segments, 6);
    assert.ok(report.unmetBytes > 0);
    const left = (await store.stores.catalog.dvrWindow(id)).segments;
    assert.ok(left.every((segment) => segmentEndMs(segment) > store.nowMs - 120_000));
  });

  it('lets players finish an archive that was let go, also under pressure', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '1', ZOETROPE_MAX_BYTES: '1' });
    const { catalog } = store.stores;
    const { id: streamId } = await store.stream('yard');
    await store.fill(streamId, 2 * HOUR_MS, 4);
    const id = randomIds.next('archive');
    const [fromMs, toMs, expiresAtMs] = [wallMs(0), wallMs(store.nowMs), null];
    await catalog.createHold({
      id,
      streamId,
      kind: 'archive',
      name: 'kept',
      fromMs,
      toMs,
      sessionId: null,
      expiresAtMs,
    });
    await store.upkeep.retention.runOnce({ signal });
    await store.clock.advance(GRACE_MS);
    assert.ok((await store.upkeep.retention.runOnce({ signal })).unmetBytes > 0, 'the archive keeps them');
    await catalog.releaseHold(id);
    await store.upkeep.retention.runOnce({ signal });
    await store.clock.advance(GRACE_MS - 1);
    assert.equal((await store.upkeep.retention.runOnce({ signal })).swept.segments, 0);
    await store.clock.advance(1);
    assert.equal((await store.upkeep.retention.runOnce({ signal })).swept.segments, 4);
  });

  it('finishes what a crash between objects and rows left', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '1' });
    const { id } = await store.stream('yard');
    await store.fill(id, HOUR_MS + 60_000, 6);
    await store.upkeep.retention.runOnce({ signal });
    await store.clock.advance(GRACE_MS);
    const { catalog, objects } = store.stores;
    const gone = await catalog.sweepableSegments({ retiredByMs: wallMs(store.nowMs - GRACE_MS), limit: 10 });
    await objects.delete(gone.map(({ objectKey }) => objectKey));
    // Here the process died. Nothing that a playlist names is missing, and the next run goes on.
    assert.equal((await store.upkeep.doctor.examine({ signal })).clean, true);
    assert.equal((await store.upkeep.retention.runOnce({ signal })).swept.segments, 2);
    assert.equal((await store.segmentIds(id)).length, 4);
    assert.equal((await store.upkeep.doctor.examine({ signal, deep: true })).clean, true);
  });

  it('may run any number of times at once', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '1' });
    const { id } = await store.stream('yard');
    const [first] = await store.fill(id, HOUR_MS + 60_000, 6);
    const runAll = (): Promise<readonly Awaited<ReturnType<typeof store.upkeep.retention.runOnce>>[]> =>
      Promise.all([1, 2, 3].map(() => store.upkeep.retention.runOnce({ signal })));
    const retired = (await runAll()).reduce((sum, report) => sum + report.retiredByAge.segments, 0);
    assert.equal(retired, 2, 'each segment is retired once');
    await store.clock.advance(GRACE_MS);
    await runAll();
    assert.equal((await store.objectKeys('media/')).length, 4);
    assert.deepEqual((await store.upkeep.doctor.examine({ signal, deep: true })).findings, []);
    const totals = await store.stores.catalog.totals();
    const bytes = 4 * (first?.segment.sizeBytes ?? 0);
    assert.deepEqual([totals.segments, totals.retiredSegments, totals.retiredBytes], [0, 4, bytes]);
  });

  it('stops when it is asked to', async () => {
    await using store = await TimelineStore.open();
    await store.stream('yard');
    await assert.rejects(store.upkeep.retention.runOnce({ signal: AbortSignal.abort() }), { name: 'AbortError' });
  });

  it('never sweeps what a hold covers, and leaves nothing unheld behind the horizon and the grace', async () => {
    const hold = fc.record({
      first: fc.integer({ min: 0, max: 19 }),
      length: fc.integer({ min: 1, max: 8 }),
      lifeMs: fc.integer({ min: 0, max: 600_000 }),
    });
    const scenario = fc.record({
      holds: fc.array(hold, { maxLength: 4 }),
      lateAt: fc.array(fc.integer({ min: 0, max: 18 }), { maxLength: 2 }),
      steps: fc.array(fc.integer({ min: 1000, max: 300_000 }), { minLength: 2, maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ holds, lateAt, steps }) => {
        await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '0.1' });
        const { archiveExpiry, doctor, retention } = store.upkeep;
        const { catalog } = store.stores;
        const { id: streamId } = await store.stream('yard');
        const fromMs = store.nowMs - 600_000;
        const appended = [...(await store.fill(streamId, 600_000, 20))];
        for (const index of new Set(lateAt)) {
          const startMs = fromMs + index * 30_000 + 2500;
          appended.push(await store.append(streamId, { startMs, frames: 1, intervalMs: 500, late: true }));
        }
        for (const { first, length, lifeMs } of holds) {
          await catalog.createHold({
            id: randomIds.next('archive'),
            streamId,
            kind: 'archive',
            name: 'kept',
            fromMs: wallMs(fromMs + first * 30_000),
            toMs: wallMs(fromMs + (first + length) * 30_000),
            sessionId: null,
            expiresAtMs: wallMs(store.nowMs + lifeMs),
          });
        }
        const retentionMs = 360_000;
        for (const stepMs of [...steps, 1_200_000, GRACE_MS + 1, GRACE_MS + 1]) {
          await store.clock.advance(stepMs);
          await archiveExpiry.runOnce({ signal });
          await retention.runOnce({ signal });
          const rows = new Set(await store.segmentIds(streamId));
          const keys = new Set(await store.objectKeys('media/'));
          const kept = (await catalog.listHolds({ streamId }, { limit: 100 })).items;
          for (const { segment } of appended) {
            const endMs = segmentEndMs(segment);
            const isHeld = kept.some(({ fromMs, toMs }) => endMs > fromMs && segment.startMs < (toMs ?? Infinity));
            const isInside = endMs > store.nowMs - retentionMs;
            if (isHeld || isInside) assert.ok(rows.has(segment.id) && keys.has(segment.objectKey), 'swept too early');
          }
          assert.equal(rows.size, keys.size);
        }
        assert.deepEqual(await store.segmentIds(streamId), [], 'swept too late');
        assert.deepEqual((await doctor.examine({ signal, deep: true })).findings, []);
      }),
      { numRuns: 25 },
    );
  });
});
