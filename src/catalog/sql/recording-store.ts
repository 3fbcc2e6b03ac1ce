import { ZoetropeError } from '../../base/errors.ts';
import { formatRfc3339, wallMs, type WallMs } from '../../base/time.ts';
import type { Hold } from '../../timeline/hold.ts';
import type { NewRecording, RecordingStore } from '../recording-store.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import { findRendition } from './append-queries.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { isCovered } from './hold-cover.ts';
import { emptyExtent, forgetExtent, measureHold, unknownExtent } from './hold-extent.ts';
import { checkRange, getHold, insertHold } from './hold-store.ts';
import { publishStarted, publishStopped } from './recording-events.ts';
import { toHold } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { getStream } from './stream-store.ts';

const DUE_AT_ONCE = 100;

/** Makes the {@link RecordingStore} of a SQL database. */
export function sqlRecordingStore(backend: SqlBackend): RecordingStore {
  return {
    startRecording: (recording) => backend.write((scope) => startRecording(backend, scope, recording)),

    stopRecording: (id, toMs) =>
      backend.write(async (scope) => {
        const hold = await getHold(scope.db, id);
        if (hold.stoppedAtMs !== null || hold.releasedAtMs !== null) return hold;
        return stop(backend, scope, hold, toMs);
      }),

    stopDueRecordings: () =>
      backend.write(async (scope) => {
        const due = await scope.db
          .selectFrom('hold')
          .selectAll()
          .where('kind', '=', 'recording')
          .where('stopped_at_ms', 'is', null)
          .where('to_ms', 'is not', null)
          .where('to_ms', '<=', backend.clock.nowMs())
          .orderBy('to_ms')
          .orderBy('id')
          .limit(DUE_AT_ONCE)
          .execute();
        for (const row of due) await end(backend, scope, toHold(row), 'until');
        return due.length;
      }),

    measureHold: (id) => measureHold(backend, id),
  };
}

async function startRecording(backend: SqlBackend, scope: WriteScope, recording: NewRecording): Promise<Hold> {
  const { isPast, ...range } = recording;
  await getStream(scope.db, recording.streamId);
  if (isPast) await checkReach(scope.db, recording);
  const extent = (await isAhead(scope.db, recording.streamId, recording.fromMs))
    ? emptyExtent(recording.fromMs)
    : unknownExtent();
  const hold = await insertHold(
    backend,
    scope,
    { ...range, kind: 'recording', sessionId: null, expiresAtMs: null },
    extent,
  );
  await publishStarted(backend, scope, hold);
  return hold;
}

/** @throws out_of_range when the timeline does not go back so far */
async function checkReach(db: CatalogDb, { streamId, fromMs }: NewRecording): Promise<void> {
  const [rendition] = await findRendition(db, { streamId, name: MAIN_RENDITION });
  const earliest = await db
    .selectFrom('segment')
    .select('segment.start_ms')
    .where('segment.rendition_id', '=', rendition?.id ?? '')
    .where((eb) =>
      eb.or([
        eb('segment.retired_at_ms', 'is', null),
        eb.and([
          eb('segment.retired_at_ms', '>=', 0),
          isCovered(eb, eb.val(streamId), (hold) => hold('hold.released_at_ms', 'is', null)),
        ]),
      ]),
    )
    .orderBy('segment.start_ms')
    .limit(1)
    .executeTakeFirst();
  if (earliest !== undefined && earliest.start_ms <= fromMs) return;
  const asked = formatRfc3339(fromMs);
  if (earliest === undefined) {
    throw new ZoetropeError(
      'out_of_range',
      `The timeline of ${streamId} is empty, so it cannot be recorded from ${asked}. Leave out from to record what comes.`,
      { details: { earliest: null } },
    );
  }
  const time = formatRfc3339(wallMs(Math.ceil(earliest.start_ms)));
  throw new ZoetropeError(
    'out_of_range',
    `The timeline of ${streamId} begins at ${time}: it cannot be recorded from ${asked}. The earliest possible from is ${time}.`,
    { details: { earliest: time } },
  );
}

/** Whether a time lies ahead of all that the timeline has. */
async function isAhead(db: CatalogDb, streamId: string, atMs: WallMs): Promise<boolean> {
  const [rendition] = await findRendition(db, { streamId, name: MAIN_RENDITION });
  return (rendition?.newest_end_ms ?? Number.NEGATIVE_INFINITY) <= atMs;
}

async function stop(backend: SqlBackend, scope: WriteScope, hold: Hold, toMs: WallMs): Promise<Hold> {
  const changed: Hold = { ...hold, toMs, extent: null };
  checkRange(changed);
  await scope.db.updateTable('hold').set({ to_ms: toMs }).where('id', '=', hold.id).execute();
  const isCut = hold.toMs === null || toMs < hold.toMs;
  // What was listed already may be playing: it is let go as a whole recording is, with the same grace.
  if (isCut && !(await isAhead(scope.db, hold.streamId, toMs))) await keepForGrace(backend, scope, hold, toMs);
  await forgetExtent(scope.db, hold.id);
  scope.changed(hold.streamId);
  return toMs <= backend.clock.nowMs() ? end(backend, scope, changed, 'call') : changed;
}

/** Covers what a recording lost by a hold that has been let go already. */
async function keepForGrace(backend: SqlBackend, scope: WriteScope, hold: Hold, fromMs: WallMs): Promise<void> {
  const rest = await insertHold(
    backend,
    scope,
    {
      id: backend.ids.next('hold'),
      streamId: hold.streamId,
      kind: 'recording',
      name: hold.name,
      fromMs,
      toMs: hold.toMs,
      sessionId: null,
      expiresAtMs: null,
    },
    unknownExtent(),
  );
  const nowMs = backend.clock.nowMs();
  await scope.db
    .updateTable('hold')
    .set({ released_at_ms: nowMs, stopped_at_ms: nowMs })
    .where('id', '=', rest.id)
    .execute();
}

async function end(backend: SqlBackend, scope: WriteScope, hold: Hold, endedBy: 'call' | 'until'): Promise<Hold> {
  const stoppedAtMs = backend.clock.nowMs();
  await scope.db.updateTable('hold').set({ stopped_at_ms: stoppedAtMs }).where('id', '=', hold.id).execute();
  scope.changed(hold.streamId);
  if (hold.releasedAtMs === null) await publishStopped(backend, scope, hold, endedBy);
  return { ...hold, stoppedAtMs };
}
