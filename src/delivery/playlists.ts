import type { WallMs } from '../base/time.ts';
import type { Clock } from '../base/clock.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Epoch } from '../timeline/epoch.ts';
import { MAIN_RENDITION } from '../timeline/rendition.ts';
import type { Segment } from '../timeline/segment.ts';
import { listedSegment, type ListedSegment } from './dvr-window.ts';
import { segmentsBetween } from './holds.ts';
import { isLeftBehind, leftBehind } from './kept-up.ts';
import { KeptTexts, MAX_TEXTS, readyText, type PlaylistText, type ReadyPlaylist } from './kept-texts.ts';
import { dateRangesOf, newestMarkers } from './newest-markers.ts';
import { MAX_RANGE_SEGMENTS, readRange } from './range-query.ts';
import { masterPlaylist } from './stream-master.ts';
import { dvrPlaylist, finishedPlaylist, livePlaylist, nothingBetween } from './stream-playlists.ts';
import { openRangePlaylist } from './stream-playlists.ts';
import { liveEdgeMs, type StreamState, type StreamView } from './stream-view.ts';
import type { StreamViews } from './stream-views.ts';
import { readRendition, readStreamVariant } from './stream-variant.ts';
import { readSkip, type Query, type Variant } from './variant.ts';

/** What playlists are made from. */
export interface PlaylistsDeps {
  readonly catalog: Pick<Catalog, 'segmentsBetween' | 'listMarkers'>;
  readonly views: StreamViews;
  readonly clock: Clock;
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
  async master(streamId: string, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const { view, state } = await this.#deps.views.read(streamId);
    const variant = readStreamVariant(query, state);
    const lives = [state.live];
    for (const { name } of state.renditions.slice(1)) {
      lives.push((await this.#deps.views.read(streamId, name)).state.live);
    }
    return this.#keep(view, state, `master ${variant.key}`, token, () => masterPlaylist(state, lives, variant));
  }

  /** As {@link Playlists.master}; `rendition` chooses one. @throws also not_found when there is no such rendition, or the stream went on without it */
  async live(streamId: string, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const { view, state } = await this.#deps.views.read(streamId, readRendition(query));
    if (state.live.rendition.name !== MAIN_RENDITION) await this.#refuseLeftBehind(state);
    const variant = readStreamVariant(query, state);
    const key = keyOf(state, variant);
    return this.#keep(view, state, `live ${key}`, token, () => {
      const targets = this.#of(view).liveTargetS;
      const text = livePlaylist(state, variant, targets.get(key) ?? 1);
      if (targets.size >= MAX_TEXTS) targets.clear();
      targets.set(key, text.targetDurationS);
      return text;
    });
  }

  async #refuseLeftBehind({ stream, live }: StreamState): Promise<void> {
    const main = await this.#deps.views.read(stream.id);
    if (isLeftBehind(live, main.state.live)) throw leftBehind(stream.id, live);
  }

  /** As {@link Playlists.live}; `_HLS_skip` asks for a delta update. */
  async dvr(streamId: string, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const { view, state } = await this.#deps.views.readDvr(streamId, readRendition(query));
    const variant = readStreamVariant(query, state);
    const skip = readSkip(query);
    return this.#keep(view, state, `dvr${skip ? '-delta' : ''} ${keyOf(state, variant)}`, token, () =>
      dvrPlaylist(state, variant, skip, this.#deps.clock.nowMs()),
    );
  }

  /** A stretch of wall time: finished when the timeline has reached its end. @throws as {@link Playlists.live}, also not_found when nothing is in it. */
  async range(streamId: string, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const rendition = readRendition(query);
    const { view, state } = await this.#deps.views.read(streamId, rendition);
    const variant = readStreamVariant(query, state);
    const { fromMs, toMs } = readRange(query, this.#deps.clock.nowMs());
    const edgeMs = liveEdgeMs(state.live);
    // With nothing left in the retained window, what a hold keeps of the past is finished too.
    if (toMs !== null && toMs <= (edgeMs ?? this.#deps.clock.nowMs())) {
      const text = await this.#finished(state, variant, fromMs, toMs);
      return readyText(text, token, () => view.isAt(state.revision));
    }
    const { state: whole } = await this.#deps.views.readDvr(streamId, rendition);
    const text = openRangePlaylist(whole, variant, fromMs, toMs);
    return readyText(text, token, () => view.isAt(whole.revision));
  }

  async #finished(state: StreamState, variant: Variant, fromMs: WallMs, toMs: WallMs): Promise<PlaylistText> {
    const { catalog } = this.#deps;
    const { stream, live, settings } = state;
    const [{ segments, epochs }, markers] = await Promise.all([
      segmentsBetween(
        catalog,
        { streamId: stream.id, rendition: live.rendition.name, fromMs, toMs },
        MAX_RANGE_SEGMENTS,
      ),
      newestMarkers(catalog, stream.id, fromMs, toMs),
    ]);
    if (segments.length === 0) throw nothingBetween(stream.id, fromMs, toMs);
    const dateRanges = dateRangesOf(markers, fromMs, toMs);
    return finishedPlaylist({ listed: listWithBreaks(segments, epochs), dateRanges, settings }, variant);
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

function keyOf({ live }: StreamState, variant: Variant): string {
  return `${live.rendition.name} ${variant.key}`;
}

/** Adds the breaks of a finished range: between two neighbours in it, others may have been that are gone. */
function listWithBreaks(segments: readonly Segment[], epochs: ReadonlyMap<string, Epoch>): readonly ListedSegment[] {
  return segments.map((segment, index) => {
    const before = segments[index - 1];
    const follows =
      before === undefined || (before.epochId === segment.epochId && before.sequence + 1 === segment.sequence);
    return {
      ...listedSegment(segment, epochs.get(segment.epochId)),
      discontinuity: segment.dvrDiscontinuity || !follows,
    };
  });
}
