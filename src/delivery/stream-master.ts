import { readMuxedInit } from '../packager/cmaf/muxed-reader.ts';
import { parseSps } from '../packager/h264/sps.ts';
import { playSeconds } from '../packager/hls/attributes.ts';
import {
  renderMultivariant,
  type AudioRendition,
  type Variant as HlsVariant,
} from '../packager/hls/multivariant-playlist.ts';
import { codecsOf, tracksOf, type Epoch } from '../timeline/epoch.ts';
import { MAIN_RENDITION } from '../timeline/rendition.ts';
import type { Stream } from '../timeline/stream.ts';
import { bitRatesOf, type BitRates } from './bit-rates.ts';
import { playlistUri } from './child-uris.ts';
import { keepsUp } from './kept-up.ts';
import type { PlaylistText } from './kept-texts.ts';
import type { LiveWindow } from './rendition-windows.ts';
import { nothingYet } from './stream-playlists.ts';
import { liveEdgeMs, type StreamState } from './stream-view.ts';
import { languageName, languageTag } from './track-name.ts';
import type { Variant } from './variant.ts';

/** Bit rates are told in steps of a fifth: what a player has read stays true while an encoder's rate wavers. */
const RATE_STEP = 1.2;
const AUDIO_GROUP = 'audio';

/** What of a rendition a multivariant playlist tells. */
interface Offered {
  readonly live: LiveWindow;
  readonly epoch: Epoch;
  readonly rates: BitRates;
}

/**
 * The multivariant playlist: the live playlists of all renditions that keep up, largest picture first, with what a player should know before it loads
 * any. Renditions of sound alone are a group beside pictures that have none. Of a view of sound there is one, for it is the same in all. @throws not_found,
 * retryable, before the first segment
 */
export function masterPlaylist(state: StreamState, lives: readonly LiveWindow[], variant: Variant): PlaylistText {
  const { stream } = state;
  const front = lives.reduce(
    (one, other) => ((liveEdgeMs(other) ?? 0) > (liveEdgeMs(one) ?? 0) ? other : one),
    state.live,
  );
  const kept = lives.filter((live) => live === front || keepsUp(live, front));
  const offered = kept.map((live) => offer(live, variant)).filter((one) => one !== null);
  if (offered.length === 0) throw nothingYet(stream.id);
  if (variant.track === 'audio') {
    const template = renderMultivariant(offered.slice(0, 1).map((one) => variantOf(one, stream, variant)));
    return { template, targetDurationS: 1, isEnded: false };
  }
  const pictures = offered.filter(({ epoch }) => tracksOf(epoch).video).toSorted(largestFirst);
  const shown = pictures.length > 0 ? pictures : offered;
  // Sound apart goes with pictures that have none of their own.
  const apart = variant.track === 'video' || pictures.length === 0 ? [] : offered.filter((one) => !shown.includes(one));
  const isSilent = ({ epoch }: Offered): boolean => !tracksOf(epoch).audio;
  const audio = shown.some(isSilent) ? apart.map((one) => soundOf(one, stream, variant)) : [];
  const isDefaultKnown = audio.some(({ isDefault }) => isDefault);
  const template = renderMultivariant(
    shown.map((one) => ({
      ...variantOf(one, stream, variant),
      ...(audio.length > 0 && isSilent(one) ? { audioGroup: AUDIO_GROUP } : {}),
    })),
    { audio: audio.map((one, index) => ({ ...one, isDefault: isDefaultKnown ? one.isDefault : index === 0 })) },
  );
  return { template, targetDurationS: 1, isEnded: false };
}

/** Sound apart from pictures, with what the encoder says of it. */
function soundOf({ live, epoch, rates }: Offered, stream: Stream, variant: Variant): AudioRendition {
  const { name } = live.rendition;
  const said = stream.source?.sound?.[name];
  const { audio } = readMuxedInit(epoch.init);
  return {
    uri: playlistUri('live.m3u8', variant, name === MAIN_RENDITION ? null : name),
    group: AUDIO_GROUP,
    name: said?.label ?? languageName(said?.language ?? null) ?? name,
    language: languageTag(said?.language ?? null),
    isDefault: said?.isDefault ?? false,
    codecs: epoch.codecs,
    channels: audio?.channels ?? 2,
    peakBitsPerS: steady(rates.peakBitsPerS),
    averageBitsPerS: steady(rates.averageBitsPerS),
  };
}

function offer(live: LiveWindow, variant: Variant): Offered | null {
  const there = live.segments.filter(({ lost }) => !lost);
  const newest = there.at(-1) ?? live.segments.at(-1);
  const epoch = newest === undefined ? undefined : live.epochs.get(newest.epochId);
  if (epoch === undefined) return null;
  const rates = bitRatesOf(
    there.map((one) => ({
      bits: one.sizeBytes * 8,
      seconds: Math.max(0.001, playSeconds(one.duration90k, variant.speed)),
    })),
  );
  return { live, epoch, rates };
}

/** By what does not waver; `main` is the best of its size. */
function largestFirst(a: Offered, b: Offered): number {
  const pixels = b.epoch.width * b.epoch.height - a.epoch.width * a.epoch.height;
  return pixels === 0 ? Number(isMain(b)) - Number(isMain(a)) : pixels;
}

function variantOf({ live, epoch, rates }: Offered, stream: Stream, variant: Variant): HlsVariant {
  const { track, speed } = variant;
  const isSound = track === 'audio';
  const frameRate = isSound ? null : frameRateOf(epoch, stream, live.rendition.name);
  const isCamera = stream.kind === 'frames';
  return {
    uri: playlistUri('live.m3u8', variant, live.rendition.name === MAIN_RENDITION ? null : live.rendition.name),
    peakBitsPerS: isCamera ? rates.peakBitsPerS : steady(rates.peakBitsPerS),
    averageBitsPerS: isCamera ? rates.averageBitsPerS : steady(rates.averageBitsPerS),
    codecs: track === null ? epoch.codecs : codecsOf(epoch, track),
    width: isSound ? 0 : epoch.width,
    height: isSound ? 0 : epoch.height,
    frameRate: frameRate === null ? null : frameRate * speed,
  };
}

/** Pictures a second in a rendition, as its ingest found or as the encoder's parameters say; null where unknown: a camera's pictures have no rate. */
export function frameRateOf(epoch: Epoch, stream: Stream, rendition: string): number | null {
  if (stream.kind === 'frames' || epoch.width === 0) return null;
  if (rendition === MAIN_RENDITION && stream.source !== null) return stream.source.frameRate;
  const { video } = readMuxedInit(epoch.init);
  const said = video?.codec === 'avc1' ? parseSps(video.sps).frameRate : null;
  return said ?? stream.source?.frameRate ?? null;
}

function steady(bitsPerS: number): number {
  return bitsPerS <= 0 ? 0 : Math.round(RATE_STEP ** Math.ceil(Math.log(bitsPerS) / Math.log(RATE_STEP)));
}

function isMain({ live }: Offered): boolean {
  return live.rendition.name === MAIN_RENDITION;
}
