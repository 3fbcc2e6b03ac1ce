import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { EventLog } from '../../events/event-log.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { readPlaylist, type PushedMedia, type PushedSegment } from '../../packager/hls/read-playlist.ts';
import type { Stream } from '../../timeline/stream.ts';
import type { LastSeen } from '../frames/last-seen.ts';
import {
  PUSHES_TOPIC,
  pushPrefix,
  type PlaylistEntry,
  type PushedFile,
  type PushedOffer,
  type PushedPlaylist,
} from './push-event.ts';
import { pushedName, referredName } from './pushed-name.ts';
import { offeredPlaylists } from './pushed-offer.ts';

/** Entries of a playlist that are looked at: those before them were looked at when they were new. */
export const NEWEST_ENTRIES = 500;
/** Somewhat more than the reader takes: it says why. */
const MAX_PLAYLIST_BYTES = 8 << 20;

/** What the door for pushed files works with. */
export interface PushIntakeDeps {
  readonly objects: Pick<ObjectStore, 'put' | 'delete'>;
  readonly events: Pick<EventLog, 'publish'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly lastSeen: Pick<LastSeen, 'note'>;
  readonly maxSegmentBytes: number;
}

/** What became of a pushed file. */
export type PushedKind = 'segment' | 'init' | 'playlist' | 'multivariant';

/** The door for what encoders push: judges what can be judged at once, makes it durable, and acknowledges it. */
export class PushIntake {
  readonly #deps: PushIntakeDeps;

  constructor(deps: PushIntakeDeps) {
    this.#deps = deps;
  }

  /** The longest playlist that may come. */
  get maxPlaylistBytes(): number {
    return MAX_PLAYLIST_BYTES;
  }

  /** What may come at most; `head` is how it begins, as far as that is known. */
  maxBytesOf(head: Uint8Array): number {
    return isPlaylist(head) ? MAX_PLAYLIST_BYTES : Math.max(this.#deps.maxSegmentBytes, MAX_PLAYLIST_BYTES);
  }

  /**
   * Takes a file. What it is follows from its bytes, never from its name.
   * @param base of the URLs of the stream's files, for playlists that name them whole
   * @param options `segmentId`: of the segment that the file becomes; the same for a file that is read again, which is on the timeline once then
   * @throws conflict for a stream that is not pushed; invalid_argument, unsupported_media, payload_too_large for what is no HLS
   */
  async accept(
    stream: Stream,
    path: string,
    bytes: Uint8Array,
    base: string,
    options: { readonly segmentId?: string } = {},
  ): Promise<PushedKind> {
    checkKind(stream);
    const name = pushedName(path);
    if (isPlaylist(bytes)) return this.#acceptPlaylist(stream, name, Buffer.from(bytes).toString('utf8'), base);
    if (bytes.length > this.#deps.maxSegmentBytes) {
      throw new ZoetropeError(
        'payload_too_large',
        `A pushed segment may have ${this.#deps.maxSegmentBytes} bytes. ${name} has ${bytes.length}: send shorter segments, or raise ZOETROPE_PUSH_MAX_SEGMENT_BYTES.`,
      );
    }
    const sniffed = sniffPushed(bytes);
    if (sniffed === null) {
      throw new ZoetropeError(
        'unsupported_media',
        `A pushed file must be an HLS playlist, an MPEG-TS segment, or a fragmented MP4 segment or its init segment. ${name} (${bytes.length} bytes) begins with ` +
          `${JSON.stringify(Buffer.from(bytes.subarray(0, 8)).toString('latin1'))}.`,
      );
    }
    await this.#store(stream, name, bytes, { ...sniffed, ...options });
    return sniffed.kind;
  }

  async #store(
    stream: Stream,
    name: string,
    bytes: Uint8Array,
    file: { readonly kind: 'segment' | 'init'; readonly container: 'ts' | 'fmp4'; readonly segmentId?: string },
  ): Promise<void> {
    const { kind, container, segmentId } = file;
    const { objects, events, ids, clock } = this.#deps;
    const id = ids.next('segment');
    const objectKey = `${pushPrefix(stream.id)}${id}`;
    await objects.put(objectKey, bytes);
    const value: PushedFile = {
      kind,
      streamId: stream.id,
      name,
      id: segmentId ?? id,
      objectKey,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      container,
      receivedAtMs: clock.nowMs(),
    };
    try {
      await events.publish(PUSHES_TOPIC, [{ key: stream.id, value }]);
    } catch (error) {
      // Not acknowledged: it must not stay behind. If it does, the daily sweep finds it.
      await objects.delete([objectKey]).catch(() => undefined);
      throw error;
    }
    this.#noteSeen(stream);
  }

