import type { LineEvent } from 'm3u8-parser';
import { ZoetropeError } from '../../base/errors.ts';
import type { WallMs } from '../../base/time.ts';
import type { ByteRange } from './media-playlist.ts';
import { clip, PLAYLIST_LIMITS, readPlaylistLines, type PlaylistLimits } from './playlist-lines.ts';
import { readProgramDateTime } from './playlist-time.ts';

/** A rendition that a pushed multivariant playlist offers. Null: the encoder does not say. */
export interface PushedVariant {
  readonly uri: string;
  readonly bandwidth: number | null;
  readonly codecs: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRate: number | null;
  readonly name: string | null;
  /** {@link PushedAudio.groupId} that belongs to it. */
  readonly audioGroup: string | null;
}

/** Sound that a pushed multivariant playlist offers apart from pictures. */
export interface PushedAudio {
  readonly groupId: string;
  readonly name: string;
  /** BCP 47, if the encoder obeys. */
  readonly language: string | null;
  /** Null: it lies in the variants' own segments. */
  readonly uri: string | null;
  readonly isDefault: boolean;
}

/** A segment as a pushed playlist lists it. URIs are as written: resolving them is the caller's. */
export interface PushedSegment {
  readonly uri: string;
  /** Media sequence number. */
  readonly sequence: number;
  /** What the playlist claims; 0 where it claims nothing. */
  readonly durationMs: number;
  /** Only where the tag stands, not carried on by durations; null too where it is no time. */
  readonly programDateTimeMs: WallMs | null;
  readonly discontinuity: boolean;
  /** Null: the whole resource. */
  readonly byteRange: ByteRange | null;
  readonly mapUri: string | null;
  /** The part of the map's resource; null: all of it. */
  readonly mapByteRange: ByteRange | null;
  /** The encoder says that there are no bytes (EXT-X-GAP). */
  readonly isGap: boolean;
}

/** A playlist of playlists. */
export interface PushedMultivariant {
  readonly kind: 'multivariant';
  readonly variants: readonly PushedVariant[];
  readonly audio: readonly PushedAudio[];
}

/** A playlist of segments. */
export interface PushedMedia {
  readonly kind: 'media';
  /** Number of the first segment. */
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  /** Where the tag is missing: the longest segment in whole seconds, 0 without segments. */
  readonly targetDurationMs: number;
  readonly isEnded: boolean;
  readonly isIndependent: boolean;
  readonly segments: readonly PushedSegment[];
}

/**
 * Reads a playlist that an encoder pushes (RFC 8216bis), leniently: line ends, byte order mark, blank lines, unknown tags, missing tags and times in
 * any form do not matter. @throws invalid_argument when it is no playlist or says what cannot be, payload_too_large above the limits,
 * unsupported_media when segments are encrypted
 */
export function readPlaylist(text: string, limits: PlaylistLimits = PLAYLIST_LIMITS): PushedMultivariant | PushedMedia {
  const draft = new PlaylistDraft(limits);
  for (const { number, event } of readPlaylistLines(text, limits)) {
    if (event === 'gap') draft.gap();
    else if (event.type === 'uri') draft.uri(event.uri ?? '', number);
    else draft.tag(event, number);
  }
  return draft.finish();
}

/** What tags say of the next URI. */
interface Pending {
  durationMs?: number;
  programDateTimeMs?: WallMs;
  byteRange?: { readonly sizeBytes: number; readonly offset: number | null };
  discontinuity?: true;
  isGap?: true;
  variant?: Readonly<Record<string, unknown>>;
}

class PlaylistDraft {
  readonly #limits: PlaylistLimits;
  readonly #variants: PushedVariant[] = [];
  readonly #audio: PushedAudio[] = [];
  readonly #segments: Omit<PushedSegment, 'sequence'>[] = [];
  #pending: Pending = {};
  #map: { readonly uri: string; readonly byteRange: ByteRange | null } | null = null;
  #mediaSequence = 0;
  #skipped = 0;
  #discontinuitySequence = 0;
  #targetDurationMs: number | null = null;
  #isEnded = false;
  #isIndependent = false;

  constructor(limits: PlaylistLimits) {
    this.#limits = limits;
  }

  gap(): void {
    this.#pending.isGap = true;
  }

  tag(event: LineEvent, line: number): void {
    const pending = this.#pending;
    switch (event.tagType ?? 'unknown') {
      case 'inf':
        pending.durationMs = this.#duration(event.duration, line);
        return;
      case 'targetduration':
        this.#targetDurationMs = this.#duration(event.duration, line);
        return;
      case 'media-sequence':
        this.#mediaSequence = count(event.number, line);
        return;
      case 'discontinuity-sequence':
        this.#discontinuitySequence = count(event.number, line);
        return;
      case 'skip':
        this.#skipped = count(event.attributes?.['SKIPPED-SEGMENTS'], line);
        return;
      case 'discontinuity':
        pending.discontinuity = true;
        return;
      case 'program-date-time': {
        const atMs = readProgramDateTime(event.dateTimeString ?? '');
        if (atMs !== null) pending.programDateTimeMs = atMs;
        return;
      }
      case 'byterange':
        pending.byteRange = {
          sizeBytes: count(event.length, line),
          offset: event.offset === undefined ? null : count(event.offset, line),
        };
        return;
      case 'map':
        this.#map = mapOf(event, line);
        return;
      case 'stream-inf':
        pending.variant = event.attributes ?? {};
        return;
      case 'media':
        this.#media(event.attributes ?? {});
        return;
      case 'independent-segments':
        this.#isIndependent = true;
        return;
      case 'endlist':
        this.#isEnded = true;
        return;
      default:
    }
  }

