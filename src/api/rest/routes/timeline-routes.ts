import { Type } from 'typebox';
import { ZoetropeError } from '../../../base/errors.ts';
import { parseRfc3339, pts90k, wallMs, type WallMs } from '../../../base/time.ts';
import type { Page, PageRequest } from '../../../catalog/catalog.ts';
import { segmentEndMs } from '../../../timeline/segment.ts';
import { effectiveSettings, isOnline, type Stream } from '../../../timeline/stream.ts';
import { isId } from '../../../base/ids.ts';
import { clockAt, clockAtPts } from '../clock-answer.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { markerJson, timeJson } from '../json.ts';
import { IdParams, loadStream, notFound, timeOf, timeQuery } from '../lookup.ts';
import { ClockShape, TimelineShape, type TimelineJson } from '../shapes.ts';
import { gapsOf, toleranceOf } from '../timeline-answer.ts';

const DAY_MS = 86_400_000;
const MAX_RANGE_DAYS = 32;
const PAGE = 1000;
/** Markers and holds that one answer names; the lists of their own are paged and have no end. */
const MAX_NAMED = 5000;

/** What a timeline holds, and how its wall time maps to media time. */
export function addTimelineRoutes(app: RestApp, deps: ApiDeps): void {
  app.get(
    '/v1/streams/:id/timeline',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['timeline'],
        summary: 'What there is between two times',
        description:
          `Default: the retention window up to now. At most ${MAX_RANGE_DAYS} days, and the first ${MAX_NAMED} markers in it. ` +
          'Gaps are cut to the range; there is none before the first picture, nor at the live edge of a source that is sending.',
        params: IdParams,
        querystring: Type.Object(
          { from: timeQuery('Start.'), to: timeQuery('End, exclusive. Default: now.') },
          { additionalProperties: false },
        ),
        response: { 200: TimelineShape },
      },
    },
    async (request) => {
      const stream = await loadStream(deps.catalog, request, request.params.id);
      const { retentionMs } = effectiveSettings(stream, deps.defaults);
      const toMs = timeOf(request.query.to, 'query to') ?? deps.clock.nowMs();
      const fromMs =
        timeOf(request.query.from, 'query from') ?? wallMs(toMs - Math.min(retentionMs, MAX_RANGE_DAYS * DAY_MS));
      checkRange(fromMs, toMs);
      return timelineOf(stream, fromMs, toMs, deps);
    },
  );

  app.get(
    '/v1/streams/:id/clock',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['timeline'],
        summary: 'Wall time to media time, or back',
        description: 'Send `at`, or `pts90k` (and the epoch that it counts in; without `epochId`: the newest).',
        params: IdParams,
        querystring: Type.Object(
          {
            at: timeQuery('Wall time.'),
            pts90k: Type.Optional(
              Type.Integer({
                minimum: -1e14,
                maximum: 1e14,
                description: 'Media time: 1/90,000 s since the start of the epoch.',
              }),
            ),
            epochId: Type.Optional(Type.String({ description: 'As named in init URIs and in this answer.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: ClockShape },
      },
    },
    async (request) => {
      const { at, pts90k: ticks, epochId } = request.query;
      if ((at === undefined) === (ticks === undefined)) {
        throw new ZoetropeError('invalid_argument', 'Send either at=<RFC 3339> or pts90k=<integer>, one of the two.');
      }
      const stream = await loadStream(deps.catalog, request, request.params.id);
      if (ticks === undefined) {
        return clockAt(deps.catalog, stream, parseRfc3339(at ?? '', 'query at'), deps.defaults);
      }
      if (epochId !== undefined && !isId('epoch', epochId)) throw notFound('epoch', epochId);
      return clockAtPts(deps.catalog, stream, { at: pts90k(ticks), epochId: epochId ?? null }, deps.defaults);
    },
  );
}

async function timelineOf(stream: Stream, fromMs: WallMs, toMs: WallMs, deps: ApiDeps): Promise<TimelineJson> {
  const { catalog, clock, defaults } = deps;
  const settings = effectiveSettings(stream, defaults);
  const toleranceMs = toleranceOf(settings);
  const nowMs = clock.nowMs();
  const far = wallMs(Number.MAX_SAFE_INTEGER);
  const [wide, earlier, later, live, sessions, markers, holds] = await Promise.all([
    catalog.coverage(stream.id, wallMs(fromMs - toleranceMs), wallMs(toMs + toleranceMs), settings.gapToleranceMs),
    catalog.segmentsBetween(stream.id, wallMs(0), fromMs, 1),
    catalog.segmentsBetween(stream.id, toMs, far, 1),
    catalog.liveWindow(stream.id, 1),
    catalog.sessionsBetween(stream.id, fromMs, toMs),
    allPages((page) => catalog.listMarkers(stream.id, { fromMs, toMs }, page)),
    allPages((page) => catalog.listHolds({ streamId: stream.id, fromMs, toMs }, page)),
  ]);
  const edge = live.segments.at(-1);
  const isSending = isOnline(stream, settings.offlineAfterMs, nowMs);
  const gaps = gapsOf({
    fromMs,
    toMs,
    toleranceMs,
    stretches: wide,
    hasEarlier: earlier.segments.length > 0,
    hasLater: later.segments.length > 0,
    silentUntilMs: isSending ? null : wallMs(Math.min(nowMs, toMs)),
  });
  return {
    streamId: stream.id,
    from: timeJson(fromMs),
    to: timeJson(toMs),
    now: timeJson(nowMs),
    liveEdge: edge === undefined ? null : timeJson(segmentEndMs(edge)),
    stretches: wide
      .filter((stretch) => stretch.toMs > fromMs && stretch.fromMs < toMs)
      .map(({ fromMs: from, toMs: to, ...counts }) => ({ from: timeJson(from), to: timeJson(to), ...counts })),
    gaps: gaps.map((gap) => ({ from: timeJson(gap.fromMs), to: timeJson(gap.toMs) })),
    sessions: sessions.map((session) => ({
      id: session.id,
      from: timeJson(session.startMs),
      to: timeJson(session.endMs),
      open: session.closedAtMs === null,
      endedBy: session.endedBy,
    })),
    markers: markers.map(markerJson),
    holds: holds.map((hold) => ({
      id: hold.id,
      kind: hold.kind,
      name: hold.name,
      from: timeJson(hold.fromMs),
      to: timeJson(hold.toMs),
    })),
  };
}

async function allPages<T>(read: (page: PageRequest) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read({ limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && items.length < MAX_NAMED);
  return items;
}

function checkRange(fromMs: WallMs, toMs: WallMs): void {
  if (fromMs >= toMs) {
    throw new ZoetropeError(
      'invalid_argument',
      `from must lie before to. Got from ${timeJson(fromMs)} and to ${timeJson(toMs)}.`,
    );
  }
  if (toMs - fromMs > MAX_RANGE_DAYS * DAY_MS) {
    const days = Math.ceil((toMs - fromMs) / DAY_MS);
    throw new ZoetropeError('out_of_range', `At most ${MAX_RANGE_DAYS} days at once. Got ${days}: ask in parts.`);
  }
}
