import HlsPlayer, {
  ErrorDetails,
  ErrorTypes,
  Events,
  type ErrorData,
  type HlsConfig,
  type LevelDetails,
} from 'hls.js/light';
import { frameOffsets, timescaleOf } from './frame-times.ts';
import type { LiveEdge } from './live-edge.ts';
import type { ClockFragment } from './playback-clock.ts';

/** A playlist loaded into a media element. */
export interface MediaSession {
  /** The playlist's fragments with pictures, in order, as they lie on the media element's clock now. */
  fragments(): readonly ClockFragment[];
  /** Where the frames of a fragment start, in seconds from its first; empty while it is not loaded. */
  frameOffsets(index: number): readonly number[];
  /** The end of the newest segment on the media clock and how long segments are at most; null when it has an end. */
  liveEdge(): LiveEdge | null;
  /** Whether there is sound to be heard; false until that is known. */
  hasSound(): boolean;
  close(): void;
}

/** What a {@link MediaSession} tells its owner. */
export interface SessionEvents {
  /** The playlist is there: where should playing start? In media seconds. */
  readonly onReady: (session: MediaSession) => number;
  /** The fragments changed, or lie elsewhere on the media clock. */
  readonly onChange: () => void;
  /** More pictures can be shown. */
  readonly onBuffered: () => void;
  /** It cannot go on by itself. `empty`: the playlist is not there (yet). */
  readonly onFailed: (kind: 'empty' | 'denied' | 'unreachable' | 'media', detail: string) => void;
}

type LoaderPolicy = HlsConfig['playlistLoadPolicy'];

/** Tries again after one second at first and eight at last. */
function retrying(times: number): LoaderPolicy {
  const errorRetry = { maxNumRetry: times, retryDelayMs: 1000, maxRetryDelayMs: 8000, backoff: 'exponential' } as const;
  return { default: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 30_000, timeoutRetry: errorRetry, errorRetry } };
}

/**
 * Where a playlist starts on the media element's clock. Not at 0: frames that came late leave holes between segments that
 * EXTINF does not tell, so what lies before the first loaded segment moves back as it is loaded, and nothing plays before 0.
 */
const OFFSET_S = 10_000;

/** For pictures that are seconds apart: a buffer of some segments is minutes long and still only a few hundred kilobytes. */
const CONFIG: Partial<HlsConfig> = {
  timelineOffset: OFFSET_S,
  // The playlist of a camera that is offline stays as it is, maybe for days.
  liveMaxUnchangedPlaylistRefresh: Number.POSITIVE_INFINITY,
  autoStartLoad: false,
  lowLatencyMode: false,
  backBufferLength: 900,
  maxBufferLength: 240,
  maxMaxBufferLength: 1200,
  maxBufferSize: 48_000_000,
  // Rounding between EXTINF and sample durations leaves slits of a millisecond; late pictures leave longer ones.
  maxBufferHole: 0.5,
  nudgeMaxRetry: 12,
  // Markers are shown from the API; hls.js would make text tracks of them.
  enableDateRangeMetadataCues: false,
  enableID3MetadataCues: false,
  enableEmsgMetadataCues: false,
  manifestLoadPolicy: retrying(0),
  // Without end: a camera's playlist comes back with its server.
  playlistLoadPolicy: retrying(1_000_000),
  fragLoadPolicy: retrying(6),
};

/** Of how many loaded fragments the frames are remembered. */
const KEPT_OFFSETS = 500;

function failureOf(data: ErrorData): 'empty' | 'denied' | 'unreachable' | 'media' {
  const status = data.response?.code ?? 0;
  if (status === 401 || status === 403) return 'denied';
  if (status === 404 || status === 410) return 'empty';
  if (data.details === ErrorDetails.MANIFEST_PARSING_ERROR || data.details === ErrorDetails.LEVEL_EMPTY_ERROR)
    return 'empty';
  return data.type === ErrorTypes.NETWORK_ERROR ? 'unreachable' : 'media';
}

