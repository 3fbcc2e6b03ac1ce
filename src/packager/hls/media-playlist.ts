import { formatRfc3339, type WallMs } from '../../base/time.ts';
import { decimalSeconds, quoted } from './attributes.ts';
import { renderDateRange, type DateRange } from './date-range.ts';

/** A segment as a media playlist lists it. */
export interface PlaylistSegment {
  readonly uri: string;
  /** The init segment it needs; null where media carry their own parameters (MPEG-TS). */
  readonly mapUri: string | null;
  /** As played: at a speed of 5, a fifth of the media's. */
  readonly durationS: number;
  /** Wall time of its first frame; null: no EXT-X-PROGRAM-DATE-TIME, for media that were never live. */
  readonly startMs: WallMs | null;
  /** EXT-X-DISCONTINUITY stands before it. It stays as long as the segment is listed, also when it is first. */
  readonly discontinuity: boolean;
  /** Its bytes were lost (EXT-X-GAP). */
  readonly gap: boolean;
  /** The part of the resource that is meant (RFC 8216bis §4.4.4.2); left out: all of it. */
  readonly byteRange?: ByteRange;
  /** It is encrypted as a whole, its init segment is not; left out: plain. */
  readonly key?: SegmentKey;
}

/** A part of a resource. */
export interface ByteRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** AES-128 in CBC mode with PKCS #7 padding (RFC 8216bis §4.4.4.4). */
export interface SegmentKey {
  readonly uri: string;
  /** 16 bytes; null: the media sequence number, which the position in the playlist tells (RFC 8216bis §5.2). */
  readonly iv: Uint8Array | null;
}

/** What stands above the segments. */
export interface PlaylistHead {
  /** Whole seconds; see `targetDuration`. */
  readonly targetDurationS: number;
  /** Number of the first segment (RFC 8216bis §4.4.3.2). */
  readonly mediaSequence: number;
  /** Tags that have left the playlist before the first segment's own (RFC 8216bis §4.4.3.3). */
  readonly discontinuitySequence: number;
  /** VOD: it will never change. EVENT: segments join, none leaves. Null: segments may join and leave. */
  readonly type: 'VOD' | 'EVENT' | null;
  /** Offers delta updates that leave out segments older than so many seconds (RFC 8216bis §4.4.3.8). Null: none. */
  readonly canSkipUntilS: number | null;
  readonly dateRanges: readonly DateRange[];
  /** Each segment is one key frame, shown until the next (RFC 8216bis §4.4.3.6). */
  readonly iFramesOnly?: boolean;
  /** Where players are to begin, in seconds (RFC 8216bis §4.4.2.2): 0 keeps them from joining a growing EVENT playlist at its end. */
  readonly startOffsetS?: number;
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
  let previous: PlaylistSegment | null = null;
  for (const segment of segments) {
    text += renderSegment(segment, previous);
    previous = segment;
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
  if (head.iFramesOnly === true) text += '#EXT-X-I-FRAMES-ONLY\n';
  text += '#EXT-X-INDEPENDENT-SEGMENTS\n';
  if (head.startOffsetS !== undefined) text += renderStart(head.startOffsetS);
  for (const range of head.dateRanges) text += renderDateRange(range);
  return text;
}

/** A segment's tags and URI; EXT-X-MAP and EXT-X-KEY only where they differ from the ones that the segment before left in force. */
export function renderSegment(segment: PlaylistSegment, before: PlaylistSegment | null): string {
  const { mapUri, key } = segment;
  let text = segment.discontinuity ? '#EXT-X-DISCONTINUITY\n' : '';
  let keyInForce = before?.key;
  if (mapUri !== null && mapUri !== before?.mapUri) {
    // A key in force would be the init segment's too (RFC 8216bis §4.4.4.5).
    if (keyInForce !== undefined) text += NO_KEY;
    keyInForce = undefined;
    text += `#EXT-X-MAP:URI=${quoted(mapUri)}\n`;
  }
  if (!isSameKey(key, keyInForce)) text += key === undefined ? NO_KEY : renderKey(key);
  if (segment.startMs !== null) text += `#EXT-X-PROGRAM-DATE-TIME:${formatRfc3339(segment.startMs)}\n`;
  if (segment.gap) text += '#EXT-X-GAP\n';
  text += `#EXTINF:${decimalSeconds(segment.durationS)},\n`;
  if (segment.byteRange !== undefined) {
    text += `#EXT-X-BYTERANGE:${segment.byteRange.sizeBytes}@${segment.byteRange.offset}\n`;
  }
  return `${text}${segment.uri}\n`;
}

/** EXT-X-START (RFC 8216bis §4.4.2.2), for media and multivariant playlists. */
export function renderStart(offsetS: number): string {
  return `#EXT-X-START:TIME-OFFSET=${decimalSeconds(offsetS)}\n`;
}

const NO_KEY = '#EXT-X-KEY:METHOD=NONE\n';

function renderKey({ uri, iv }: SegmentKey): string {
  const vector = iv === null ? '' : `,IV=0x${Buffer.from(iv).toString('hex').toUpperCase()}`;
  return `#EXT-X-KEY:METHOD=AES-128,URI=${quoted(uri)}${vector}\n`;
}

function isSameKey(a: SegmentKey | undefined, b: SegmentKey | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.iv === null || b.iv === null) return a.uri === b.uri && a.iv === b.iv;
  return a.uri === b.uri && Buffer.compare(a.iv, b.iv) === 0;
}
