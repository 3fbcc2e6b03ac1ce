import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { parseRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { PlaylistHead } from '../packager/hls/media-playlist.ts';
import type { Hold } from '../timeline/hold.ts';
import { HoldText, SKIP_TARGETS, type GrowingList } from './hold-text.ts';
import type { HoldView } from './holds.ts';
import type { PlaylistText, ReadyPlaylist } from './kept-texts.ts';
import { dateRangesOf, newestMarkers } from './newest-markers.ts';
import { nothingBetween, nothingYet, rhythmOf } from './stream-playlists.ts';
import { liveEdgeMs, type StreamState } from './stream-view.ts';
import { readStreamVariant } from './stream-variant.ts';
import { queryValue, readSkip, type Query, type Variant } from './variant.ts';

const MAX_TEXTS = 500;
/** Beyond what a frame may wait for its segment: the way to the catalog. */
const SETTLE_MARGIN_MS = 5_000;

/** What playlists of holds are made from. */
export interface HoldPlaylistsDeps {
  readonly catalog: Pick<Catalog, 'segmentsBetween' | 'listMarkers' | 'onChange'>;
  readonly clock: Clock;
  /** Memory for texts; the least recently used are let go beyond it. */
  readonly maxBytes: number;
}

/** Playlists of archives and recordings: each is read once and then follows its stream. One that grows costs what came to it, not what is in it. */
export class HoldPlaylists {
  readonly #deps: HoldPlaylistsDeps;
  readonly #texts: LRUCache<string, HoldText>;
  #stopListening: (() => void) | undefined;

  constructor(deps: HoldPlaylistsDeps) {
    this.#deps = deps;
    this.#texts = new LRUCache({
      max: MAX_TEXTS,
      maxSize: deps.maxBytes,
      sizeCalculation: (text) => 1024 + Math.min(text.sizeBytes, deps.maxBytes - 1024),
    });
  }

  start(): void {
    this.#stopListening = this.#deps.catalog.onChange((change) => {
      const changed = new Set(change.streamIds);
      for (const text of this.#texts.values()) {
        if (!changed.has(text.streamId)) continue;
        const appended = change.appended.filter(({ segment }) => segment.streamId === text.streamId);
        text.change(appended, change.remote);
      }
    });
  }

  close(): void {
    this.#stopListening?.();
    this.#texts.clear();
  }

  /** A hold's playlist, in the rendition that `state` is of: EVENT while segments may join it, VOD from then on; `from` and `to` narrow it. @throws not_found when nothing is in it; invalid_argument, out_of_range for the query */
  async ready(view: HoldView, state: StreamState, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const variant = readStreamVariant(query, state);
    const rendition = state.live.rendition.name;
    const hold = narrowed(view.hold, query);
    const key = `${hold.id} ${hold.fromMs} ${String(hold.toMs)} ${rendition} ${variant.key}`;
    const text = this.#texts.get(key) ?? new HoldText(hold, rendition, variant, this.#deps);
    const finalAtMs = finalAt(hold, state, this.#deps.clock.nowMs());
    const isFinal = finalAtMs === 0;
    // Known to the feed before it is read, so that no change is missed.
    this.#texts.set(key, text);
    const { revision } = text;
    const list = await text.update({ hold, isFinal, rhythm: rhythmOf(state.settings) });
    this.#texts.set(key, text);
    const skip = readSkip(query);
    const { endMs } = list;
    if (endMs === null) throw isFinal ? nothingIn(hold) : nothingYet(hold.streamId);
    const toMs = hold.toMs ?? endMs;
    const markers = await newestMarkers(this.#deps.catalog, hold.streamId, hold.fromMs, toMs);
    const isFresh = (): boolean =>
      text.isAt(revision) && this.#texts.peek(key) === text && (isFinal || this.#deps.clock.nowMs() < finalAtMs);
    const what = { key: `${isFinal ? 'final' : 'growing'}${skip ? ' delta' : ''}`, revision, isFresh };
    const dateRanges = dateRangesOf(markers, hold.fromMs, toMs);
    return list.texts.ready(what, token, () => render(hold, list, variant, { isFinal, skip, dateRanges }));
  }
}

function render(
  hold: Hold,
  list: GrowingList,
  variant: Variant,
  as: { readonly isFinal: boolean; readonly skip: boolean; readonly dateRanges: PlaylistHead['dateRanges'] },
): PlaylistText {
  const { isFinal, skip, dateRanges } = as;
  const { first, targetDurationS, playlist } = list;
  // Where it begins lies within its first segment. 0 keeps players from joining one that grows at its end.
  const offsetS = Math.max(0, hold.fromMs - (first?.startMs ?? hold.fromMs)) / 1000 / variant.speed;
  const head: PlaylistHead = {
    targetDurationS,
    ...(isFinal ? list.numbers : { mediaSequence: 0, discontinuitySequence: 0 }),
    type: isFinal ? 'VOD' : 'EVENT',
    canSkipUntilS: null,
    dateRanges,
    ...(isFinal && offsetS === 0 ? {} : { startOffsetS: offsetS }),
  };
  if (isFinal) return { template: playlist.full(head, true), targetDurationS, isEnded: true };
  const growing = { ...head, canSkipUntilS: SKIP_TARGETS * targetDurationS };
  const delta = skip ? playlist.delta(growing) : null;
  return { template: delta ?? playlist.full(growing, false), targetDurationS, isEnded: false };
}

/** When nothing on time can come to lie within a hold any more; 0: that is so now; infinite while it runs. */
function finalAt(hold: Hold, state: StreamState, nowMs: WallMs): number {
  if (hold.kind === 'archive') return 0;
  if (hold.toMs === null) return Number.POSITIVE_INFINITY;
  const edgeMs = liveEdgeMs(state.live);
  if (edgeMs !== null && edgeMs >= hold.toMs) return 0;
  const { maxSegmentWaitMs, frameIntervalMs } = state.settings;
  const settleMs = maxSegmentWaitMs + frameIntervalMs + SETTLE_MARGIN_MS;
  // What has arrived lies in a segment by then, and what arrives later is late or behind the end.
  const lastMs = state.stream.lastReceivedAtMs ?? Number.NEGATIVE_INFINITY;
  const atMs = Math.max(hold.toMs, Math.min(hold.toMs, lastMs) + settleMs);
  return nowMs >= atMs ? 0 : atMs;
}

/** A part of a hold, where the query names one. @throws invalid_argument, out_of_range */
function narrowed(hold: Hold, query: Query): Hold {
  const from = queryValue(query, 'from');
  const to = queryValue(query, 'to');
  if (from === undefined && to === undefined) return hold;
  const fromMs = from === undefined ? hold.fromMs : wallMs(Math.max(hold.fromMs, parseRfc3339(from, 'from')));
  const askedMs = to === undefined ? null : parseRfc3339(to, 'to');
  const toMs = wallMs(Math.min(askedMs ?? Infinity, hold.toMs ?? Infinity));
  if (toMs <= fromMs) {
    throw new ZoetropeError(
      'out_of_range',
      `The part must lie within ${hold.id} and end after it starts. Got from ${from ?? 'its start'} to ${to ?? 'its end'}.`,
    );
  }
  return { ...hold, fromMs, toMs: toMs === Infinity ? null : toMs };
}

function nothingIn(hold: Hold): ZoetropeError {
  return nothingBetween(hold.streamId, hold.fromMs, hold.toMs ?? hold.fromMs);
}
