import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { TICKS_PER_MS, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { renderTimelineMpd, type TimelinePeriod } from '../packager/dash/live-mpd.ts';
import { tracksOf } from '../timeline/epoch.ts';
import { MAIN_RENDITION } from '../timeline/rendition.ts';
import type { Segment } from '../timeline/segment.ts';
import { MANIFEST_TYPE } from './asset-manifest.ts';
import { listedSegment } from './dvr-window.ts';
import { segmentsBetween } from './holds.ts';
import { keepsUp } from './kept-up.ts';
import { KeptTexts, readyText, type ReadyPlaylist } from './kept-texts.ts';
import type { MediaFiles } from './media-files.ts';
import { MAX_RANGE_SEGMENTS, readRange } from './range-query.ts';
import { periodsOf, type PeriodsRequest, type RenditionStretch } from './stream-periods.ts';
import { nothingBetween, nothingShown } from './stream-playlists.ts';
import { liveEdgeMs, type DvrState, type StreamState, type StreamView } from './stream-view.ts';
import type { StreamViews } from './stream-views.ts';
import { readStreamVariant } from './stream-variant.ts';
import type { Query, Variant } from './variant.ts';

/** Segments that a manifest of a stream lists of each rendition: the newest. Players read all of it again for each one that is added. */
const MAX_LISTED = 600;
/** Players ask again no less often. */
const MAX_UPDATE_S = 5;
/** How far behind now players stay: as many segments as with HLS (RFC 8216bis §6.3.3). */
const DELAY_SEGMENTS = 3;
/** How far a source is behind is told in such steps, so that a manifest does not change with every second. */
const LAG_STEP_S = 10;
/** What sound weighs when its newest segment cannot be looked into. */
const USUAL_AUDIO_BITS_PER_S = 128_000;
const MAX_TEXTS = 8;

/** Where the server's time is told, from a manifest's folder. */
const CLOCK_URI = '../../time';

/** What manifests are made from. */
export interface StreamManifestsDeps {
  readonly catalog: Pick<Catalog, 'segmentsBetween'>;
  readonly views: StreamViews;
  readonly files: MediaFiles;
  readonly clock: Clock;
}

interface Kept {
  readonly texts: KeptTexts;
  readonly audio: { readonly epochId: string; readonly bitsPerS: number } | null;
}

/** DASH manifests of streams, rendered once for each revision; tokens are put in afterwards. */
export class StreamManifests {
  readonly #deps: StreamManifestsDeps;
  readonly #kept = new WeakMap<StreamView, Kept>();

  constructor(deps: StreamManifestsDeps) {
    this.#deps = deps;
  }

  /**
   * What is newest of the retained window, in all renditions: dynamic while the stream goes on, static when it has ended.
   * @throws not_found, retryable, when there are no segments yet; invalid_argument for the query
   */
  async live(streamId: string, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const { view, state } = await this.#deps.views.readDvr(streamId);
    const { track } = readManifestVariant(query, state);
    const states = await this.#inAllRenditions(state);
    const audioBitsPerS = await this.#audioBitsPerS(view, state);
    const { revision } = state;
    const lagS = lagOf(state, this.#deps.clock.nowMs());
    const isFresh = (): boolean => view.isAt(revision) && lagOf(state, this.#deps.clock.nowMs()) === lagS;
    return this.#of(view).texts.ready({ key: `manifest ${String(track)} ${lagS}`, revision, isFresh }, token, () => {
      const { stream } = state;
      const kept = states.filter(({ live }) => live.rendition.name === MAIN_RENDITION || keepsUp(live, state.live));
      const renditions = kept.map(newestOf);
      const periods = periodsOf({ stream, renditions, audioBitsPerS, track, originMs: null });
      if (periods.length === 0) throw nothingShown(stream);
      const edgeMs = renditions[0]?.segments.at(-1)?.endMs ?? 0;
      const fromMs = renditions[0]?.segments[0]?.startMs ?? 0;
      const longestS = longestOf(periods);
      const updateS = Math.min(MAX_UPDATE_S, Math.max(1, longestS));
      const growth = {
        updateS,
        publishedAtMs: this.#deps.clock.nowMs(),
        depthS: Math.ceil((edgeMs - fromMs) / 1000 + longestS + lagS),
        // Of what is encoded from others, each segment comes a little later than theirs.
        delayS: Math.ceil((DELAY_SEGMENTS + (renditions.length > 1 ? 1 : 0)) * longestS + lagS),
        clockUri: CLOCK_URI,
      };
      const template = renderTimelineMpd({ periods, growth: stream.endedAtMs === null ? growth : edgeMs / 1000 });
      // One that has ended may go on.
      return { template, targetDurationS: updateS, isEnded: false, contentType: MANIFEST_TYPE };
    });
  }

  /** A stretch of wall time that is over, from 0 on. @throws also not_found when nothing is in it, out_of_range when the timeline has not reached its end */
  async range(streamId: string, query: Query, token: string | undefined): Promise<ReadyPlaylist> {
    const { view, state } = await this.#deps.views.read(streamId);
    const { track } = readManifestVariant(query, state);
    const nowMs = this.#deps.clock.nowMs();
    const { fromMs, toMs } = readRange(query, nowMs);
    const { stream, renditions } = state;
    const edgeMs = liveEdgeMs(state.live) ?? nowMs;
    if (toMs === null || (toMs > edgeMs && stream.endedAtMs === null)) {
      throw new ZoetropeError(
        'out_of_range',
        'A DASH manifest of a range must end before the live edge: send to=, or play manifest.mpd.',
      );
    }
    const stretches: RenditionStretch[] = [];
    for (const { name } of renditions) stretches.push(await this.#stretch(streamId, name, fromMs, toMs));
    const originMs = originOf(stretches[0]);
    if (originMs === null) throw nothingBetween(streamId, fromMs, toMs);
    const audioBitsPerS = await this.#audioBitsPerS(view, state);
    const request: PeriodsRequest = { stream, renditions: stretches, audioBitsPerS, track, originMs };
    const periods = periodsOf(request);
    const template = renderTimelineMpd({ periods, growth: endOf(periods) });
    const text = { template, targetDurationS: 1, isEnded: true, contentType: MANIFEST_TYPE };
    return readyText(text, token, () => view.isAt(state.revision));
  }

  async #inAllRenditions(state: DvrState): Promise<readonly DvrState[]> {
    const states = [state];
    for (const { name } of state.renditions.slice(1)) {
      states.push((await this.#deps.views.readDvr(state.stream.id, name)).state);
    }
    return states;
  }

  async #stretch(streamId: string, name: string, fromMs: WallMs, toMs: WallMs): Promise<RenditionStretch> {
    const stretch = { streamId, rendition: name, fromMs, toMs };
    const { segments, epochs } = await segmentsBetween(this.#deps.catalog, stretch, MAX_RANGE_SEGMENTS);
    return {
      name,
      segments: segments.map((segment) => listedSegment(segment, epochs.get(segment.epochId))),
      epoch: (id) => epochs.get(id),
    };
  }

  /** Looked up once an epoch, in a segment that players are about to ask for. */
  async #audioBitsPerS(view: StreamView, { live }: StreamState): Promise<number> {
    const segment = live.segments.findLast(({ lost }) => !lost);
    const epoch = segment === undefined ? undefined : live.epochs.get(segment.epochId);
    if (segment === undefined || epoch === undefined || !tracksOf(epoch).audio) return USUAL_AUDIO_BITS_PER_S;
    const kept = this.#of(view);
    if (kept.audio?.epochId === epoch.id) return kept.audio.bitsPerS;
    const bitsPerS = await this.#measureAudio(segment);
    this.#kept.set(view, { ...kept, audio: { epochId: epoch.id, bitsPerS } });
    return bitsPerS;
  }

  async #measureAudio({ id, duration90k }: Segment): Promise<number> {
    try {
      const { bytes } = await this.#deps.files.track(id, 'audio');
      return (bytes.length * 8 * 90_000) / duration90k;
    } catch (error) {
      // It was lost, or holds no sound for once: the manifest is worth more than this number.
      if (error instanceof ZoetropeError) return USUAL_AUDIO_BITS_PER_S;
      throw error;
    }
  }

  #of(view: StreamView): Kept {
    let kept = this.#kept.get(view);
    if (kept === undefined) {
      kept = { texts: new KeptTexts(MAX_TEXTS), audio: null };
      this.#kept.set(view, kept);
    }
    return kept;
  }
}

