import type { WallMs } from '../base/time.ts';
import type { SegmentListing } from '../packager/dash/adaptation-sets.ts';
import { renderMpd, type TextRepresentation, type Thumbnails } from '../packager/dash/mpd.ts';
import { isFinal } from '../timeline/asset.ts';
import { offerOf, playableMs, type AssetOffer, type OfferedTrack } from './asset-offer.ts';
import type { AssetState } from './asset-view.ts';
import { fileUri, STREAM_LISTING } from './child-uris.ts';
import { languageTag, trackName } from './track-name.ts';
import { variantOf } from './variant.ts';

/** The media type of DASH manifests (ISO/IEC 23009-1 Annex C). */
export const MANIFEST_TYPE = 'application/dash+xml';

/** Catalog times. */
const TICKS_PER_S = 90_000;
/** DASH has CMAF segments, and players set their own rate. */
const AS_IT_IS = variantOf(1, 'cmaf');

/** The DASH manifest of what plays now: dynamic while the asset is worked on, with the duration that it will have. @throws as {@link offerOf} */
export function assetManifest(state: AssetState, growth: { readonly updateS: number; readonly nowMs: WallMs }): string {
  const { asset } = state;
  const offer = offerOf(state, AS_IT_IS);
  const isEnded = isFinal(asset.state);
  const soFarMs = playableMs(state);
  const durationMs = isEnded ? soFarMs : Math.max(soFarMs, asset.media?.durationMs ?? 0);
  return renderMpd({
    durationS: durationMs / 1000,
    growth: isEnded ? null : { updateS: growth.updateS, publishedAtMs: growth.nowMs },
    video: offer.video.map((track) => {
      const { width, height, frameRate } = track.spec;
      return { ...mediaOf(track), width, height, frameRate };
    }),
    audio: offer.audio.map((track) => {
      const { sampleRateHz, channels } = track.spec;
      return { ...mediaOf(track), ...choiceOf(track), sampleRateHz, channels };
    }),
    text: textsOf(offer),
    thumbnails: thumbnailsOf(state),
  });
}

function mediaOf(track: OfferedTrack<unknown>): {
  readonly id: string;
  readonly bitsPerS: number;
  readonly codecs: string;
  readonly listing: SegmentListing;
} {
  const { output, rates, codecs } = track;
  return { id: output.id, bitsPerS: rates.peakBitsPerS, codecs, listing: listingOf(track) };
}

/** One period has one init segment for a representation: an asset whose parameters change within a rendition is for HLS. */
function listingOf({ window }: OfferedTrack<unknown>): SegmentListing {
  const segments = window.slice(0, window.length);
  const epochId = segments[0]?.epochId ?? '';
  return {
    initUri: STREAM_LISTING.map(epochId, AS_IT_IS) ?? '',
    timescale: TICKS_PER_S,
    segments: segments.map((segment) => ({
      uri: STREAM_LISTING.segment(segment.id, AS_IT_IS),
      start: segment.mediaStart90k,
      duration: segment.duration90k,
    })),
  };
}

function choiceOf({ spec, output }: AssetOffer['audio'][number] | AssetOffer['subtitles'][number]): {
  readonly language: string | null;
  readonly label: string;
  readonly isDefault: boolean;
} {
  return { language: languageTag(spec.language), label: trackName(spec, output), isDefault: spec.isDefault };
}

function textsOf(offer: AssetOffer): readonly TextRepresentation[] {
  return offer.subtitles.map((track) => ({
    ...choiceOf(track),
    id: track.output.id,
    uri: fileUri(`captions/${track.output.id}.vtt`),
    bitsPerS: Math.max(1, track.rates.peakBitsPerS),
    isForced: track.spec.isForced,
  }));
}

function thumbnailsOf({ outputs }: AssetState): Thumbnails | null {
  const output = outputs.find(({ spec, files }) => spec.kind === 'storyboard' && files.length > 0);
  if (output?.spec.kind !== 'storyboard') return null;
  const { intervalMs, columns, rows, tileWidthPx, tileHeightPx } = output.spec;
  const bytes = output.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const seconds = (output.files.length * intervalMs * columns * rows) / 1000;
  return {
    id: output.id,
    uriTemplate: fileUri('storyboard/$Number$.jpg'),
    intervalMs,
    columns,
    rows,
    tileWidthPx,
    tileHeightPx,
    bitsPerS: Math.max(1, (bytes * 8) / seconds),
  };
}
