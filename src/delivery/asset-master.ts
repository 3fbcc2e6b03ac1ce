import {
  renderMultivariant,
  type IFrameVariant,
  type Variant as HlsVariant,
} from '../packager/hls/multivariant-playlist.ts';
import type { AudioRendition, SubtitlesRendition } from '../packager/hls/multivariant-playlist.ts';
import { isFinal, type AudioSpec, type VideoSpec } from '../timeline/asset.ts';
import { iFrameBits } from './asset-media.ts';
import { offerOf, type AssetOffer, type OfferedTrack } from './asset-offer.ts';
import type { AssetState } from './asset-view.ts';
import { bitRatesOf } from './bit-rates.ts';
import { renditionUri } from './child-uris.ts';
import type { PlaylistText } from './kept-texts.ts';
import { languageTag, trackName } from './track-name.ts';
import type { Variant } from './variant.ts';

const AUDIO_GROUP = 'audio';
const SUBTITLES_GROUP = 'captions';
/** What players may begin with that know nothing of their connection yet. */
const FIRST_BITS_PER_S = 2_500_000;

/** The multivariant playlist of what plays now. @throws as {@link offerOf} */
export function assetMaster(state: AssetState, variant: Variant): PlaylistText {
  const offer = offerOf(state, variant);
  const isEnded = isFinal(state.asset.state);
  const { subtitles } = offer;
  const groups = {
    ...(offer.audio.length > 0 ? { audioGroup: AUDIO_GROUP } : {}),
    ...(subtitles.length > 0 ? { subtitlesGroup: SUBTITLES_GROUP } : {}),
  };
  const hasVideo = offer.video.length > 0;
  const variants = hasVideo
    ? firstChoiceFirst(offer).map((track) => ({ ...videoVariant(track, variant), ...groups }))
    : offer.audio.slice(0, 1).map((track) => ({ ...audioVariant(track, variant), ...groups }));
  const template = renderMultivariant(variants, {
    audio: offer.audio.map((track) => audioRendition(track, variant)),
    subtitles: subtitles.map((track): SubtitlesRendition => ({
      uri: renditionUri(track.output.id, 'index', variant),
      group: SUBTITLES_GROUP,
      name: trackName(track.spec, track.output),
      language: languageTag(track.spec.language),
      isDefault: track.spec.isDefault,
      isForced: track.spec.isForced,
    })),
    iFrames: iFrameVariants(state, offer, variant),
    ...(isEnded ? {} : { startOffsetS: 0 }),
  });
  return { template, targetDurationS: 1, isEnded };
}

/** By bit rate, but first the best that an average connection carries: players begin with what stands first. */
function firstChoiceFirst({ video, audio }: AssetOffer): readonly OfferedTrack<VideoSpec>[] {
  const soundBitsPerS = Math.max(0, ...audio.map(({ rates }) => rates.averageBitsPerS));
  const known = video.filter(({ spec }) => spec.codec === 'h264');
  const candidates = known.length > 0 ? known : video;
  const first =
    candidates.findLast(({ rates }) => rates.averageBitsPerS + soundBitsPerS <= FIRST_BITS_PER_S) ?? candidates[0];
  return first === undefined ? video : [first, ...video.filter((track) => track !== first)];
}

function videoVariant(track: OfferedTrack<VideoSpec>, variant: Variant): HlsVariant {
  const { output, spec, codecs, rates } = track;
  const { width, height, frameRate } = spec;
  const uri = renditionUri(output.id, 'index', variant);
  return { uri, ...rates, codecs, width, height, frameRate: frameRate * variant.speed };
}

/** Sound alone: the default one is the variant, whose rate and codec come from its group. */
function audioVariant(track: OfferedTrack<AudioSpec>, variant: Variant): HlsVariant {
  const uri = renditionUri(track.output.id, 'index', variant);
  return { uri, peakBitsPerS: 0, averageBitsPerS: 0, codecs: track.codecs, width: 0, height: 0, frameRate: null };
}

function audioRendition(track: OfferedTrack<AudioSpec>, variant: Variant): AudioRendition {
  const { output, spec, codecs, rates } = track;
  return {
    uri: renditionUri(output.id, 'index', variant),
    group: AUDIO_GROUP,
    name: trackName(spec, output),
    language: languageTag(spec.language),
    isDefault: spec.isDefault,
    codecs,
    channels: spec.channels,
    ...rates,
  };
}

/** Byte ranges need segments that leave as they are stored: neither encrypted nor as MPEG-TS. */
function iFrameVariants(state: AssetState, { video }: AssetOffer, variant: Variant): readonly IFrameVariant[] {
  if (variant.container === 'ts' || state.asset.request.encryption !== 'none') return [];
  return video.map(({ output, spec, window, codecs }) => ({
    uri: renditionUri(output.id, 'iframes', variant),
    ...bitRatesOf(iFrameBits(window.slice(0, window.length), variant.speed)),
    codecs,
    width: spec.width,
    height: spec.height,
  }));
}
