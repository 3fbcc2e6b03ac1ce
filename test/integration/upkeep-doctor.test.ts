import assert from 'node:assert/strict';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { resetDevice } from '../../src/upkeep/reset-device.ts';
import type { DoctorReport } from '../../src/upkeep/doctor/doctor.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const signal = new AbortController().signal;

/** Changes the catalog behind the server's back. */
function tamper(store: TimelineStore, sql: string, ...values: SQLInputValue[]): void {
  using database = new DatabaseSync(join(store.directory, 'catalog.db'));
  database.exec('PRAGMA busy_timeout = 5000');
  const { changes } = database.prepare(sql).run(...values);
  assert.notEqual(changes, 0, 'the fault was not planted');
}

function checksOf(report: DoctorReport): readonly string[] {
  return [...new Set(report.findings.map(({ check }) => check))].sort();
}

describe('the doctor', () => {
  /** A store with a stream of six segments in two epochs, and a late one. */
  async function open(): Promise<{ store: TimelineStore; streamId: string; ids: readonly string[] }> {
    const store = await TimelineStore.open({ ZOETROPE_EVENT_RETENTION_HOURS: '1' });
    const { id: streamId } = await store.stream('yard');
    await store.fill(streamId, 900_000, 3);
    await store.fill(streamId, 300_000, 3);
    await store.append(streamId, { startMs: store.nowMs - 500_000, frames: 2, late: true });
    return { store, streamId, ids: await store.segmentIds(streamId) };
  }

  it('finds nothing where nothing is wrong', async () => {
    const { store } = await open();
    await using _ = store;
    const report = await store.upkeep.doctor.examine({ signal, deep: true });
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.clean, report.streams, report.segments, report.epochs], [true, 1, 7, 3]);
  });

  it('finds a missing object, marks it as lost, and finds it again when it is back', async () => {
    const { store, streamId, ids } = await open();
    await using _ = store;
    const { catalog, objects } = store.stores;
    const segment = await catalog.getSegment(ids[1] ?? '');
    const bytes = await objects.get(segment.objectKey);
    await objects.delete([segment.objectKey]);
    const found = await store.upkeep.doctor.examine({ signal });
    assert.deepEqual(checksOf(found), ['objects']);
    assert.match(found.findings[0]?.message ?? '', /is not there/);
    assert.equal(found.clean, false);
    const repaired = await store.upkeep.doctor.examine({ signal, repair: true });
    assert.deepEqual([repaired.clean, repaired.findings[0]?.repaired], [true, true]);
    assert.equal((await catalog.getSegment(segment.id)).lost, true);
    const known = await store.upkeep.doctor.examine({ signal });
    assert.deepEqual([known.findings.length, known.lost], [0, 1]);
    const window = await catalog.dvrWindow(streamId);
    assert.equal(window.segments.filter(({ lost }) => lost).length, 1);

    await objects.put(segment.objectKey, bytes);
    assert.match((await store.upkeep.doctor.examine({ signal })).findings[0]?.message ?? '', /marked as lost, but/);
    await store.upkeep.doctor.examine({ signal, repair: true });
    assert.equal((await catalog.getSegment(segment.id)).lost, false);
    assert.equal((await store.upkeep.doctor.examine({ signal, deep: true })).clean, true);
  });

  it('finds a truncated object by its size, and changed bytes when it looks deep', async () => {
    const { store, ids } = await open();
    await using _ = store;
    const { catalog, objects } = store.stores;
    const [first, second] = await Promise.all([catalog.getSegment(ids[0] ?? ''), catalog.getSegment(ids[1] ?? '')]);
    const bytes = await objects.get(first.objectKey);
    await objects.put(first.objectKey, bytes.subarray(0, 100));
    const flipped = Uint8Array.from(await objects.get(second.objectKey));
    flipped[flipped.length - 1] = 255;
    await objects.put(second.objectKey, flipped);
    assert.equal((await store.upkeep.doctor.examine({ signal })).findings.length, 1);
    const deep = await store.upkeep.doctor.examine({ signal, deep: true });
    assert.equal(deep.findings.length, 2);
    assert.match(deep.findings.map(({ message }) => message).join('\n'), /100 bytes[\s\S]*SHA-256/);
    await store.upkeep.doctor.examine({ signal, deep: true, repair: true });
    assert.equal((await store.upkeep.doctor.examine({ signal, deep: true })).clean, true);
  });

  it('finds orphan objects that are old enough, and deletes them', async () => {
    const { store } = await open();
    await using _ = store;
    await store.stores.objects.put('media/str_gone/seg_1.m4s', new Uint8Array(3));
    assert.equal((await store.upkeep.doctor.examine({ signal })).clean, true, 'it may still get its row');
    await store.clock.advance(3_700_000);
    const report = await store.upkeep.doctor.examine({ signal, repair: true });
    assert.deepEqual(checksOf(report), ['orphans']);
    assert.equal(report.clean, true);
    assert.equal((await store.objectKeys('media/str_gone/')).length, 0);
    assert.equal((await store.upkeep.doctor.examine({ signal, deep: true })).clean, true);
  });

  it('sweeps orphans daily, frames only when no event waits', async () => {
    const { store, streamId } = await open();
    await using _ = store;
    await store.stores.objects.put('media/str_gone/seg_1.m4s', new Uint8Array(3));
    await store.stores.objects.put(`frames/${streamId}/f1.jpg`, new Uint8Array(3));
    await store.clock.advance(2.1 * 3_600_000);
    const dry = await store.upkeep.orphanSweep.runOnce({ signal, dryRun: true });
    assert.deepEqual([dry.objects, dry.bytes], [2, 6]);
    await store.upkeep.orphanSweep.runOnce({ signal });
    assert.equal((await store.objectKeys('frames/')).length, 0);
    assert.equal((await store.objectKeys()).length, 7);
  });

  const faults: readonly (readonly [
    string,
    string,
    (ids: readonly string[]) => readonly [string, ...SQLInputValue[]],
  ])[] = [
    [
      'a hole in the sequence',
      'sequences',
      (ids) => ['UPDATE segment SET sequence = 9 WHERE id = ?', ids.at(-1) ?? ''],
    ],
    ['a next sequence number that was given already', 'sequences', () => ['UPDATE rendition SET next_sequence = 2']],
    [
      'a start that its anchor contradicts',
      'epochs',
      () => ['UPDATE epoch SET anchor_ms = anchor_ms + 5 WHERE ordinal = 1'],
    ],
    [
      'an epoch that does not exist',
      'epochs',
      (ids) => [`UPDATE segment SET epoch_id = 'epo_none' WHERE id = ?`, ids[0] ?? ''],
    ],
    [
      'a missing discontinuity',
      'discontinuities',
      () => ['UPDATE segment SET discontinuity = 0, dvr_discontinuity = 0'],
    ],
    [
      'a segment in the future',
      'times',
      (ids) => ['UPDATE segment SET start_ms = start_ms + 9e9 WHERE id = ?', ids.at(-1) ?? ''],
    ],
    ['a wrong size', 'objects', (ids) => ['UPDATE segment SET size_bytes = 7 WHERE id = ?', ids[0] ?? '']],
    [
      'a wrong duration',
      'media',
      (ids) => ['UPDATE segment SET duration_90k = duration_90k - 9 WHERE id = ?', ids[0] ?? ''],
    ],
    ['a damaged init segment', 'epochs', () => [`UPDATE epoch SET init = x'00' WHERE ordinal = 0`]],
    [
      'a session that ends before it starts',
      'sessions',
      () => ['UPDATE session SET end_ms = start_ms - 1 WHERE closed_at_ms IS NULL'],
    ],
  ];
  for (const [fault, check, plant] of faults) {
    it(`finds ${fault}`, async () => {
      const { store, ids } = await open();
      await using _ = store;
      const [sql, ...values] = plant(ids);
      tamper(store, sql, ...values);
      const report = await store.upkeep.doctor.examine({ signal, deep: true });
      assert.ok(checksOf(report).includes(check), JSON.stringify(report.findings, null, 1));
      assert.equal(report.clean, false);
    });
  }
});

