import { ZoetropeError } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import { formatRfc3339, parseRfc3339, type WallMs, wallMs } from '../../base/time.ts';
import type { LoggedEvent } from '../../events/event-log.ts';
import type { Stream } from '../../timeline/stream.ts';

/** The topic of chunk events; the key is the stream's id. */
export const CHUNKS_TOPIC = 'zoetrope.chunks';
/** Whose members write announced chunks to timelines. */
export const CHUNK_GROUP = 'chunk-writer';

const LONGEST_MS = 3_600_000;
const DIGEST_LENGTH = { sha256: 64, md5: 32 } as const;

/** An announcement as it lies in the topic: the documented form. */
export interface ChunkEventValue {
  readonly stream_id: string;
  readonly chunk_index: number;
  readonly sequence_number: number;
  /** RFC 3339: when its first picture was taken. */
  readonly timestamp: string;
  readonly size_bytes: number;
  readonly duration_ms: number;
  readonly keyframe_aligned: boolean;
  /** `sha256:…` or `md5:…`, hexadecimal. */
  readonly checksum: string;
  readonly audio_track_id?: string | null | undefined;
  readonly video_track_id?: string | null | undefined;
  readonly object_key: string;
}

/** The end of a stream as it lies in the topic, behind all chunks that were announced before. */
export interface StreamEndValue {
  readonly stream_id: string;
  readonly type: 'end';
}

/** A chunk that an encoder announced. */
export interface AnnouncedChunk {
  readonly kind: 'chunk';
  readonly streamId: string;
  /** Counts up by one from chunk to chunk, and never begins anew. */
  readonly index: number;
  readonly startMs: WallMs;
  readonly durationMs: number;
  readonly sizeBytes: number;
  readonly checksum: { readonly algorithm: 'sha256' | 'md5'; readonly hex: string };
  readonly objectKey: string;
  readonly receivedAtMs: number;
}

/** A stream is to end when all that came before is on its timeline. */
export interface StreamEnd {
  readonly kind: 'end';
  readonly streamId: string;
  readonly receivedAtMs: number;
}

/** What lies in {@link CHUNKS_TOPIC}. */
export type ChunkRecord = AnnouncedChunk | StreamEnd;

/** What lies before the chunks of a stream that encoders put. */
export function chunkPrefix(streamId: string): string {
  return `chunks/${streamId}/`;
}

/** The key of a chunk's object: it belongs to one stream and one index. */
export function chunkKey(streamId: string, index: number, id: string): string {
  return `${chunkPrefix(streamId)}${index}/${id}`;
}

/** An event of the topic. @throws invalid_argument naming the field */
export function readChunkEvent({ key, value, publishedAtMs }: LoggedEvent): ChunkRecord {
  const streamId = streamIdOf(value);
  if (key !== streamId) {
    throw new ZoetropeError(
      'invalid_argument',
      `An event of ${CHUNKS_TOPIC} needs its stream_id as its key, so that a stream's events stay in order. Got the key ${shown(key)} with stream_id ${shown(streamId)}.`,
    );
  }
  if ((value as { readonly type?: unknown }).type === 'end') {
    return { kind: 'end', streamId, receivedAtMs: publishedAtMs };
  }
  return parseChunk(value, publishedAtMs);
}

/** Reads an announcement; what it does not know of is passed over. @throws invalid_argument naming the field */
export function parseChunk(value: unknown, receivedAtMs: number): AnnouncedChunk {
  const streamId = streamIdOf(value);
  const fields = value as Readonly<Record<keyof ChunkEventValue, unknown>>;
  const index = wholeOf(fields, 'chunk_index', 0);
  wholeOf(fields, 'sequence_number', 0);
  const durationMs = fields.duration_ms;
  if (!(typeof durationMs === 'number' && durationMs > 0 && durationMs <= LONGEST_MS)) {
    throw fault('duration_ms', `a number above 0, at most ${LONGEST_MS}`, durationMs);
  }
  if (typeof fields.keyframe_aligned !== 'boolean') {
    throw fault('keyframe_aligned', 'true or false', fields.keyframe_aligned);
  }
  for (const field of ['audio_track_id', 'video_track_id'] as const) {
    const track = fields[field] ?? null;
    if (track !== null && !isText(track)) throw fault(field, 'a text of 1–1024 characters, or null', track);
  }
  return {
    kind: 'chunk',
    streamId,
    index,
    startMs: timeOf(fields.timestamp),
    durationMs,
    sizeBytes: wholeOf(fields, 'size_bytes', 1),
    checksum: checksumOf(fields.checksum),
    objectKey: keyOf(fields.object_key, streamId, index),
    receivedAtMs,
  };
}

/** An announcement as it is written to the topic: what is documented, and nothing else. */
export function chunkValue(value: ChunkEventValue): ChunkEventValue {
  const { stream_id, chunk_index, sequence_number, timestamp, size_bytes, duration_ms, keyframe_aligned } = value;
  const { checksum, audio_track_id = null, video_track_id = null, object_key } = value;
  return {
    stream_id,
    chunk_index,
    sequence_number,
    timestamp: formatRfc3339(parseRfc3339(timestamp)),
    size_bytes,
    duration_ms,
    keyframe_aligned,
    checksum,
    audio_track_id,
    video_track_id,
    object_key,
  };
}

/** What to say of a stream of another kind. */
export function takesNoChunks({ id, kind }: Pick<Stream, 'id' | 'kind'>): string {
  return `Stream ${id} is of kind ${kind}; chunks are announced for streams of kind chunks. Make one with POST /v1/streams {"kind":"chunks","name":"…"}.`;
}

function streamIdOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ZoetropeError('invalid_argument', `A chunk event must be a JSON object. Got ${shown(value)}.`);
  }
  const id: unknown = Reflect.get(value, 'stream_id');
  if (typeof id === 'string' && isId('stream', id)) return id;
  throw fault('stream_id', 'the id of a stream of kind chunks', id);
}

function wholeOf(fields: Readonly<Record<string, unknown>>, field: string, least: number): number {
  const value = fields[field];
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw fault(field, `a whole number from ${least} on`, value);
}

function timeOf(value: unknown): WallMs {
  if (typeof value === 'string') return wallMs(parseRfc3339(value, 'timestamp'));
  throw fault('timestamp', 'RFC 3339 with a time zone', value);
}

function checksumOf(value: unknown): AnnouncedChunk['checksum'] {
  const [, algorithm, hex] = (typeof value === 'string' && /^(sha256|md5):([0-9a-f]+)$/i.exec(value)) || [];
  const known = algorithm?.toLowerCase() === 'md5' ? 'md5' : 'sha256';
  if (hex?.length === DIGEST_LENGTH[known]) return { algorithm: known, hex: hex.toLowerCase() };
  throw fault('checksum', '"sha256:" with 64 hexadecimal digits, or "md5:" with 32', value);
}

/** One of this chunk's own keys: never another stream's object, nor another chunk's. */
function keyOf(value: unknown, streamId: string, index: number): string {
  const prefix = chunkKey(streamId, index, '');
  const isOwn = typeof value === 'string' && value.startsWith(prefix) && isId('chunk', value.slice(prefix.length));
  if (isOwn) return value;
  throw fault(
    'object_key',
    `the objectKey that POST /v1/streams/${streamId}/chunk-urls gave for chunk ${index}`,
    value,
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 1024;
}

function fault(field: string, wanted: string, got: unknown): ZoetropeError {
  return new ZoetropeError('invalid_argument', `"${field}" of a chunk event must be ${wanted}. Got ${shown(got)}.`, {
    details: { field },
  });
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 120);
}
