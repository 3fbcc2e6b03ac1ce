import { LRUCache } from 'lru-cache';
import { TICKS_PER_MS, wallMs, type WallMs } from '../base/time.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { readMuxedInit, readMuxedSegment } from '../packager/cmaf/muxed-reader.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Segment } from '../timeline/segment.ts';

const MAX_SEGMENTS = 1000;
const TICKS_PER_S = 90_000;

/** A picture of a segment. */
export interface ShownSample {
  /** In decoding order. */
  readonly sampleIndex: number;
  readonly capturedAtMs: WallMs;
}

interface TimedSample extends ShownSample {
  readonly isSync: boolean;
}

/** When the pictures of pushed segments are shown, whose times are in the media alone: read once for each segment. */
export class PushedPictures {
  readonly #objects: Pick<ObjectStore, 'get'>;
  readonly #samples = new LRUCache<string, Promise<readonly TimedSample[]>>({ max: MAX_SEGMENTS });

  constructor(objects: Pick<ObjectStore, 'get'>) {
    this.#objects = objects;
  }

  /** The picture shown at a wall time within the segment. Null: it has none. @throws corrupt_media; what the store throws */
  async at(segment: Segment, epoch: Epoch, atMs: WallMs): Promise<ShownSample | null> {
    const samples = await this.#read(segment, epoch);
    return samples.findLast(({ capturedAtMs }) => capturedAtMs <= atMs) ?? samples[0] ?? null;
  }

  /** The newest picture that costs decoding no other: of a wall of streams each is asked for again and again. @throws as {@link PushedPictures.at} */
  async newest(segment: Segment, epoch: Epoch): Promise<ShownSample | null> {
    const samples = await this.#read(segment, epoch);
    return samples.findLast(({ isSync }) => isSync) ?? samples[0] ?? null;
  }

  async #read(segment: Segment, epoch: Epoch): Promise<readonly TimedSample[]> {
    const known = this.#samples.get(segment.id);
    if (known !== undefined) return known;
    const reading = this.#objects.get(segment.objectKey).then((bytes) => readSamples(bytes, segment, epoch));
    this.#samples.set(segment.id, reading);
    try {
      return await reading;
    } catch (error) {
      this.#samples.delete(segment.id);
      throw error;
    }
  }
}

/** In the order in which they are shown. */
function readSamples(bytes: Uint8Array, segment: Segment, epoch: Epoch): readonly TimedSample[] {
  const { video } = readMuxedSegment(epoch.init, bytes);
  if (video === null) return [];
  const perTick = TICKS_PER_S / (readMuxedInit(epoch.init).video?.timescale ?? TICKS_PER_S);
  let decoding = video.baseMediaDecodeTime;
  const samples = video.samples.map(({ duration, compositionOffset, isSync }, sampleIndex) => {
    const shown90k = (decoding + compositionOffset) * perTick;
    decoding += duration;
    const capturedAtMs = wallMs(segment.startMs + (shown90k - segment.mediaStart90k) / TICKS_PER_MS);
    return { sampleIndex, capturedAtMs, isSync };
  });
  return samples.sort((a, b) => a.capturedAtMs - b.capturedAtMs);
}
