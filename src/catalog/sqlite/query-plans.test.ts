import assert from 'node:assert/strict';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { type CompiledQuery, Kysely } from 'kysely';
import { FakeClock } from '../../base/fake-clock.ts';
import { randomIds } from '../../base/ids.ts';
import { isUniqueViolation } from '../../base/sqlite/database.ts';
import { wallMs } from '../../base/time.ts';
import { migrate } from '../migrations/migrate.ts';
import { sqlAssetStore } from '../sql/asset-store.ts';
import type { SqlBackend } from '../sql/backend.ts';
import { countInHolds, forgetExtents } from '../sql/hold-extent.ts';
import { sqlEdgeStore } from '../sql/edge-store.ts';
import { sqlHoldStore } from '../sql/hold-store.ts';
import { sqlRecordingStore } from '../sql/recording-store.ts';
import type { CatalogSchema } from '../sql/schema.ts';
import { sqlStreamStore } from '../sql/stream-store.ts';
import { sqlTaskStore } from '../sql/task-store.ts';
import { sqlUpkeepStore } from '../sql/upkeep-store.ts';
import { sqlWebhookStore } from '../sql/webhook-store.ts';
import { nodeSqliteDialect } from './sqlite-dialect.ts';

const REQUEST = {
  video: null,
  audioBitrateKbps: null,
  captions: false,
  thumbnails: [],
  poster: false,
  storyboard: false,
  download: false,
  watermark: null,
  encryption: 'none',
  webhookUrl: null,
} as const;

/** A database of which each query's plan can be asked. */
async function world(t: TestContext) {
  const database = new DatabaseSync(':memory:');
  t.after(() => database.close());
  const queries: CompiledQuery[] = [];
  const db = new Kysely<CatalogSchema>({
    dialect: nodeSqliteDialect(database),
    log: ({ query }) => void queries.push(query),
  });
  await migrate(db, { bytes: 'blob' }, 0);
  const backend: SqlBackend = {
    clock: new FakeClock(),
    ids: randomIds,
    reader: () => db,
    snapshot: (work) => work(db),
    write: (work) => work({ db, changed: () => 1, removed: () => undefined }),
    claiming: (query) => query,
    isUniqueViolation,
  };
  await sqlAssetStore(backend).createAsset(
    {
      id: 'ast_1',
      tenant: 't',
      name: 'n',
      referenceId: null,
      source: { kind: 'object', key: 'k' },
      request: REQUEST,
      priority: 0,
    },
    [0, 1].map((ordinal) => ({
      id: `tsk_${ordinal}`,
      kind: 'video',
      rank: 0,
      ordinal,
      outputIds: [],
      weight: 1,
      input: null,
      maxAttempts: 1,
    })),
    [],
  );
  const plansOf = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    queries.length = 0;
    await work();
    return queries.flatMap(({ sql, parameters }) =>
      database
        .prepare(`explain query plan ${sql}`)
        .all(...(parameters as SQLInputValue[]))
        .map(({ detail }) => String(detail)),
    );
  };
  return { backend, plansOf };
}

/** Asserts that whatever is looked at is found by an index: nothing is read or sorted as a whole. */
function assertSearched(plans: readonly string[]): void {
  assert.ok(plans.length > 0);
  const slow = plans.filter((plan) => /^SCAN |TEMP B-TREE/.test(plan));
  assert.deepEqual(slow, []);
}