  uri(uri: string, line: number): void {
    const { variant, durationMs = 0, programDateTimeMs = null, discontinuity = false, isGap = false } = this.#pending;
    const byteRange = this.#byteRange(uri, line);
    this.#pending = {};
    if (variant !== undefined) this.#variants.push(variantOf(uri, variant));
    else {
      const { uri: mapUri = null, byteRange: mapByteRange = null } = this.#map ?? {};
      const times = { durationMs, programDateTimeMs };
      this.#segments.push({ uri, ...times, discontinuity, byteRange, mapUri, mapByteRange, isGap });
    }
    if (this.#variants.length > 0 && this.#segments.length > 0) {
      throw new ZoetropeError(
        'invalid_argument',
        `A playlist lists variants or segments. Got both, at line ${line} ${JSON.stringify(clip(uri))}; push one playlist for each.`,
      );
    }
  }

  finish(): PushedMultivariant | PushedMedia {
    if (this.#variants.length > 0) return { kind: 'multivariant', variants: this.#variants, audio: this.#audio };
    const longestMs = this.#segments.reduce((longest, { durationMs }) => Math.max(longest, durationMs), 0);
    const first = this.#mediaSequence + this.#skipped;
    count(first + this.#segments.length, null);
    return {
      kind: 'media',
      mediaSequence: first,
      discontinuitySequence: this.#discontinuitySequence,
      targetDurationMs: this.#targetDurationMs ?? Math.ceil(longestMs / 1000) * 1000,
      isEnded: this.#isEnded,
      isIndependent: this.#isIndependent,
      segments: this.#segments.map((segment, index) => ({ ...segment, sequence: first + index })),
    };
  }

  /** Negative and missing durations are how some encoders say that they do not know. */
  #duration(seconds: number | undefined, line: number): number {
    if (seconds === undefined || Number.isNaN(seconds)) return 0;
    const durationMs = Math.round(seconds * 1_000_000) / 1000;
    if (durationMs <= this.#limits.maxSegmentMs) return durationMs;
    throw new ZoetropeError(
      'invalid_argument',
      `A segment may last ${this.#limits.maxSegmentMs / 1000} s. Line ${line} says ${seconds} s; let the encoder cut shorter ones.`,
    );
  }

  /** Without an offset it begins where the range before of the same resource ended (RFC 8216bis §4.4.4.2). */
  #byteRange(uri: string, line: number): ByteRange | null {
    const { byteRange } = this.#pending;
    if (byteRange === undefined) return null;
    const before = this.#segments.at(-1);
    const end = before?.uri === uri && before.byteRange !== null ? rangeEnd(before.byteRange) : 0;
    const range = { offset: byteRange.offset ?? end, sizeBytes: byteRange.sizeBytes };
    count(rangeEnd(range), line);
    return range;
  }

  #media(attributes: Readonly<Record<string, unknown>>): void {
    const {
      TYPE: type,
      'GROUP-ID': groupId,
      NAME: name,
      LANGUAGE: language,
      URI: uri,
      DEFAULT: isDefault,
    } = attributes;
    if (type !== 'AUDIO' || typeof groupId !== 'string' || groupId === '') return;
    if (this.#audio.length >= this.#limits.maxEntries) {
      throw new ZoetropeError('payload_too_large', `A playlist may list ${this.#limits.maxEntries} entries. Got more.`);
    }
    this.#audio.push({
      groupId,
      name: textOf(name) ?? groupId,
      language: textOf(language),
      uri: textOf(uri),
      isDefault: isDefault === 'YES',
    });
  }
}

function variantOf(uri: string, attributes: Readonly<Record<string, unknown>>): PushedVariant {
  const resolution = attributes['RESOLUTION'];
  const size = typeof resolution === 'object' && resolution !== null ? resolution : {};
  return {
    uri,
    bandwidth: positive(attributes['BANDWIDTH']),
    codecs: textOf(attributes['CODECS']),
    width: 'width' in size ? positive(size.width) : null,
    height: 'height' in size ? positive(size.height) : null,
    frameRate: positive(attributes['FRAME-RATE']),
    name: textOf(attributes['NAME']),
    audioGroup: textOf(attributes['AUDIO']),
  };
}

function mapOf(event: LineEvent, line: number): { uri: string; byteRange: ByteRange | null } {
  if (event.uri === undefined || event.uri === '') {
    throw new ZoetropeError('invalid_argument', `EXT-X-MAP needs a URI. Line ${line} has none; mend the playlist.`);
  }
  const { length, offset = 0 } = event.byterange ?? {};
  if (length === undefined) return { uri: event.uri, byteRange: null };
  return { uri: event.uri, byteRange: { offset: count(offset, line), sizeBytes: count(length, line) } };
}

function rangeEnd({ offset, sizeBytes }: ByteRange): number {
  return offset + sizeBytes;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && value > 0 && Number.isSafeInteger(Math.ceil(value)) ? value : null;
}

/** A whole number from 0 that can be counted on. */
function count(value: unknown, line: number | null): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ZoetropeError(
    'invalid_argument',
    `${line === null ? 'A segment' : `Line ${line}`} needs a whole number from 0 to 2⁵³−1. Got ${String(value)}; mend the playlist.`,
  );
}
