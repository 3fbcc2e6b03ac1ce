import type { Clock } from '../../base/clock.ts';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import { formatRfc3339, wallMs } from '../../base/time.ts';
import type { ChunkStore } from '../../catalog/chunk-store.ts';
import type { EventLog } from '../../events/event-log.ts';
import type { ObjectStore, PresignedRequest } from '../../objects/object-store.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import type { LastSeen } from '../frames/last-seen.ts';
import { endBehind, type EndStreamDeps } from '../end-stream.ts';
import {
  chunkKey,
  CHUNKS_TOPIC,
  chunkValue,
  parseChunk,
  takesNoChunks,
  type ChunkEventValue,
  type StreamEndValue,
} from './chunk-event.ts';

/** What the door for chunks works with. */
export interface ChunkIntakeDeps {
  readonly catalog: EndStreamDeps['catalog'] & Pick<ChunkStore, 'takenChunks'>;
  readonly objects: Pick<ObjectStore, 'presignPut' | 'capabilities'>;
  readonly events: Pick<EventLog, 'publish'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly lastSeen: Pick<LastSeen, 'note'>;
  readonly defaults: StreamSettings;
  readonly maxChunkBytes: number;
}

/** Where a chunk's bytes may be put. */
export interface ChunkTarget extends PresignedRequest {
  readonly chunkIndex: number;
  readonly objectKey: string;
}

/** What is wrong with an announcement, and which of a batch it is. */
export interface ChunkFault {
  readonly at: number;
  readonly error: ZoetropeError;
}

/** The door for chunks: says where bytes go, judges announcements as far as that can be done at once, makes them durable, and acknowledges them. */
export class ChunkIntake {
  readonly #deps: ChunkIntakeDeps;

  constructor(deps: ChunkIntakeDeps) {
    this.#deps = deps;
  }

  /**
   * Places for a stream's chunks, each for one index and once.
   * @param wish `firstIndex` null: the one behind the newest that was taken
   * @throws conflict: it is no stream of chunks; unavailable: the store presigns nothing
   */
  async targets(
    stream: Stream,
    wish: { readonly count: number; readonly firstIndex: number | null; readonly expiresInMs: number },
  ): Promise<readonly ChunkTarget[]> {
    checkIsOfChunks(stream);
    const { catalog, objects, ids, maxChunkBytes } = this.#deps;
    const firstIndex = wish.firstIndex ?? ((await catalog.takenChunks(stream.id)).at(-1)?.lastIndex ?? -1) + 1;
    const targets: ChunkTarget[] = [];
    for (let chunkIndex = firstIndex; chunkIndex < firstIndex + wish.count; chunkIndex++) {
      const objectKey = chunkKey(stream.id, chunkIndex, ids.next('chunk'));
      const request = await objects.presignPut(objectKey, {
        expiresInMs: wish.expiresInMs,
        maxBytes: maxChunkBytes,
      });
      targets.push({ chunkIndex, objectKey, ...request });
    }
    return targets;
  }

  /** What of a batch cannot be taken, judged by itself. `streams` by id, as far as the sender may see them. */
  faults(values: readonly ChunkEventValue[], streams: ReadonlyMap<string, Stream>): readonly ChunkFault[] {
    return values.flatMap((value, at): readonly ChunkFault[] => {
      try {
        this.#check(value, streams);
        return [];
      } catch (error) {
        if (isZoetropeError(error)) return [{ at, error }];
        throw error;
      }
    });
  }

  /** Takes announcements without faults. Resolves when they are durable: all of them, or it throws and none is. */
  async announce(values: readonly ChunkEventValue[]): Promise<void> {
    const { events, clock, lastSeen } = this.#deps;
    await events.publish(
      CHUNKS_TOPIC,
      values.map((value) => ({ key: value.stream_id, value: chunkValue(value) })),
    );
    const nowMs = clock.nowMs();
    for (const value of values) {
      const { streamId, startMs, durationMs } = parseChunk(value, nowMs);
      lastSeen.note(streamId, wallMs(startMs + durationMs), nowMs);
    }
  }

  /**
   * Ends a stream behind all that was announced for it. Resolves when that is durable, with the stream: ended, unless what was announced takes long.
   * @throws conflict: it is no stream of chunks
   */
  async end(stream: Stream): Promise<Stream> {
    checkIsOfChunks(stream);
    const value: StreamEndValue = { stream_id: stream.id, type: 'end' };
    const publish = (): Promise<unknown> => this.#deps.events.publish(CHUNKS_TOPIC, [{ key: stream.id, value }]);
    return endBehind(stream, publish, this.#deps);
  }

  #check(value: ChunkEventValue, streams: ReadonlyMap<string, Stream>): void {
    const { clock, defaults, maxChunkBytes } = this.#deps;
    const nowMs = clock.nowMs();
    const { streamId, startMs, sizeBytes } = parseChunk(value, nowMs);
    const stream = streams.get(streamId);
    if (stream === undefined) throw fault('not_found', 'stream_id', `There is no stream ${streamId}.`);
    if (stream.kind !== 'chunks') throw fault('conflict', 'stream_id', takesNoChunks(stream));
    if (sizeBytes > maxChunkBytes) {
      throw fault(
        'payload_too_large',
        'size_bytes',
        `A chunk may have ${maxChunkBytes} bytes. Got ${sizeBytes}: make shorter chunks, or raise ZOETROPE_PUSH_MAX_SEGMENT_BYTES.`,
      );
    }
    const { futureToleranceMs } = effectiveSettings(stream, defaults);
    if (startMs > nowMs + futureToleranceMs) {
      throw fault(
        'out_of_range',
        'timestamp',
        `The timestamp ${formatRfc3339(startMs)} lies ${startMs - nowMs} ms ahead of the server's clock, more than the ${futureToleranceMs} ms tolerated. Set the encoder's clock (NTP).`,
      );
    }
  }
}

/** @throws conflict */
function checkIsOfChunks(stream: Stream): void {
  if (stream.kind !== 'chunks') throw new ZoetropeError('conflict', takesNoChunks(stream));
}

function fault(code: ZoetropeError['code'], field: string, message: string): ZoetropeError {
  return new ZoetropeError(code, message, { details: { field } });
}
