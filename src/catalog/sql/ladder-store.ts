import type { LadderReport } from '../../timeline/ladder.ts';
import type { LadderLease, LadderStore } from '../ladder-store.ts';
import { appendRungs } from './append-rungs.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import type { LadderTable } from './ladder-schema.ts';
import type { Row } from './rows.ts';

/** Makes the {@link LadderStore} of a SQL database. */
export function sqlLadderStore(backend: SqlBackend): LadderStore {
  return {
    async claimLadders({ owner, leaseMs, limit }) {
      // Most processes find nothing most of the time, and need not write that.
      if (!(await hasWork(backend, owner, limit))) return [];
      return backend.write(async (scope) => {
        await renew(backend, scope, owner, leaseMs);
        await takeFree(backend, scope, { owner, leaseMs, limit });
        const rows = await scope.db
          .selectFrom('ladder')
          .selectAll()
          .where('wanted', '=', 1)
          .where('owner', '=', owner)
          .orderBy('stream_id')
          .execute();
        return rows.map(toLease);
      });
    },

    releaseLadders: (owner) =>
      backend.write(async ({ db }) => {
        await db.updateTable('ladder').set({ owner: null, until_ms: 0 }).where('owner', '=', owner).execute();
      }),

    appendRungs: (segments) => backend.write((scope) => appendRungs(backend, scope, segments)),

    noteLadder: (streamId, fence, report) =>
      backend.write(async ({ db }) => {
        await db
          .updateTable('ladder')
          .set({ report: JSON.stringify(report) })
          .where('stream_id', '=', streamId)
          .where('fence', '=', fence)
          .execute();
      }),

    async getLadder(streamId) {
      const row = await backend
        .reader()
        .selectFrom('ladder')
        .select('report')
        .where('stream_id', '=', streamId)
        .executeTakeFirst();
      return row === undefined ? null : toReport(row);
    },
  };
}

async function hasWork(backend: SqlBackend, owner: string, limit: number): Promise<boolean> {
  const row = await backend
    .reader()
    .selectFrom('ladder')
    .select('stream_id')
    .where('wanted', '=', 1)
    .where((eb) =>
      eb.or([
        eb('owner', '=', owner),
        ...(limit > 0 ? [eb('owner', 'is', null), eb('until_ms', '<=', backend.clock.nowMs())] : []),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

async function renew(backend: SqlBackend, { db }: WriteScope, owner: string, leaseMs: number): Promise<void> {
  await db
    .updateTable('ladder')
    .set({ until_ms: backend.clock.nowMs() + leaseMs })
    .where('owner', '=', owner)
    .execute();
}

async function takeFree(
  backend: SqlBackend,
  { db }: WriteScope,
  { owner, leaseMs, limit }: { readonly owner: string; readonly leaseMs: number; readonly limit: number },
): Promise<void> {
  if (limit <= 0) return;
  const nowMs = backend.clock.nowMs();
  const free = await backend
    .claiming(
      db
        .selectFrom('ladder')
        .select('stream_id')
        .where('wanted', '=', 1)
        .where((eb) => eb.or([eb('owner', 'is', null), eb('until_ms', '<=', nowMs)]))
        .orderBy('until_ms')
        .orderBy('stream_id')
        .limit(limit),
      'ladder',
    )
    .execute();
  for (const { stream_id } of free) {
    await db
      .updateTable('ladder')
      .set((eb) => ({ owner, fence: eb('fence', '+', 1), until_ms: nowMs + leaseMs }))
      .where('stream_id', '=', stream_id)
      .execute();
  }
}

function toLease(row: Row<LadderTable>): LadderLease {
  return { streamId: row.stream_id, fence: row.fence, report: toReport(row) };
}

function toReport({ report }: Pick<LadderTable, 'report'>): LadderReport | null {
  return report === null ? null : (JSON.parse(report) as LadderReport);
}
