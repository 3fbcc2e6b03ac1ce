import { ZoetropeError } from '../../base/errors.ts';
import type { LoggedEvent } from '../../events/event-log.ts';

/** What encoders push, in order of arrival; the key is the stream's id. */
export const PUSHES_TOPIC = 'zoetrope.pushes';
/** Whose members write pushed segments to timelines. */
export const PUSH_GROUP = 'push-writer';

/** A file that an encoder sent. Its bytes are durable. */
export interface PushedFile {
  readonly kind: 'segment' | 'init';
  readonly streamId: string;
  /** The encoder's name for it, below its own folder. Names come again: the id does not. */
  readonly name: string;
  /** For a segment, that of the segment which it becomes. */
  readonly id: string;
  readonly objectKey: string;
  readonly sizeBytes: number;
  /** Hex, of the bytes as they were sent. */
  readonly sha256: string;
  readonly container: 'ts' | 'fmp4';
  readonly receivedAtMs: number;
}

/** A segment as a pushed playlist lists it, names resolved. */
export interface PlaylistEntry {
  readonly name: string;
  readonly sequence: number;
  readonly durationMs: number;
  readonly programDateTimeMs: number | null;
  readonly discontinuity: boolean;
  /** Name of the init segment; null for MPEG-TS. */
  readonly initName: string | null;
}

/** A playlist of segments that an encoder sent. */
export interface PushedPlaylist {
  readonly kind: 'playlist';
  readonly streamId: string;
  readonly name: string;
  readonly targetDurationMs: number;
  readonly isEnded: boolean;
  /** The newest entries. */
  readonly entries: readonly PlaylistEntry[];
  readonly receivedAtMs: number;
}

/** What an encoder's multivariant playlist says of one of its playlists. */
export interface OfferedPlaylist {
  readonly name: string;
  /** Sound apart from pictures, or pictures with or without sound. */
  readonly kind: 'pictures' | 'sound';
  /** BCP 47, of sound; null: not said. */
  readonly language: string | null;
  /** For people, of sound; null: not said. */
  readonly label: string | null;
  /** Sound that is played unless the viewer chooses another. */
  readonly isDefault: boolean;
}

/** A playlist of playlists that an encoder sent. */
export interface PushedOffer {
  readonly kind: 'multivariant';
  readonly streamId: string;
  readonly name: string;
  /** The best pictures first, then sound. */
  readonly playlists: readonly OfferedPlaylist[];
  readonly receivedAtMs: number;
}

/** The stream ends behind all that came before. */
export interface PushEnd {
  readonly kind: 'end';
  readonly streamId: string;
  /** Of no file. */
  readonly name: '';
  readonly receivedAtMs: number;
}

/** What lies in {@link PUSHES_TOPIC}. */
export type PushRecord = PushedFile | PushedPlaylist | PushedOffer | PushEnd;

/** What lies before a file that waits to become a segment. */
export function pushPrefix(streamId: string): string {
  return `pushes/${streamId}/`;
}

/** An event of the topic. @throws invalid_argument: only this program writes there, so it is another version's or somebody's mistake */
export function readPushEvent(event: LoggedEvent): PushRecord {
  const value = event.value as Partial<PushRecord> | null;
  const isOurs =
    typeof value === 'object' &&
    value !== null &&
    typeof value.streamId === 'string' &&
    typeof value.name === 'string' &&
    hasContent(value);
  if (isOurs) return value as PushRecord;
  throw new ZoetropeError(
    'invalid_argument',
    `An event of ${PUSHES_TOPIC} must be a pushed file or playlist. Got ${JSON.stringify(event.value).slice(0, 200)}.`,
  );
}

function hasContent(value: Partial<PushRecord>): boolean {
  switch (value.kind) {
    case 'playlist':
      return Array.isArray(value.entries);
    case 'multivariant':
      return Array.isArray(value.playlists);
    case 'segment':
    case 'init':
    case 'end':
      return true;
    case undefined:
    default:
      return false;
  }
}
