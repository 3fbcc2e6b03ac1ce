import { ZoetropeError } from '../base/errors.ts';
import { parseRfc3339, type WallMs } from '../base/time.ts';
import type { Clock } from '../base/clock.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Segment } from '../timeline/segment.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../timeline/stream.ts';
import { listedSegment, type ListedSegment } from './dvr-window.ts';
import { segmentsBetween } from './holds.ts';
import { KeptTexts, MAX_TEXTS, readyText, type PlaylistText, type ReadyPlaylist } from './kept-texts.ts';
import { dateRangesOf, newestMarkers } from './newest-markers.ts';
import { dvrPlaylist, finishedPlaylist, livePlaylist, masterPlaylist, nothingBetween } from './stream-playlists.ts';
import { openRangePlaylist } from './stream-playlists.ts';
import { liveEdgeMs, type StreamState, type StreamView } from './stream-view.ts';
import type { StreamViews } from './stream-views.ts';
import { queryValue, readSkip, readVariant, type Query, type Variant } from './variant.ts';

const MAX_RANGE_MS = 32 * 86_400_000;
const MAX_RANGE_SEGMENTS = 200_000;

/** What playlists are made from. */
export interface PlaylistsDeps {
  readonly catalog: Pick<Catalog, 'segmentsBetween' | 'listMarkers'>;
  readonly views: StreamViews;
  readonly clock: Clock;
  readonly defaults: StreamSettings;
}

interface StreamRenderings {
  readonly texts: KeptTexts;
  /** The largest target duration of each live variant so far: it must not fall. */
  readonly liveTargetS: Map<string, number>;
}

/** Renders playlists, once for each revision of a stream; tokens are put in afterwards. */
export class Playlists {
  readonly #deps: PlaylistsDeps;
  readonly #renderings = new WeakMap<StreamView, StreamRenderings>();

  constructor(deps: PlaylistsDeps) {
    this.#deps = deps;
  }

  /** @throws not_found, retryable, when there are no segments yet; invalid_argument, out_of_range for the query. */
  async master(state: StreamState, view: StreamView, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const variant = readVariant(query, state.settings.displaySpeed);
    return this.#keep(view, state, `master ${variant.key}`, token, () => masterPlaylist(state, variant));
  }

  /** As {@link Playlists.master}. */
  async live(state: StreamState, view: StreamView, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const variant = readVariant(query, state.settings.displaySpeed);
    return this.#keep(view, state, `live ${variant.key}`, token, () => {
      const targets = this.#of(view).liveTargetS;
      const text = livePlaylist(state, variant, targets.get(variant.key) ?? 1);
      if (targets.size >= MAX_TEXTS) targets.clear();
      targets.set(variant.key, text.targetDurationS);
      return text;
    });
  }

  /** As {@link Playlists.master}; `_HLS_skip` asks for a delta update. */
  async dvr(streamId: string, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const { view, state } = await this.#deps.views.readDvr(streamId);
    const variant = readVariant(query, state.settings.displaySpeed);
    const skip = readSkip(query);
    return this.#keep(view, state, `dvr${skip ? '-delta' : ''} ${variant.key}`, token, () =>
      dvrPlaylist(state, variant, skip, this.#deps.clock.nowMs()),
    );
  }

  /** A stretch of wall time: finished when the timeline has reached its end. @throws also not_found when nothing is in it. */
  async range(state: StreamState, view: StreamView, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const variant = readVariant(query, state.settings.displaySpeed);
    const { fromMs, toMs } = readRange(query, this.#deps.clock.nowMs());
    const edgeMs = liveEdgeMs(state.live);
    // With nothing left in the retained window, what a hold keeps of the past is finished too.
    if (toMs !== null && toMs <= (edgeMs ?? this.#deps.clock.nowMs())) {
      const text = await this.#finished(state.stream, variant, fromMs, toMs);
      return readyText(text, token, () => view.isAt(state.revision));
    }
    const { state: whole } = await this.#deps.views.readDvr(view.streamId);
    const text = openRangePlaylist(whole, variant, fromMs, toMs);
    return readyText(text, token, () => view.isAt(whole.revision));
  }

  async #finished(stream: Stream, variant: Variant, fromMs: WallMs, toMs: WallMs): Promise<PlaylistText> {
    const { catalog, defaults } = this.#deps;
    const [segments, markers] = await Promise.all([
      segmentsBetween(catalog, stream.id, fromMs, toMs, MAX_RANGE_SEGMENTS),
      newestMarkers(catalog, stream.id, fromMs, toMs),
    ]);
    if (segments.length === 0) throw nothingBetween(stream.id, fromMs, toMs);
    const dateRanges = dateRangesOf(markers, fromMs, toMs);
    const settings = effectiveSettings(stream, defaults);
    return finishedPlaylist({ listed: listWithBreaks(segments), dateRanges, settings }, variant);
  }

  #of(view: StreamView): StreamRenderings {
    let renderings = this.#renderings.get(view);
    if (renderings === undefined) {
      renderings = { texts: new KeptTexts(MAX_TEXTS), liveTargetS: new Map() };
      this.#renderings.set(view, renderings);
    }
    return renderings;
  }

  #keep(
    view: StreamView,
    state: StreamState,
    key: string,
    token: string | undefined,
    render: () => PlaylistText,
  ): ReadyPlaylist {
    const { revision } = state;
    const isFresh = (): boolean => view.isAt(revision);
    return this.#of(view).texts.ready({ key, revision, isFresh }, token, render);
  }
}

/** Adds the breaks of a finished range: between two neighbours in it, others may have been that are gone. */
function listWithBreaks(segments: readonly Segment[]): readonly ListedSegment[] {
  return segments.map((segment, index) => {
    const before = segments[index - 1];
    const follows =
      before === undefined || (before.epochId === segment.epochId && before.sequence + 1 === segment.sequence);
    return { ...listedSegment(segment), discontinuity: segment.dvrDiscontinuity || !follows };
  });
}

function readRange(query: Query, nowMs: WallMs): { readonly fromMs: WallMs; readonly toMs: WallMs | null } {
  const from = queryValue(query, 'from');
  const to = queryValue(query, 'to');
  if (from === undefined) {
    throw new ZoetropeError(
      'invalid_argument',
      'A range needs a start: ?from=2026-11-20T10:00:00Z, and &to= unless it is to go on. Got none.',
    );
  }
  const fromMs = parseRfc3339(from, 'from');
  const toMs = to === undefined ? null : parseRfc3339(to, 'to');
  const endMs = toMs ?? Math.max(nowMs, fromMs + 1);
  if (endMs <= fromMs) {
    throw new ZoetropeError(
      'invalid_argument',
      `A range must end after it starts. Got from ${from} to ${to ?? 'now'}.`,
    );
  }
  if (endMs - fromMs > MAX_RANGE_MS) {
    throw new ZoetropeError('out_of_range', `A range may be 32 days long. Got from ${from} to ${to ?? 'now'}.`);
  }
  return { fromMs, toMs };
}
