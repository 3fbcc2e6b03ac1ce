import { ZoetropeError } from '../base/errors.ts';
import { TICKS_PER_MS } from '../base/time.ts';
import { isFinal, type AudioSpec, type Output, type SubtitlesSpec, type VideoSpec } from '../timeline/asset.ts';
import type { Epoch } from '../timeline/epoch.ts';
import { type BitRates, bitRatesOf } from './bit-rates.ts';
import type { DvrWindow } from './dvr-window.ts';
import type { AssetState, AssetTrack } from './asset-view.ts';
import type { Variant } from './variant.ts';

/** A rendition that a player may be offered. */
export interface OfferedTrack<Spec> {
  readonly output: Output;
  readonly spec: Spec;
  readonly window: DvrWindow;
  readonly epochs: ReadonlyMap<string, Epoch>;
  /** RFC 6381, of its first epoch. */
  readonly codecs: string;
  /** Of its media segments, at the variant's speed. */
  readonly rates: BitRates;
}

/** What of an asset plays now. */
export interface AssetOffer {
  /** By bit rate, lowest first. */
  readonly video: readonly OfferedTrack<VideoSpec>[];
  /** The default one first. Empty at another speed than that of life. */
  readonly audio: readonly OfferedTrack<AudioSpec>[];
  /** As {@link AssetOffer.audio}. */
  readonly subtitles: readonly OfferedTrack<SubtitlesSpec>[];
}

/** What MPEG-TS adds to the bytes of CMAF, at most but for very low rates. */
const TS_OVERHEAD = 1.1;

/**
 * The renditions to offer: those that have segments, but for failed and cancelled ones. Sound and captions have one speed alone; MPEG-TS takes H.264.
 * @throws not_found, retryable while the work goes on, before the first video rendition and the default sound have begun
 */
export function offerOf(state: AssetState, variant: Variant): AssetOffer {
  const video: OfferedTrack<VideoSpec>[] = [];
  const audio: OfferedTrack<AudioSpec>[] = [];
  const subtitles: OfferedTrack<SubtitlesSpec>[] = [];
  for (const track of state.tracks.values()) {
    const { spec } = track.output;
    if (!isOffered(track.output)) continue;
    if (spec.kind === 'video' && isCarried(spec, variant)) video.push(offered(track, spec, variant));
    if (variant.speed !== 1) continue;
    if (spec.kind === 'audio') audio.push(offered(track, spec, variant));
    if (spec.kind === 'subtitles') subtitles.push(offered(track, spec, variant));
  }
  const offer = {
    video: video.toSorted((a, b) => a.rates.averageBitsPerS - b.rates.averageBitsPerS),
    audio: audio.toSorted((a, b) => Number(b.spec.isDefault) - Number(a.spec.isDefault)),
    subtitles: subtitles.toSorted((a, b) => Number(b.spec.isDefault) - Number(a.spec.isDefault)),
  };
  requirePlayable(state, offer, variant);
  return offer;
}

/** The end of the longest rendition so far, in milliseconds from the asset's start. */
export function playableMs(state: AssetState): number {
  let endMs = 0;
  for (const { output, window } of state.tracks.values()) {
    if (output.spec.kind === 'subtitles') continue;
    endMs = Math.max(endMs, window.at(window.length - 1)?.endMs ?? 0);
  }
  return endMs;
}

/** What a client is told that asks for sound or captions at another speed. */
export function soundHasOneSpeed(variant: Variant): ZoetropeError {
  return new ZoetropeError(
    'invalid_argument',
    `Sound and captions of an asset play at speed 1 alone; other speeds show the pictures without them. Got speed=${variant.speed}.`,
  );
}

/** What a client is told that asks for what is not made yet (retryable), or never will be. */
export function notMade(state: AssetState, what: string, output?: Output): ZoetropeError {
  const { asset } = state;
  const isOver = isFinal(output?.state ?? asset.state) || isFinal(asset.state);
  if (!isOver) {
    return new ZoetropeError('not_found', `The asset ${asset.id} has no ${what} yet. Ask again in a few seconds.`, {
      retryable: true,
    });
  }
  const cause = output?.cause ?? asset.cause;
  const why = cause === null ? '' : `: ${cause.message}`;
  return new ZoetropeError('not_found', `The asset ${asset.id} (${asset.state}) has no ${what}${why}`);
}

function isOffered(output: Output): boolean {
  return output.state !== 'failed' && output.state !== 'cancelled';
}

function isCarried(spec: VideoSpec, variant: Variant): boolean {
  return variant.container === 'cmaf' || spec.codec === 'h264';
}

function offered<Spec>(track: AssetTrack, spec: Spec, variant: Variant): OfferedTrack<Spec> {
  const { output, window, epochs } = track;
  const first = window.at(0);
  const codecs = (first === undefined ? undefined : epochs.get(first.epochId)?.codecs) ?? '';
  const overhead = variant.container === 'ts' ? TS_OVERHEAD : 1;
  const lengths = window.slice(0, window.length).map(({ sizeBytes, duration90k }) => ({
    bits: sizeBytes * 8 * overhead,
    seconds: duration90k / TICKS_PER_MS / 1000 / variant.speed,
  }));
  return { output, spec, window, epochs, codecs, rates: bitRatesOf(lengths) };
}

function requirePlayable(state: AssetState, offer: AssetOffer, variant: Variant): void {
  const wanted = state.outputs.filter(isOffered).map(({ spec }) => spec);
  const video = wanted.filter((spec) => spec.kind === 'video');
  if (video.length > 0 && !video.some((spec) => isCarried(spec, variant))) {
    throw new ZoetropeError(
      'invalid_argument',
      `MPEG-TS is made of H.264 alone, and the asset ${state.asset.id} has no H.264 rendition. Leave out container=ts.`,
    );
  }
  if (video.length === 0 && variant.speed !== 1 && wanted.length > 0) throw soundHasOneSpeed(variant);
  const needsSound = variant.speed === 1 && wanted.some((spec) => spec.kind === 'audio' && spec.isDefault);
  const hasSound = offer.audio.length > 0;
  const plays = video.length > 0 ? offer.video.length > 0 && (hasSound || !needsSound) : hasSound;
  if (!plays) throw notMade(state, 'rendition that plays');
}
