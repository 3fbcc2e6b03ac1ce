import type { StreamSettings } from '../../timeline/stream.ts';
import type { WriteScope } from './backend.ts';
import type { LadderTable } from './ladder-schema.ts';
import type { Row } from './rows.ts';

/** Notes whether a stream's settings ask for a ladder. One that is wanted no more has no owner, and what its last one still appends is refused. */
export async function wantLadder(
  { db }: WriteScope,
  streamId: string,
  settings: Partial<StreamSettings>,
): Promise<void> {
  const wanted = Number((settings.ladder ?? null) !== null);
  const known = await db.selectFrom('ladder').select('wanted').where('stream_id', '=', streamId).executeTakeFirst();
  if ((known?.wanted ?? 0) === wanted) return;
  if (known === undefined) {
    const row: Row<LadderTable> = { stream_id: streamId, wanted, fence: 0, owner: null, until_ms: 0, report: null };
    await db.insertInto('ladder').values(row).execute();
    return;
  }
  await db.updateTable('ladder').set({ wanted, owner: null, until_ms: 0 }).where('stream_id', '=', streamId).execute();
}