/** Plays through Media Source Extensions. `sign` adds what the server wants to see in a URL. */
export function openWithHls(
  video: HTMLVideoElement,
  url: string,
  sign: (url: string) => string,
  events: SessionEvents,
): MediaSession {
  const hls = new HlsPlayer({
    ...CONFIG,
    xhrSetup: (request, address) => request.open('GET', sign(address), true),
  });
  const offsets = new Map<number, readonly number[]>();
  /** EXTINF by sequence number: hls.js overwrites a fragment's duration, with the way to the next one, when it is loaded. */
  const lengths = new Map<number, number>();
  let details: LevelDetails | null = null;
  let cached: { readonly list: readonly ClockFragment[]; readonly sequence: readonly number[] } | null = null;
  let started = false;
  let recoveries = 0;
  let hasSound = false;

  const read = (): { readonly list: readonly ClockFragment[]; readonly sequence: readonly number[] } => {
    if (cached !== null) return cached;
    const list: ClockFragment[] = [];
    const sequence: number[] = [];
    for (const fragment of details?.fragments ?? []) {
      if (fragment.gap === true || fragment.programDateTime === null) continue;
      list.push({
        startS: fragment.start,
        durationS: lengths.get(fragment.sn) ?? fragment.duration,
        wallMs: fragment.programDateTime,
      });
      sequence.push(fragment.sn);
    }
    cached = { list, sequence };
    return cached;
  };
  const session: MediaSession = {
    fragments: () => read().list,
    frameOffsets: (index) => offsets.get(read().sequence[index] ?? -1) ?? [],
    liveEdge: () => (details?.live === true ? { edgeS: details.edge, targetS: details.targetduration } : null),
    hasSound: () => hasSound,
    close: () => hls.destroy(),
  };
  const take = (fresh: LevelDetails): void => {
    details = fresh;
    cached = null;
    for (const fragment of fresh.fragments) {
      if (!lengths.has(fragment.sn)) lengths.set(fragment.sn, fragment.duration);
    }
    for (const sn of lengths.keys()) {
      if (sn >= fresh.startSN) break;
      lengths.delete(sn);
    }
  };

  // After hls.js's own handler, which would otherwise choose a start position of its own.
  hls.on(Events.LEVEL_LOADED, (_, data) => {
    if (started || data.details.fragments.length === 0) return;
    started = true;
    take(data.details);
    // hls.js counts the start without the offset, and takes 0 for none.
    hls.startLoad(Math.max(0.001, events.onReady(session) - OFFSET_S));
    events.onChange();
  });
  hls.on(Events.LEVEL_UPDATED, (_, data) => {
    take(data.details);
    if (started) events.onChange();
  });
  hls.on(Events.LEVEL_PTS_UPDATED, () => {
    cached = null;
    events.onChange();
  });
  hls.on(Events.BUFFER_CREATED, (_, { tracks }) => {
    hasSound = Object.values(tracks).some((track) => /mp4a/i.test(track.codec ?? ''));
    events.onChange();
  });
  hls.on(Events.FRAG_BUFFERED, () => events.onBuffered());
  hls.on(Events.FRAG_LOADED, (_, data) => {
    const { sn } = data.frag;
    if (sn === 'initSegment') return;
    const init = data.frag.initSegment?.data;
    const timescale = init === undefined || init === null ? 90_000 : timescaleOf(init);
    offsets.set(sn, frameOffsets(data.payload, timescale));
    const [oldest] = offsets.keys();
    if (offsets.size > KEPT_OFFSETS && oldest !== undefined) offsets.delete(oldest);
  });
  hls.on(Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    if (data.type === ErrorTypes.MEDIA_ERROR && recoveries < 4) {
      recoveries += 1;
      hls.recoverMediaError();
      return;
    }
    events.onFailed(failureOf(data), `${data.details}: ${data.error.message}`);
  });
  hls.attachMedia(video);
  hls.loadSource(url);
  return session;
}

/** Whether this browser can play through Media Source Extensions. */
export function canUseHls(): boolean {
  return HlsPlayer.isSupported();
}