function readManifestVariant(query: Query, state: StreamState): Variant {
  // A server's speed for cameras is for players that cannot set one.
  const variant = readStreamVariant({ speed: '1', ...query }, state);
  if (variant.container === 'cmaf' && variant.speed === 1) return variant;
  throw new ZoetropeError(
    'invalid_argument',
    'A DASH manifest has no speed and no container: players set their own rate, and the segments are CMAF. Leave both out.',
  );
}

function newestOf({ dvr, live }: DvrState): RenditionStretch {
  return {
    name: live.rendition.name,
    segments: dvr.slice(Math.max(0, dvr.length - MAX_LISTED), dvr.length),
    epoch: (id) => dvr.epoch(id),
  };
}

/** How far the newest segment is behind what it should be, in steps. */
function lagOf({ live, stream }: StreamState, nowMs: WallMs): number {
  const edgeMs = liveEdgeMs(live);
  const last = live.segments.at(-1);
  if (edgeMs === null || last === undefined || stream.endedAtMs !== null) return 0;
  const lateMs = nowMs - edgeMs - last.duration90k / TICKS_PER_MS;
  return Math.max(0, Math.ceil(lateMs / (LAG_STEP_S * 1000)) * LAG_STEP_S);
}

function longestOf(periods: readonly TimelinePeriod[]): number {
  const listings = periods.flatMap(({ video, audio }) => [...video, ...audio].map(({ listing }) => listing));
  return listings.reduce(
    (longest, { segments, timescale }) =>
      segments.reduce((most, { duration }) => Math.max(most, duration / timescale), longest),
    0,
  );
}

/** Where its first segment begins by its media clock, which periods go by. */
function originOf(stretch: RenditionStretch | undefined): number | null {
  const first = stretch?.segments.find(({ lost }) => !lost);
  const epoch = first === undefined ? undefined : stretch?.epoch(first.epochId);
  return first === undefined || epoch === undefined ? null : epoch.anchorMs + first.mediaStart90k / TICKS_PER_MS;
}

function endOf(periods: readonly TimelinePeriod[]): number {
  const last = periods.at(-1);
  const listing = [...(last?.video ?? []), ...(last?.audio ?? [])][0]?.listing;
  const segment = listing?.segments.at(-1);
  if (last === undefined || listing === undefined || segment === undefined) return 0;
  return last.startS + (segment.start + segment.duration - (listing.periodStart ?? 0)) / listing.timescale;
}
