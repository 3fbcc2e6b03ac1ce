import type { ObjectStore } from '../../../objects/object-store.ts';

/** Segments on their way to the store at once. */
const MAX_UNDER_WAY = 8;

/** Writes segments in the background: the pictures go on meanwhile, as long as the store keeps up. */
export class SegmentStore {
  readonly #objects: ObjectStore;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  put(key: string, bytes: Uint8Array): void {
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
