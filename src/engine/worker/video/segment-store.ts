import { ZoetropeError } from '../../../base/errors.ts';
import type { ObjectStore } from '../../../objects/object-store.ts';

/** Segments on their way to the store at once. */
const MAX_UNDER_WAY = 8;

/** Writes segments in the background: the pictures go on meanwhile, as long as the store keeps up. */
export class SegmentStore {
  readonly #objects: ObjectStore;
  readonly #maxBytes: number;
  readonly #underWay = new Set<Promise<void>>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `maxBytes` of all that is put, for what a file might swell to. */
  constructor(objects: ObjectStore, maxBytes = Number.POSITIVE_INFINITY) {
    this.#objects = objects;
    this.#maxBytes = maxBytes;
  }

  /** @throws payload_too_large when that would be more than allowed in all */
  put(key: string, bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) {
      throw new ZoetropeError(
        'payload_too_large',
        `The file unpacks to more than ${this.#maxBytes} bytes, far more than it has. Send it without compression of its own.`,
      );
    }
    const write = this.#objects.put(key, bytes).then(
      () => undefined,
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    this.#underWay.add(write);
    void write.then(() => this.#underWay.delete(write));
  }

  /** Resolves when one more may be put. @throws what the store threw */
  async room(): Promise<void> {
    while (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay);
    this.#check();
  }

  /** Resolves when all are durable. @throws what the store threw */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
