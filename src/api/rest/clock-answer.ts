import type { Static } from 'typebox';
import { ZoetropeError } from '../../base/errors.ts';
import { pts90k, TICKS_PER_MS, wallMs, type Pts90k, type WallMs } from '../../base/time.ts';
import type { TimelineStore } from '../../catalog/catalog.ts';
import { toMediaTime, toWallTime, type Epoch } from '../../timeline/epoch.ts';
import { segmentEndMs, type Segment } from '../../timeline/segment.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { timeJson } from './json.ts';
import type { ClockShape } from './shapes.ts';

/** A point of the timeline in wall time and in media time. */
export type ClockJson = Static<typeof ClockShape>;

type ClockStore = Pick<TimelineStore, 'segmentsBetween' | 'coverage' | 'liveWindow' | 'getEpoch' | 'renditionsOf'>;

/** Bound of rounding to a tick, in milliseconds. */
const TICK_ERROR_MS = Math.ceil((0.5 / TICKS_PER_MS) * 1000) / 1000;
/** More than the segments that can lie over one instant: on time and late ones. */
const MAX_OVERLAP = 100;
/** What a pushed stream is taken for whose frame rate is not known. */
const SLOW_FRAMES_PER_S = 10;

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
  return answer(atMs, mediaTimeAt(atMs, epoch, segment), epoch, segment, stream);
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
  const rendition = (await catalog.renditionsOf(stream.id)).find(({ id }) => id === epoch.renditionId);
  if (rendition === undefined) {
    throw new ZoetropeError('not_found', `The stream ${stream.id} has no epoch ${epoch.id}.`);
  }
  const nearMs = toWallTime(epoch, request.at);
  const slackMs = effectiveSettings(stream, defaults).clockToleranceMs;
  const { segments } = await catalog.segmentsBetween(
    stream.id,
    wallMs(nearMs - slackMs),
    wallMs(nearMs + slackMs + 1),
    MAX_OVERLAP,
    rendition.name,
  );
  const segment = segments.find(
    ({ epochId, mediaStart90k, duration90k }) =>
      epochId === epoch.id && mediaStart90k <= request.at && request.at < mediaStart90k + duration90k,
  );
  const atMs =
    segment === undefined ? nearMs : wallMs(segment.startMs + (request.at - segment.mediaStart90k) / TICKS_PER_MS);
  return answer(atMs, request.at, epoch, segment ?? null, stream);
}

/** Within a segment its own place counts: its source's wall clock may be some way from its media clock. */
function mediaTimeAt(atMs: WallMs, epoch: Epoch, segment: Segment | null): Pts90k {
  if (segment === null) return toMediaTime(epoch, atMs);
  return pts90k(segment.mediaStart90k + Math.round((atMs - segment.startMs) * TICKS_PER_MS));
}

function answer(atMs: WallMs, at: Pts90k, epoch: Epoch, segment: Segment | null, stream: Stream): ClockJson {
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
    errorMs: isExact ? TICK_ERROR_MS : Math.ceil(1000 / (stream.source?.frameRate ?? SLOW_FRAMES_PER_S)),
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
