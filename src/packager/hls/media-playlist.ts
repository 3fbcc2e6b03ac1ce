import { formatRfc3339, type WallMs } from '../../base/time.ts';
import { decimalSeconds } from './attributes.ts';
import { renderDateRange, type DateRange } from './date-range.ts';

/** A segment as a media playlist lists it. */
export interface PlaylistSegment {
  readonly uri: string;
  /** The init segment it needs; null where media carry their own parameters (MPEG-TS). */
  readonly mapUri: string | null;
  /** As played: at a speed of 5, a fifth of the media's. */
  readonly durationS: number;
  /** Wall time of its first frame. */
  readonly startMs: WallMs;
  /** EXT-X-DISCONTINUITY stands before it. It stays as long as the segment is listed, also when it is first. */
  readonly discontinuity: boolean;
  /** Its bytes were lost (EXT-X-GAP). */
  readonly gap: boolean;
}

/** What stands above the segments. */
export interface PlaylistHead {
  /** Whole seconds; see `targetDuration`. */
  readonly targetDurationS: number;
  /** Number of the first segment (RFC 8216bis §4.4.3.2). */
  readonly mediaSequence: number;
  /** Tags that have left the playlist before the first segment's own (RFC 8216bis §4.4.3.3). */
  readonly discontinuitySequence: number;
  /** VOD: it will never change. Null: segments may join and leave. */
  readonly type: 'VOD' | null;
  /** Offers delta updates that leave out segments older than so many seconds (RFC 8216bis §4.4.3.8). Null: none. */
  readonly canSkipUntilS: number | null;
  readonly dateRanges: readonly DateRange[];
}

/** Ends a playlist to which no segment will be added. */
export const END_LIST = '#EXT-X-ENDLIST\n';

/** A whole media playlist (RFC 8216bis §4.4). */
export function renderMediaPlaylist(
  head: PlaylistHead,
  segments: readonly PlaylistSegment[],
  isEnded: boolean,
): string {
  let text = renderHead(head);
  let previousMap: string | null = null;
  for (const segment of segments) {
    text += renderSegment(segment, previousMap);
    previousMap = segment.mapUri;
  }
  return isEnded ? text + END_LIST : text;
}

/** Everything above the first segment. */
export function renderHead(head: PlaylistHead): string {
  // Version 9 for EXT-X-SKIP, 8 for EXT-X-GAP (RFC 8216bis §8).
  let text = `#EXTM3U\n#EXT-X-VERSION:${head.canSkipUntilS === null ? 8 : 9}\n`;
  text += `#EXT-X-TARGETDURATION:${head.targetDurationS}\n`;
  if (head.canSkipUntilS !== null) {
    text += `#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=${decimalSeconds(head.canSkipUntilS)}\n`;
  }
  text += `#EXT-X-MEDIA-SEQUENCE:${head.mediaSequence}\n`;
  text += `#EXT-X-DISCONTINUITY-SEQUENCE:${head.discontinuitySequence}\n`;
  if (head.type !== null) text += `#EXT-X-PLAYLIST-TYPE:${head.type}\n`;
  text += '#EXT-X-INDEPENDENT-SEGMENTS\n';
  for (const range of head.dateRanges) text += renderDateRange(range);
  return text;
}

/** A segment's tags and URI; EXT-X-MAP only where it differs from the one in force. */
export function renderSegment(segment: PlaylistSegment, mapInForce: string | null): string {
  let text = segment.discontinuity ? '#EXT-X-DISCONTINUITY\n' : '';
  if (segment.mapUri !== null && segment.mapUri !== mapInForce) text += `#EXT-X-MAP:URI="${segment.mapUri}"\n`;
  text += `#EXT-X-PROGRAM-DATE-TIME:${formatRfc3339(segment.startMs)}\n`;
  if (segment.gap) text += '#EXT-X-GAP\n';
  return `${text}#EXTINF:${decimalSeconds(segment.durationS)},\n${segment.uri}\n`;
}