  async #acceptPlaylist(stream: Stream, name: string, text: string, base: string): Promise<PushedKind> {
    const playlist = readPlaylist(text);
    if (playlist.kind === 'multivariant') {
      const offer: PushedOffer = {
        kind: 'multivariant',
        streamId: stream.id,
        name,
        playlists: offeredPlaylists(playlist, name, base),
        receivedAtMs: this.#deps.clock.nowMs(),
      };
      await this.#deps.events.publish(PUSHES_TOPIC, [{ key: stream.id, value: offer }]);
      return 'multivariant';
    }
    const value: PushedPlaylist = {
      kind: 'playlist',
      streamId: stream.id,
      name,
      targetDurationMs: playlist.targetDurationMs,
      isEnded: playlist.isEnded,
      entries: entriesOf(playlist, name, base),
      receivedAtMs: this.#deps.clock.nowMs(),
    };
    await this.#deps.events.publish(PUSHES_TOPIC, [{ key: stream.id, value }]);
    this.#noteSeen(stream);
    return 'playlist';
  }

  #noteSeen(stream: Stream): void {
    const nowMs = this.#deps.clock.nowMs();
    this.#deps.lastSeen.note(stream.id, stream.lastCapturedAtMs ?? wallMs(0), nowMs);
  }
}

/** Refuses what is for another kind of stream. @throws conflict */
export function checkKind(stream: Stream): void {
  if (stream.kind === 'push') return;
  throw new ZoetropeError(
    'conflict',
    `Stream ${stream.id} is of kind ${stream.kind}; HLS is pushed to streams of kind push. Make one with POST /v1/streams {"kind":"push","name":"…"}.`,
  );
}

/** Resolves names and carries wall time on by durations where the encoder says it now and then (RFC 8216bis §4.4.4.6). */
function entriesOf(playlist: PushedMedia, name: string, base: string): readonly PlaylistEntry[] {
  let carriedMs: number | null = null;
  const entries: PlaylistEntry[] = [];
  for (const [index, segment] of playlist.segments.entries()) {
    const programDateTimeMs: WallMs | number | null =
      segment.programDateTimeMs ?? (segment.discontinuity ? null : carriedMs);
    carriedMs = programDateTimeMs === null ? null : programDateTimeMs + segment.durationMs;
    if (index < playlist.segments.length - NEWEST_ENTRIES || segment.isGap) continue;
    checkWhole(segment, name);
    entries.push({
      name: referredName(segment.uri, name, base),
      sequence: segment.sequence,
      durationMs: segment.durationMs,
      programDateTimeMs,
      discontinuity: segment.discontinuity,
      initName: segment.mapUri === null ? null : referredName(segment.mapUri, name, base),
    });
  }
  return entries;
}

function checkWhole({ byteRange, uri }: PushedSegment, name: string): void {
  if (byteRange === null) return;
  throw new ZoetropeError(
    'unsupported_media',
    `The playlist ${name} names a part of ${JSON.stringify(uri.slice(0, 200))} by EXT-X-BYTERANGE. Push each segment as a file of its own.`,
  );
}

const SYNC_BYTE = 0x47;
const TS_PACKET = 188;
const BYTE_ORDER_MARK = '\ufeff';

function isPlaylist(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 64)).toString('utf8').replace(BYTE_ORDER_MARK, '').trimStart();
  return head.startsWith('#EXTM3U');
}

/** What a pushed file is, by its bytes; null: nothing that can be taken. */
export function sniffPushed(
  bytes: Uint8Array,
): { readonly kind: 'segment' | 'init'; readonly container: 'ts' | 'fmp4' } | null {
  if (bytes[0] === SYNC_BYTE && (bytes.length < TS_PACKET + 1 || bytes[TS_PACKET] === SYNC_BYTE)) {
    return bytes.length < TS_PACKET ? null : { kind: 'segment', container: 'ts' };
  }
  const boxes = topBoxes(bytes);
  if (boxes.includes('moof')) return { kind: 'segment', container: 'fmp4' };
  return boxes.includes('moov') ? { kind: 'init', container: 'fmp4' } : null;
}

/** The types of the boxes that a file begins with (ISO/IEC 14496-12 §4.2), as far as they are whole. */
function topBoxes(bytes: Uint8Array): readonly string[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const types: string[] = [];
  for (let at = 0; at + 8 <= view.length && types.length < 64;) {
    const size = view.readUInt32BE(at);
    types.push(view.toString('latin1', at + 4, at + 8));
    if (size < 8) break;
    at += size;
  }
  return types;
}
