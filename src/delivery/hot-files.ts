import { LRUCache } from 'lru-cache';
import type { WallMs } from '../base/time.ts';
import type { DeliveryMetrics } from './metrics.ts';

/** An immutable file in memory, with what is needed to judge who may have it. */
export interface HotFile {
  readonly bytes: Uint8Array;
  /** Strong, without quotes. */
  readonly tag: string;
  readonly contentType: string;
  /** Left out: it never changes under its URL. */
  readonly cacheControl?: string;
  readonly streamId: string;
  /** The stretch of the timeline that it belongs to: for an init segment, all of it. */
  readonly startMs: WallMs;
  readonly endMs: WallMs;
}

/** Files that were just read or made, bounded by their bytes: the least recently used go. */
export class HotFiles {
  readonly #files: LRUCache<string, HotFile>;
  readonly #loading = new Map<string, Promise<HotFile>>();
  readonly #metrics: DeliveryMetrics;

  constructor(maxBytes: number, metrics: DeliveryMetrics) {
    this.#files = new LRUCache({ maxSize: maxBytes, sizeCalculation: (file) => file.bytes.length + 512 });
    this.#metrics = metrics;
  }

  /** A file if it is in memory. */
  get(key: string): HotFile | undefined {
    return this.#files.get(key);
  }

  /** A file, loaded if need be: once, however many ask for it meanwhile. @throws what `load` throws, to all of them. */
  async load(key: string, load: () => Promise<HotFile>): Promise<HotFile> {
    const hot = this.#files.get(key);
    if (hot !== undefined) {
      this.#metrics.fileRead('memory');
      return hot;
    }
    const underWay = this.#loading.get(key);
    if (underWay !== undefined) {
      this.#metrics.fileRead('shared');
      return underWay;
    }
    this.#metrics.fileRead('store');
    const loading = load();
    this.#loading.set(key, loading);
    try {
      const file = await loading;
      this.#files.set(key, file);
      return file;
    } finally {
      this.#loading.delete(key);
    }
  }
}
