import { ZoetropeError } from '../../base/errors.ts';
import type { WallMs } from '../../base/time.ts';
import { MAIN_RENDITION, type Rendition } from '../../timeline/rendition.ts';
import type { TimelineStore, Window } from '../catalog.ts';
import { allRenditions, findEpoch, findRendition, openSession } from './append-queries.ts';
import { appendSegment } from './append-segment.ts';
import type { SqlBackend } from './backend.ts';
import { clipKeysOf } from './clip-store.ts';
import { coverageOf } from './coverage.ts';
import { decodeFrameTimes } from './frame-times.ts';
import { found, type Row, toEpoch, toRendition, toSegment, toSession } from './rows.ts';
import type { CatalogDb, RenditionTable, SegmentTable } from './schema.ts';
import { makeRendition } from './stream-rows.ts';
import { getStream } from './stream-store.ts';
import {
  epochsOf,
  lateFrom,
  newestEver,
  newestOnTime,
  onTimeFrom,
  type RangeParams,
  shownBetween,
  wholeWindow,
} from './window-queries.ts';

/** Makes the {@link TimelineStore} of a SQL database. */
export function sqlTimelineStore(backend: SqlBackend): TimelineStore {
  return {
    claimRendition: (streamId, name, fence) =>
      backend.write(async (scope) => {
        const { db } = scope;
        const stream = await getStream(db, streamId);
        const [known] = await findRendition(db, { streamId, name });
        const rendition =
          known === undefined && stream.kind !== 'asset'
            ? await makeRendition(backend, scope, { streamId, name, ofAsset: false })
            : found(known, 'rendition', `${name} of stream ${streamId}`);
        if (fence < rendition.fence) {
          throw new ZoetropeError(
            'fenced',
            `Rendition ${name} of stream ${streamId} was claimed with fence ${rendition.fence}; got ${fence}. Its owner is newer: stop.`,
          );
        }
        await db.updateTable('rendition').set({ fence }).where('id', '=', rendition.id).execute();
        const [last] = await newestEver(db, { renditionId: rendition.id });
        const [epoch] = last === undefined ? [] : await findEpoch(db, { id: last.epoch_id });
        const [session] = await openSession(db, { streamId });
        return {
          stream,
          rendition: toRendition(rendition),
          last:
            last === undefined || epoch === undefined
              ? null
              : { segment: toSegment(last, streamId), epoch: toEpoch(epoch) },
          openSession: session === undefined ? null : toSession(session),
        };
      }),

    appendSegment: (segment) => backend.write((scope) => appendSegment(backend, scope, segment)),

    getRendition: async (streamId, name) => toRendition(await renditionOf(backend.reader(), streamId, name)),

    async renditionsOf(streamId) {
      const rows = await allRenditions(backend.reader(), { streamId });
      found(rows[0], 'stream', streamId);
      return rows.map(toRendition).sort(mainFirst);
    },

    async getSegment(id) {
      const row = await backend
        .reader()
        .selectFrom('segment')
        .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
        .selectAll('segment')
        .select('rendition.stream_id')
        .where('segment.id', '=', id)
        .executeTakeFirst();
      const segment = found(row, 'segment', id);
      return toSegment(segment, segment.stream_id);
    },

    async getEpoch(id) {
      const [row] = await findEpoch(backend.reader(), { id });
      return toEpoch(found(row, 'epoch', id));
    },

    liveWindow: (streamId, count, name) =>
      windowOf(
        backend,
        streamId,
        async (db, { id }) => (await newestOnTime(db, { renditionId: id, count })).toReversed(),
        name,
      ),

    dvrWindow: (streamId, name) =>
      windowOf(backend, streamId, (db, { id }) => wholeWindow(db, { renditionId: id }), name),

    renditionWindow: (streamId, name, fromSequence) =>
      windowOf(backend, streamId, (db, { id }) => onTimeFrom(db, { renditionId: id, fromSequence }), name),

    lateSegments: (streamId, fromSequence, limit) =>
      windowOf(backend, streamId, (db, { id }) => lateFrom(db, { renditionId: id, fromSequence, limit })),

    segmentsBetween: (streamId, fromMs, toMs, limit, name) =>
      windowOf(
        backend,
        streamId,
        (db, rendition) => shownBetween(db, { ...rangeOf(rendition, fromMs, toMs), limit }),
        name,
      ),

    async knownFrameTimes(streamId, timesMs) {
      const rendition = await renditionOf(backend.reader(), streamId, MAIN_RENDITION);
      const known = new Set<WallMs>();
      const asked = timesMs.filter((time) => time < (rendition.newest_end_ms ?? Number.NEGATIVE_INFINITY));
      for (const { fromMs, toMs } of clusters(asked, rendition.max_span_ms)) {
        const rows = await backend
          .reader()
          .selectFrom('segment')
          .select('frame_times')
          .where('rendition_id', '=', rendition.id)
          .where('start_ms', '>', fromMs - rendition.max_span_ms)
          .where('start_ms', '<=', toMs)
          .execute();
        for (const row of rows) for (const time of decodeFrameTimes(row.frame_times)) known.add(time);
      }
      return new Set(asked.filter((time) => known.has(time)));
    },

    coverage: (streamId, fromMs, toMs, toleranceMs) =>
      backend.snapshot(async (db) => {
        const rendition = await renditionOf(db, streamId, MAIN_RENDITION);
        return coverageOf(db, rangeOf(rendition, fromMs, toMs), toleranceMs);
      }),

    async sessionsBetween(streamId, fromMs, toMs) {
      const rows = await backend
        .reader()
        .selectFrom('session')
        .selectAll()
        .where('stream_id', '=', streamId)
        .where('start_ms', '<', toMs)
        .where('end_ms', '>', fromMs)
        .orderBy('start_ms')
        .orderBy('id')
        .execute();
      return rows.map(toSession);
    },

    async objectKeysOf(streamId) {
      const rows = await backend
        .reader()
        .selectFrom('segment')
        .innerJoin('rendition', 'rendition.id', 'segment.rendition_id')
        .select('segment.object_key')
        .distinct()
        .where('rendition.stream_id', '=', streamId)
        .execute();
      return [...rows.map((row) => row.object_key), ...(await clipKeysOf(backend.reader(), streamId))];
    },
  };
}

