import type { Static } from 'typebox';
import { ZoetropeError } from '../../base/errors.ts';
import { TICKS_PER_MS, wallMs, type Pts90k, type WallMs } from '../../base/time.ts';
import type { TimelineStore } from '../../catalog/catalog.ts';
import { toMediaTime, toWallTime, type Epoch } from '../../timeline/epoch.ts';
import { segmentEndMs, type Segment } from '../../timeline/segment.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { timeJson } from './json.ts';
import type { ClockShape } from './shapes.ts';

/** A point of the timeline in wall time and in media time. */
export type ClockJson = Static<typeof ClockShape>;

type ClockStore = Pick<TimelineStore, 'segmentsBetween' | 'coverage' | 'liveWindow' | 'getEpoch' | 'getRendition'>;

/** Bound of rounding to a tick, in milliseconds. */
const TICK_ERROR_MS = Math.ceil((0.5 / TICKS_PER_MS) * 1000) / 1000;
/** More than the segments that can lie over one instant: on time and late ones. */
const MAX_OVERLAP = 100;

/** Maps wall time to the media time of the epoch that is shown then; in a gap, of the epoch before it. @throws not_found on an empty timeline. */
export async function clockAt(
  catalog: ClockStore,
  stream: Stream,
  atMs: WallMs,
  defaults: StreamSettings,
): Promise<ClockJson> {
  const { segments, epochs } = await catalog.segmentsBetween(stream.id, atMs, wallMs(atMs + 1), MAX_OVERLAP);
  const segment = shownAt(segments, atMs);
  const epoch =
    segment === null
      ? await nearestEpoch(catalog, stream, atMs, defaults)
      : epochs.find((candidate) => candidate.id === segment.epochId);
  if (epoch === undefined || epoch === null) throw empty(stream);
  return answer(atMs, toMediaTime(epoch, atMs), epoch, segment, effectiveSettings(stream, defaults));
}

/** Maps media time to wall time in an epoch of the stream; null: the newest. @throws not_found for another stream's epoch or an empty timeline. */
export async function clockAtPts(
  catalog: ClockStore,
  stream: Stream,
  request: { readonly at: Pts90k; readonly epochId: string | null },
  defaults: StreamSettings,
): Promise<ClockJson> {
  const epoch =
    request.epochId === null
      ? (await catalog.liveWindow(stream.id, 1)).epochs.at(-1)
      : await catalog.getEpoch(request.epochId);
  if (epoch === undefined) throw empty(stream);
  const rendition = await catalog.getRendition(stream.id, 'main');
  if (epoch.renditionId !== rendition.id) {
    throw new ZoetropeError('not_found', `The stream ${stream.id} has no epoch ${epoch.id}.`);
  }
  const atMs = toWallTime(epoch, request.at);
  const { segments } = await catalog.segmentsBetween(stream.id, atMs, wallMs(atMs + 1), MAX_OVERLAP);
  const own = segments.filter((segment) => segment.epochId === epoch.id);
  return answer(atMs, request.at, epoch, shownAt(own, atMs), effectiveSettings(stream, defaults));
}

function answer(atMs: WallMs, at: Pts90k, epoch: Epoch, segment: Segment | null, settings: StreamSettings): ClockJson {
  const frameMs = segment?.frameTimesMs.findLast((timeMs) => timeMs <= atMs) ?? null;
  const isExact = segment === null || segment.frameTimesMs.length > 0;
  return {
    at: timeJson(atMs),
    pts90k: at,
    epochId: epoch.id,
    anchorAt: timeJson(epoch.anchorMs),
    segmentId: segment?.id ?? null,
    sequence: segment?.placement === 'onTime' ? segment.sequence : null,
    frameAt: timeJson(frameMs),
    // Where capture times are not recorded (pushed media), the wall clock is known to a frame.
    errorMs: isExact ? TICK_ERROR_MS : settings.frameIntervalMs,
  };
}

/** Of the segments over an instant: an on-time one before a late one. */
function shownAt(segments: readonly Segment[], atMs: WallMs): Segment | null {
  const over = segments.filter((segment) => segment.startMs <= atMs && atMs < segmentEndMs(segment));
  return over.find((segment) => segment.placement === 'onTime') ?? over[0] ?? null;
}

async function nearestEpoch(
  catalog: ClockStore,
  stream: Stream,
  atMs: WallMs,
  defaults: StreamSettings,
): Promise<Epoch | null> {
  const { retentionMs } = effectiveSettings(stream, defaults);
  const stretches = await catalog.coverage(stream.id, wallMs(atMs - retentionMs), atMs, 0);
  const endMs = stretches.reduce((latest, stretch) => Math.max(latest, stretch.toMs), Number.NEGATIVE_INFINITY);
  const [fromMs, toMs] = Number.isFinite(endMs) ? [endMs - 1, endMs] : [atMs, Number.MAX_SAFE_INTEGER];
  const { segments, epochs } = await catalog.segmentsBetween(stream.id, wallMs(fromMs), wallMs(toMs), 1);
  return epochs.find((epoch) => epoch.id === segments[0]?.epochId) ?? null;
}

function empty(stream: Stream): ZoetropeError {
  return new ZoetropeError('not_found', `The timeline of ${stream.id} is empty: there is no media time yet.`);
}
