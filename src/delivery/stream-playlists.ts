import { ZoetropeError } from '../base/errors.ts';
import { formatRfc3339, type WallMs } from '../base/time.ts';
import { renderMediaPlaylist, type PlaylistHead } from '../packager/hls/media-playlist.ts';
import { targetDuration, type SegmentRhythm } from '../packager/hls/target-duration.ts';
import type { Stream, StreamSettings } from '../timeline/stream.ts';
import { lengthOf, listedSegment, playlistSegment, type ListedSegment } from './dvr-window.ts';
import type { PlaylistText } from './kept-texts.ts';
import { dateRangesOf } from './newest-markers.ts';
import type { DvrState, StreamState } from './stream-view.ts';
import type { Variant } from './variant.ts';

/** How the segments of a stream are cut. */
export function rhythmOf(settings: StreamSettings): SegmentRhythm {
  return { framesPerSegment: settings.framesPerSegment, maxSegmentWaitS: settings.maxSegmentWaitMs / 1000 };
}

/** What a client is told that asks for media of a stream that has none yet: retryable. */
export function nothingYet(streamId: string): ZoetropeError {
  return new ZoetropeError(
    'not_found',
    `The stream ${streamId} has no segments yet. Send some, and ask again in a few seconds.`,
    { retryable: true },
  );
}

/** As {@link nothingYet}; of a stream that was ended, nothing is to come. */
export function nothingShown({ id, endedAtMs }: Stream): ZoetropeError {
  if (endedAtMs === null) return nothingYet(id);
  const message = `The stream ${id} ended at ${formatRfc3339(endedAtMs)}, and nothing of it is kept in its window.`;
  return new ZoetropeError('not_found', message);
}

/**
 * The last few on-time segments; of a stream that was ended with EXT-X-ENDLIST. Its first segment's own sequence number is the media sequence; the discontinuity sequence is that of its
 * epoch, less the tag that still stands before it.
 */
export function livePlaylist(state: StreamState, variant: Variant, leastTargetS: number): PlaylistText {
  const { live, settings, stream } = state;
  const first = live.segments[0];
  if (first === undefined) throw nothingShown(stream);
  const ordinal = live.epochs.get(first.epochId)?.ordinal ?? 0;
  const listed = live.segments.map((one) => ({
    ...listedSegment(one, live.epochs.get(one.epochId)),
    discontinuity: one.discontinuity,
  }));
  const targetDurationS = targetDuration(listed.map(lengthOf), rhythmOf(settings), variant.speed, leastTargetS);
  const head: PlaylistHead = {
    targetDurationS,
    mediaSequence: first.sequence,
    discontinuitySequence: Math.max(0, ordinal - (first.discontinuity ? 1 : 0)),
    type: null,
    canSkipUntilS: null,
    dateRanges: dateRangesOf(state.markers, first.startMs, Number.POSITIVE_INFINITY),
  };
  const segments = listed.map((one) => playlistSegment(one, variant));
  return { template: renderMediaPlaylist(head, segments, isOver(stream)), targetDurationS, isEnded: false };
}

/** Whether nothing more is to come, as far as anybody knows: a stream that was ended may go on, so this is not kept for longer than other playlists. */
function isOver({ endedAtMs }: Stream): boolean {
  return endedAtMs !== null;
}

/** The whole retained window; with `skip` as a delta update where one fits what clients hold. */
export function dvrPlaylist(state: DvrState, variant: Variant, skip: boolean, nowMs: WallMs): PlaylistText {
  const { dvr, settings, stream } = state;
  const first = dvr.at(0);
  if (first === undefined) throw nothingShown(stream);
  const { playlist, targetDurationS } = dvr.textOf(variant, rhythmOf(settings));
  const canSkipUntilS = 6 * targetDurationS;
  const head = {
    targetDurationS,
    mediaSequence: dvr.rendition.dvrMediaSequence,
    discontinuitySequence: dvr.rendition.dvrDiscontinuitySequence,
    type: null,
    canSkipUntilS,
    dateRanges: dateRangesOf(state.markers, first.startMs, Number.POSITIVE_INFINITY),
  };
  // A client may hold a playlist of half the skip boundary's age; one from before a renumbering cannot be brought up to date by a delta.
  const isSettled = nowMs - dvr.renumberedAtMs > canSkipUntilS * 1000;
  const delta = skip && isSettled ? playlist.delta(head, isOver(stream)) : null;
  return { template: delta ?? playlist.full(head, isOver(stream)), targetDurationS, isEnded: false };
}

/**
 * A range whose end the timeline has not reached: a part of the `dvr` window, numbered as there, so that its numbers stay true while the
 * window grows and shrinks.
 */
export function openRangePlaylist(
  state: DvrState,
  variant: Variant,
  fromMs: WallMs,
  toMs: WallMs | null,
): PlaylistText {
  const { dvr, settings, stream } = state;
  const place = dvr.placeAfter(fromMs);
  const listed = dvr.slice(place, dvr.length).filter((one) => toMs === null || one.startMs < toMs);
  const first = listed[0];
  if (first === undefined) throw nothingShown(stream);
  const tagsBefore = dvr.slice(0, place).filter((one) => one.discontinuity).length;
  const { targetDurationS } = dvr.textOf(variant, rhythmOf(settings));
  const head: PlaylistHead = {
    targetDurationS,
    mediaSequence: dvr.rendition.dvrMediaSequence + place,
    discontinuitySequence: dvr.rendition.dvrDiscontinuitySequence + tagsBefore,
    type: null,
    canSkipUntilS: null,
    dateRanges: dateRangesOf(state.markers, first.startMs, toMs ?? Number.POSITIVE_INFINITY),
  };
  const segments = listed.map((one) => playlistSegment(one, variant));
  return { template: renderMediaPlaylist(head, segments, isOver(stream)), targetDurationS, isEnded: false };
}

/** What a finished range is made of. */
export interface FinishedRange {
  readonly listed: readonly ListedSegment[];
  readonly dateRanges: PlaylistHead['dateRanges'];
  readonly settings: StreamSettings;
}

/** A range that will not change: VOD, numbered from 0. */
export function finishedPlaylist(range: FinishedRange, variant: Variant): PlaylistText {
  const targetDurationS = targetDuration(
    range.listed.map((one) => ({ ...lengthOf(one), frameCount: 0 })),
    rhythmOf(range.settings),
    variant.speed,
  );
  const head: PlaylistHead = {
    targetDurationS,
    mediaSequence: 0,
    discontinuitySequence: 0,
    type: 'VOD',
    canSkipUntilS: null,
    dateRanges: range.dateRanges,
  };
  const segments = range.listed.map((one) => playlistSegment(one, variant));
  return { template: renderMediaPlaylist(head, segments, true), targetDurationS, isEnded: true };
}

/** What a client is told that asks for a range in which there is nothing. */
export function nothingBetween(streamId: string, fromMs: WallMs, toMs: WallMs): ZoetropeError {
  return new ZoetropeError(
    'not_found',
    `The stream ${streamId} has no segments from ${formatRfc3339(fromMs)} to ${formatRfc3339(toMs)}. ` +
      `Its stretches are listed under /v1/streams/${streamId}/timeline.`,
  );
}