async function windowOf(
  backend: SqlBackend,
  streamId: string,
  select: (db: CatalogDb, rendition: Row<RenditionTable>) => Promise<readonly Row<SegmentTable>[]>,
  name = MAIN_RENDITION,
): Promise<Window> {
  return backend.snapshot(async (db) => {
    const rendition = await renditionOf(db, streamId, name);
    const segments = await select(db, rendition);
    const epochs = await epochsOf(db, segments);
    return {
      rendition: toRendition(rendition),
      segments: segments.map((row) => toSegment(row, streamId)),
      epochs: epochs.map(toEpoch),
    };
  });
}

async function renditionOf(db: CatalogDb, streamId: string, name: string): Promise<Row<RenditionTable>> {
  const [row] = await findRendition(db, { streamId, name });
  return found(row, `rendition ${name} of stream`, streamId);
}

function rangeOf(rendition: Row<RenditionTable>, fromMs: number, toMs: number): RangeParams {
  return {
    streamId: rendition.stream_id,
    renditionId: rendition.id,
    sinceStartMs: fromMs - rendition.max_span_ms,
    fromMs,
    toMs,
  };
}

/** Times that lie close together, as ranges: one query each. */
function clusters(
  times: readonly WallMs[],
  reachMs: number,
): readonly { readonly fromMs: number; readonly toMs: number }[] {
  const ranges: { fromMs: number; toMs: number }[] = [];
  for (const time of times.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && time - last.toMs <= reachMs) last.toMs = time;
    else ranges.push({ fromMs: time, toMs: time });
  }
  return ranges;
}

function mainFirst(a: Rendition, b: Rendition): number {
  if ((a.name === MAIN_RENDITION) !== (b.name === MAIN_RENDITION)) return a.name === MAIN_RENDITION ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
