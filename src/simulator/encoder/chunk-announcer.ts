import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { seededRandom } from '../random.ts';
import { sendRequest, type Sent } from '../send-request.ts';
import { ChunkTargets } from './chunk-targets.ts';
import type { EncodedSegment } from './encoder-run.ts';
import type { LiveTally } from './live-tally.ts';
import { UploadQueue, type UploadStep } from './upload-queue.ts';

/** What goes wrong on purpose, with every so many chunks. Null: nothing. */
export interface ChunkFaults {
  /** It comes after later ones. */
  readonly gapEvery: number | null;
  /** With {@link gapEvery}: it never comes. */
  readonly isGapLost: boolean;
  /** Its event tells another checksum than its bytes have. */
  readonly badChecksumEvery: number | null;
  /** It is announced twice. */
  readonly duplicateEvery: number | null;
  /** Chunks are announced in groups, in any order. */
  readonly shuffle: boolean;
}

/** How chunks are stored and announced. */
export interface AnnouncerOptions extends ChunkFaults {
  readonly streamId: string;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly algorithm: 'sha256' | 'md5';
  /** Whether the stream is ended when no chunk will follow. */
  readonly end: boolean;
  readonly seed: number;
  readonly clock: Clock;
  readonly tally: LiveTally;
  readonly onComplaint: (reason: string) => void;
}

/** How many later chunks come before a late one. */
const LATE_BY = 3;
const GROUP = 4;

interface Chunk {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly segment: EncodedSegment;
  objectKey: string | null;
}

/** Puts chunks into the object store at presigned URLs and announces each by an event when its bytes are there. */
export class ChunkAnnouncer {
  readonly #options: AnnouncerOptions;
  readonly #queue: UploadQueue;
  readonly #targets: ChunkTargets;
  readonly #random: () => number;
  readonly #late: { readonly chunk: Chunk; readonly dueAt: number }[] = [];
  #group: Chunk[] = [];
  #next = 0;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#queue = new UploadQueue(options);
    this.#targets = new ChunkTargets(options);
    this.#random = seededRandom(options.seed);
  }

  add(segment: EncodedSegment): void {
    const { gapEvery, isGapLost, tally } = this.#options;
    const index = this.#next++;
    const bytes = segment.init === null ? segment.bytes : Buffer.concat([segment.init, segment.bytes]);
    const chunk: Chunk = { index, bytes, segment, objectKey: null };
    if (!isTurn(index, gapEvery)) this.#hand(chunk);
    else if (isGapLost) tally.dropped += 1;
    else {
      tally.late += 1;
      this.#late.push({ chunk, dueAt: index + LATE_BY });
    }
    while ((this.#late[0]?.dueAt ?? Number.POSITIVE_INFINITY) <= index) this.#release();
  }

  /** Says that no chunk will follow; goes on sending for at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    while (this.#late.length > 0) this.#release();
    this.#flush();
    const { end, streamId } = this.#options;
    const path = `/v1/streams/${encodeURIComponent(streamId)}/end`;
    if (end) this.#queue.add({ steps: [{ send: () => this.#post(path, {}) }], segments: 0 });
    await this.#queue.close(graceMs);
  }

  #release(): void {
    const late = this.#late.shift();
    if (late !== undefined) this.#hand(late.chunk);
  }

  #hand(chunk: Chunk): void {
    this.#group.push(chunk);
    if (!this.#options.shuffle || this.#group.length >= GROUP) this.#flush();
  }

  #flush(): void {
    const { shuffle, duplicateEvery, tally } = this.#options;
    const chunks = this.#group;
    this.#group = [];
    if (chunks.length === 0) return;
    const announced = shuffle ? shuffled(chunks, this.#random) : chunks;
    const steps = [...chunks.map((chunk) => this.#putStep(chunk)), this.#announceStep(announced, 'first')];
    for (const chunk of announced.filter(({ index }) => isTurn(index, duplicateEvery))) {
      tally.duplicates += 1;
      steps.push(this.#announceStep([chunk], 'again'));
    }
    this.#queue.add({ steps, segments: chunks.length });
  }

  #putStep(chunk: Chunk): UploadStep {
    const { tally } = this.#options;
    let objectKey: string | null = null;
    return {
      send: async () => {
        const target = await this.#targets.of(chunk.index);
        if ('outcome' in target) return target;
        objectKey = target.objectKey;
        const { url, headers } = target;
        // Signed for the store: it gets no key of ours.
        return await sendRequest(url, { method: 'PUT', body: chunk.bytes, headers });
      },
      onAccepted: () => {
        chunk.objectKey = objectKey;
        tally.bytes += chunk.bytes.length;
      },
      onRefused: () => (tally.refused += 1),
    };
  }

  #announceStep(chunks: readonly Chunk[], time: 'first' | 'again'): UploadStep {
    const { tally } = this.#options;
    const there = (): readonly Chunk[] => chunks.filter(({ objectKey }) => objectKey !== null);
    return {
      send: async () => {
        const events = there().map((chunk) => this.#event(chunk));
        return events.length === 0 ? nothingToDo : await this.#post('/v1/events/chunks', { events });
      },
      onAccepted: () => {
        if (time === 'first') tally.accepted += there().length;
      },
      onRefused: () => {
        if (time === 'first') tally.refused += there().length;
      },
    };
  }

  #event({ index, bytes, segment, objectKey }: Chunk): Readonly<Record<string, unknown>> {
    const { streamId, algorithm, badChecksumEvery } = this.#options;
    const hash = createHash(algorithm).update(bytes);
    if (isTurn(index, badChecksumEvery)) hash.update('and more');
    return {
      stream_id: streamId,
      chunk_index: index,
      sequence_number: index,
      timestamp: formatRfc3339(segment.startMs),
      size_bytes: bytes.length,
      duration_ms: Math.round(segment.durationMs),
      keyframe_aligned: true,
      checksum: `${algorithm}:${hash.digest('hex')}`,
      audio_track_id: 'audio-1',
      video_track_id: 'video-1',
      object_key: objectKey,
    };
  }

  #post(path: string, body: object): Promise<Sent> {
    const { baseUrl } = this.#options;
    const headers = { ...this.#options.headers, 'content-type': 'application/json' };
    return sendRequest(baseUrl + path, { method: 'POST', body: JSON.stringify(body), headers });
  }
}

const nothingToDo: Sent = { outcome: 'accepted', text: '' };

function isTurn(index: number, every: number | null): boolean {
  return every !== null && (index + 1) % every === 0;
}

/** Fisher–Yates. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}