describe('reset-device', () => {
  const request = {
    clientId: 'acme',
    deviceId: 'yard',
    dryRun: false,
    skipCatalog: false,
    skipStorage: false,
    force: false,
    signal,
  };

  it('says what would go, then deletes everything of the device and nothing else', async () => {
    await using store = await TimelineStore.open();
    const [yard, gate] = [await store.stream('yard'), await store.stream('gate')];
    await store.fill(yard.id, 300_000, 3);
    await store.fill(gate.id, 300_000, 3);
    await store.stores.objects.put(`frames/${yard.id}/f1.jpg`, new Uint8Array(3));
    const dry = await resetDevice({ ...request, dryRun: true }, store.stores);
    assert.deepEqual([dry.segments, dry.objects, dry.catalog], [3, 4, 'removed']);
    assert.equal((await store.segmentIds(yard.id)).length, 3);
    const real = await resetDevice(request, store.stores);
    assert.deepEqual({ ...real, dryRun: true }, dry);
    assert.equal(await store.stores.catalog.findDeviceStream('acme', 'yard'), null);
    assert.equal((await store.objectKeys()).length, 3);
    assert.equal((await store.segmentIds(gate.id)).length, 3);
    assert.equal((await store.upkeep.doctor.examine({ signal, deep: true })).clean, true);
    await assert.rejects(resetDevice(request, store.stores), { code: 'not_found' });
  });

  it('keeps the rows with --skip-catalog, as honest gaps', async () => {
    await using store = await TimelineStore.open();
    const { id } = await store.stream('yard');
    await store.fill(id, 300_000, 3);
    const report = await resetDevice({ ...request, skipCatalog: true }, store.stores);
    assert.deepEqual([report.catalog, report.objects], ['marked lost', 3]);
    const window = await store.stores.catalog.dvrWindow(id);
    assert.deepEqual(
      window.segments.map(({ lost }) => lost),
      [true, true, true],
    );
    assert.equal((await store.upkeep.doctor.examine({ signal, deep: true })).clean, true);
  });

  it('keeps the objects with --skip-storage, until the sweep of orphans takes them', async () => {
    await using store = await TimelineStore.open();
    const { id } = await store.stream('yard');
    await store.fill(id, 300_000, 3);
    await resetDevice({ ...request, skipStorage: true }, store.stores);
    assert.equal((await store.objectKeys()).length, 3);
    await store.clock.advance(3_700_000);
    assert.equal((await store.upkeep.orphanSweep.runOnce({ signal })).objects, 3);
    assert.deepEqual(await store.objectKeys(), []);
  });
});