describe('query plans', () => {
  it('a task is claimed, renewed, ended and taken back without looking at other tasks', async (t) => {
    const { backend, plansOf } = await world(t);
    const tasks = sqlTaskStore(backend);
    const lease = { taskId: 'tsk_0', attempt: 1 };
    assertSearched(await plansOf(() => tasks.claimTask({ workerId: 'w', leaseMs: 1 })));
    assertSearched(await plansOf(() => tasks.renewTask(lease, { leaseMs: 1, progress: 0.5 })));
    const usage = { cpuMs: 1, peakMemoryBytes: 1, wallMs: 1 };
    assertSearched(await plansOf(() => tasks.finishTask(lease, { kind: 'done', result: null, usage, shares: null })));
    await tasks.claimTask({ workerId: 'w', leaseMs: 0 });
    assertSearched(await plansOf(() => tasks.expireTasks()));
  });

  it('assets that are to be settled, a job and a page of the list are found by an index', async (t) => {
    const { backend, plansOf } = await world(t);
    const assets = sqlAssetStore(backend);
    assertSearched(await plansOf(() => assets.assetJob('ast_1')));
    const [, ofTasks] = await plansOf(() => assets.jobToSettle('ast_1'));
    assert.equal(ofTasks, 'SEARCH task USING INDEX task_to_settle (owner_id=? AND round=?)');
    // These two walk an index of exactly what they list.
    for (const work of [() => assets.unsettledAssets(9), () => assets.listAssets({}, { limit: 9 })]) {
      const plans = await plansOf(work);
      assert.deepEqual(
        plans.filter((plan) => !/^SCAN asset USING (COVERING )?INDEX asset_(unsettled|by_making)$/.test(plan)),
        [],
      );
    }
    assertSearched(await plansOf(() => assets.listAssets({ tenant: 't' }, { limit: 9 })));
    assertSearched(await plansOf(() => assets.listAssets({ referenceId: 'r' }, { limit: 9 })));
  });

  it('deliveries that are due and segments for the ceilings are found by an index of nothing else', async (t) => {
    const { backend, plansOf } = await world(t);
    assertSearched(await plansOf(() => sqlWebhookStore(backend).claimDeliveries({ limit: 9, leaseMs: 1 })));
    const [plan] = await plansOf(() => sqlUpkeepStore(backend).oldestSegments(9));
    assert.equal(plan, 'SCAN segment USING INDEX segment_oldest');
  });

  it('recordings are listed, counted and ended without looking at archives or other streams', async (t) => {
    const { backend, plansOf } = await world(t);
    const holds = sqlHoldStore(backend);
    const recordings = sqlRecordingStore(backend);
    const listed = [
      { kind: 'recording' },
      { kind: 'recording', streamId: 's' },
      { kind: 'recording', tenant: 't' },
    ] as const;
    for (const filter of listed) assertSearched(await plansOf(() => holds.listHolds(filter, { limit: 9 })));
    const row = {
      start_ms: 0,
      end_ms: 1,
      is_late: 0,
      sequence: 0,
      frame_count: 1,
      size_bytes: 1,
      discontinuity: 0,
    };
    for (const work of [
      () => countInHolds(backend.reader(), 's', row, undefined),
      () => forgetExtents(backend.reader(), 's', { startMs: 0, endMs: 1 }),
    ]) {
      assert.deepEqual(
        new Set(await plansOf(work)),
        new Set(['SEARCH hold USING INDEX hold_measured (stream_id=? AND <expr>>?)']),
      );
    }
    assertSearched(await plansOf(() => recordings.stopDueRecordings()));
    const stream = { id: 'str_1', tenant: 't', kind: 'frames', name: 'n', deviceId: null, settings: {} } as const;
    await sqlStreamStore(backend).createStream(stream);
    const recording = { id: 'rec_1', streamId: 'str_1', name: 'n', metadata: {}, fromMs: wallMs(0), toMs: null };
    const start = async (): Promise<unknown> =>
      recordings.startRecording({ ...recording, isPast: true }).catch(() => null);
    const plans = await plansOf(start);
    assertSearched(plans);
    assert.ok(plans.includes('SEARCH segment USING INDEX segment_by_wall (rendition_id=?)'), plans.join('\n'));
  });

  it('what is wanted of an edge is found by what is remote and asked for, not by all that there is', async (t) => {
    const { backend, plansOf } = await world(t);
    const edges = sqlEdgeStore(backend);
    const { edge } = await edges.registerEdge({ id: 'edg_0123456789', tenant: 't', name: 'n', version: '1' });
    const by = { edgeId: edge.id, session: edge.session };
    const streamId = 'str_0123456789';
    await edges.putEdgeStream(by, { streamId, kind: 'push', name: 'n', endedAtMs: null });
    const hold = {
      id: 'rec_0123456789',
      streamId,
      kind: 'recording',
      name: 'n',
      sessionId: null,
      expiresAtMs: null,
    } as const;
    await sqlHoldStore(backend).createHold({ ...hold, fromMs: wallMs(0), toMs: wallMs(1) });
    await backend.write(({ db }) => db.updateTable('rendition').set({ remote_bytes: 1 }).execute());
    const plans = await plansOf(() => edges.demandOn(edge.id, { idleAfterMs: 1, askedForMs: 1, limit: 9 }));
    assert.deepEqual(
      plans.filter((plan) => plan.startsWith('SCAN ')),
      [],
    );
    assert.ok(
      plans.some((plan) => /^SEARCH segment USING (COVERING )?INDEX segment_remote /.test(plan)),
      plans.join('\n'),
    );
    assertSearched(await plansOf(() => edges.remoteOfHold({ streamId, fromMs: wallMs(0), toMs: null })));
    assertSearched(await plansOf(() => edges.wantSegment('seg_0123456789')));
    assertSearched(await plansOf(() => edges.noteArrived('seg_0123456789')));
  });
});
