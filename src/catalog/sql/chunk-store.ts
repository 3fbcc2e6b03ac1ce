import { ZoetropeError } from '../../base/errors.ts';
import { formatRfc3339, wallMs } from '../../base/time.ts';
import type { ChunkRejection, ChunkRun } from '../../timeline/chunk.ts';
import { MAX_CHUNK_RUNS, type ChunkStore } from '../chunk-store.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import type { ChunkRejectionTable, ChunkRunTable } from './chunk-schema.ts';
import { prepare } from './prepared.ts';
import { publishEvents } from './publish-events.ts';
import type { Row } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { getStream } from './stream-store.ts';

interface ChunkKey {
  readonly streamId: string;
  readonly index: number;
}

const runAtOrBefore = prepare<ChunkKey, Row<ChunkRunTable>>((db, param) =>
  db
    .selectFrom('chunk_run')
    .selectAll()
    .where('stream_id', '=', param('streamId'))
    .where('first_index', '<=', param('index'))
    .orderBy('first_index', 'desc')
    .limit(1),
);

const runFrom = prepare<ChunkKey, Row<ChunkRunTable>>((db, param) =>
  db
    .selectFrom('chunk_run')
    .selectAll()
    .where('stream_id', '=', param('streamId'))
    .where('first_index', '=', param('index')),
);

const extendRun = prepare<ChunkKey & { lastIndex: number }>((db, param) =>
  db
    .updateTable('chunk_run')
    .set({ last_index: param('lastIndex') })
    .where('stream_id', '=', param('streamId'))
    .where('first_index', '=', param('index')),
);

const removeRun = prepare<ChunkKey>((db, param) =>
  db.deleteFrom('chunk_run').where('stream_id', '=', param('streamId')).where('first_index', '=', param('index')),
);

const forgetRejection = prepare<ChunkKey>((db, param) =>
  db.deleteFrom('chunk_rejection').where('stream_id', '=', param('streamId')).where('chunk_index', '=', param('index')),
);

/** Makes the {@link ChunkStore} of a SQL database. */
export function sqlChunkStore(backend: SqlBackend): ChunkStore {
  return {
    async takenChunks(streamId) {
      return (await oldestRuns(backend.reader(), streamId, null)).map(toRun);
    },

    rejectChunk: (rejection) =>
      backend.write(async (scope) => {
        const { tenant, deviceId, name } = await getStream(scope.db, rejection.streamId);
        const atMs = backend.clock.nowMs();
        if (!(await noteRejection(scope.db, { ...rejection, atMs }))) return false;
        const { streamId, chunkIndex, objectKey, code, message } = rejection;
        const at = formatRfc3339(atMs);
        const data = { streamId, deviceId, name, chunkIndex, objectKey, code, message, at };
        await publishEvents(backend, scope, [{ type: 'chunk.rejected', tenant, subjectId: streamId, data }]);
        return true;
      }),

    async rejectedChunks(streamId, fromIndex, limit) {
      const rows = await backend
        .reader()
        .selectFrom('chunk_rejection')
        .selectAll()
        .where('stream_id', '=', streamId)
        .where('chunk_index', '>=', fromIndex)
        .orderBy('chunk_index')
        .limit(limit)
        .execute();
      return rows.map(toRejection);
    },
  };
}

/** Takes an index for a segment, within the transaction that appends it. @throws conflict: it is taken */
export async function takeChunk({ db }: WriteScope, streamId: string, index: number): Promise<void> {
  const [before] = await runAtOrBefore(db, { streamId, index });
  if (before !== undefined && before.last_index >= index) {
    throw new ZoetropeError('conflict', `Chunk ${index} of stream ${streamId} is on the timeline already.`);
  }
  const [after] = await runFrom(db, { streamId, index: index + 1 });
  const lastIndex = after?.last_index ?? index;
  if (after !== undefined) await removeRun(db, { streamId, index: after.first_index });
  if (before?.last_index === index - 1) {
    await extendRun(db, { streamId, index: before.first_index, lastIndex });
  } else {
    const row = { stream_id: streamId, first_index: index, last_index: lastIndex };
    await db.insertInto('chunk_run').values(row).execute();
    if (after === undefined) await boundRuns(db, streamId);
  }
  await forgetRejection(db, { streamId, index });
}

/** Closes the oldest hole where there are too many. */
async function boundRuns(db: CatalogDb, streamId: string): Promise<void> {
  const { count } = await db
    .selectFrom('chunk_run')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('stream_id', '=', streamId)
    .executeTakeFirstOrThrow();
  if (count <= MAX_CHUNK_RUNS) return;
  const [first, second] = await oldestRuns(db, streamId, 2);
  if (first === undefined || second === undefined) return;
  await removeRun(db, { streamId, index: second.first_index });
  await extendRun(db, { streamId, index: first.first_index, lastIndex: second.last_index });
}

async function oldestRuns(
  db: CatalogDb,
  streamId: string,
  limit: number | null,
): Promise<readonly Row<ChunkRunTable>[]> {
  const query = db.selectFrom('chunk_run').selectAll().where('stream_id', '=', streamId).orderBy('first_index');
  return limit === null ? query.execute() : query.limit(limit).execute();
}

/** False: the same was noted already. */
async function noteRejection(db: CatalogDb, rejection: ChunkRejection): Promise<boolean> {
  const { streamId, chunkIndex, objectKey, checksum, code, message, atMs } = rejection;
  const row = {
    stream_id: streamId,
    chunk_index: chunkIndex,
    object_key: objectKey,
    checksum,
    code,
    message,
    at_ms: atMs,
  };
  const known = await db
    .selectFrom('chunk_rejection')
    .select(['object_key', 'checksum', 'code'])
    .where('stream_id', '=', streamId)
    .where('chunk_index', '=', chunkIndex)
    .executeTakeFirst();
  if (known?.object_key === objectKey && known.checksum === checksum && known.code === code) return false;
  await forgetRejection(db, { streamId, index: chunkIndex });
  await db.insertInto('chunk_rejection').values(row).execute();
  const surplus = await db
    .selectFrom('chunk_rejection')
    .select('chunk_index')
    .where('stream_id', '=', streamId)
    .orderBy('at_ms', 'desc')
    .orderBy('chunk_index', 'desc')
    .offset(MAX_CHUNK_RUNS)
    .limit(1)
    .executeTakeFirst();
  if (surplus !== undefined) await forgetRejection(db, { streamId, index: surplus.chunk_index });
  return true;
}

function toRun({ first_index: firstIndex, last_index: lastIndex }: Row<ChunkRunTable>): ChunkRun {
  return { firstIndex, lastIndex };
}

function toRejection(row: Row<ChunkRejectionTable>): ChunkRejection {
  return {
    streamId: row.stream_id,
    chunkIndex: row.chunk_index,
    objectKey: row.object_key,
    checksum: row.checksum,
    code: row.code,
    message: row.message,
    atMs: wallMs(row.at_ms),
  };
}
