import { playSeconds } from '../packager/hls/attributes.ts';
import { renderMediaPlaylist, type PlaylistHead, type PlaylistSegment } from '../packager/hls/media-playlist.ts';
import type { SegmentRhythm } from '../packager/hls/target-duration.ts';
import { isFinal } from '../timeline/asset.ts';
import type { AssetTrack } from './asset-view.ts';
import { playlistSegment, type ListedSegment } from './dvr-window.ts';
import type { PlaylistText } from './kept-texts.ts';
import type { SegmentBits } from './bit-rates.ts';
import type { Variant } from './variant.ts';

/** Assets are cut by time: nothing is known from the number of frames. */
const NO_RHYTHM: SegmentRhythm = { framesPerSegment: 0, maxSegmentWaitS: 0 };

/** A rendition from its beginning: EVENT while it grows, VOD when its output is final. */
export function renditionPlaylist(track: AssetTrack, variant: Variant, leastTargetS: number): PlaylistText {
  const { output, window } = track;
  const isEnded = isFinal(output.state);
  const { playlist, targetDurationS: longestS } = window.textOf(variant, NO_RHYTHM);
  const targetDurationS = Math.max(longestS, leastTargetS);
  return { template: playlist.full(headOf(track, targetDurationS), isEnded), targetDurationS, isEnded };
}

/** The keyframes of a video rendition as byte ranges of its segments, each shown until the next. */
export function iFramePlaylist(track: AssetTrack, variant: Variant, leastTargetS: number): PlaylistText {
  const { output, window } = track;
  const isEnded = isFinal(output.state);
  const targetDurationS = Math.max(window.textOf(variant, NO_RHYTHM).targetDurationS, leastTargetS);
  const segments = window.slice(0, window.length).map((segment): PlaylistSegment => {
    const listed = playlistSegment(segment, variant, window.listing);
    const { keyframeBytes } = segment;
    return keyframeBytes === null ? listed : { ...listed, byteRange: { offset: 0, sizeBytes: keyframeBytes } };
  });
  const head = { ...headOf(track, targetDurationS), iFramesOnly: true };
  return { template: renderMediaPlaylist(head, segments, isEnded), targetDurationS, isEnded };
}

/** What the entries of an {@link iFramePlaylist} weigh. */
export function iFrameBits(segments: readonly ListedSegment[], speed: number): readonly SegmentBits[] {
  return segments.map(({ keyframeBytes, sizeBytes, duration90k }) => ({
    bits: (keyframeBytes ?? sizeBytes) * 8,
    seconds: playSeconds(duration90k, speed),
  }));
}

function headOf({ output, window }: AssetTrack, targetDurationS: number): PlaylistHead {
  const isEnded = isFinal(output.state);
  return {
    targetDurationS,
    mediaSequence: window.rendition.dvrMediaSequence,
    discontinuitySequence: window.rendition.dvrDiscontinuitySequence,
    type: isEnded ? 'VOD' : 'EVENT',
    canSkipUntilS: null,
    dateRanges: [],
    ...(isEnded ? {} : { startOffsetS: 0 }),
  };
}
