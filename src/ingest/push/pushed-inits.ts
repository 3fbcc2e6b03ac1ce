import type { PushedFile } from './push-event.ts';

/** An init segment that came. */
export interface PushedInit<E> {
  readonly event: E;
  readonly name: string;
  readonly objectKey: string;
  readonly sha256: string;
  /** Counts what comes, init segments, segments and playlists alike. */
  readonly order: number;
  /** When the same bytes came last under this name. */
  readonly confirmedAt: number;
  /** Written down: it is found again by whoever goes on with the stream. */
  readonly isKept: boolean;
}

/** Which init segment is wanted. */
export interface InitWish {
  readonly name: string;
  /** Of the segment that needs it. */
  readonly order: number;
  /** The last file of the encoder's run before; null: there was none that is known. */
  readonly runSince: number | null;
}

/**
 * The init segments of an encoder that is there now. An encoder that begins anew sends another one under the same name, and may have sent it before the
 * segments of its former run are all taken, or a moment behind the first segment that needs it.
 */
export class PushedInits<E> {
  #inits: readonly PushedInit<E>[] = [];

  /** Takes one. `again`: the same bytes are there under this name, as another file; `known`: this very file is there. */
  add({ name, objectKey, sha256 }: PushedFile, event: E, order: number): 'added' | 'again' | 'known' {
    const newest = this.#inits.findLast((init) => init.name === name);
    if (newest?.sha256 === sha256) {
      this.#inits = this.#inits.map((init) => (init === newest ? { ...init, confirmedAt: order } : init));
      return newest.objectKey === objectKey ? 'known' : 'again';
    }
    this.#inits = [...this.#inits, { event, name, objectKey, sha256, order, confirmedAt: order, isKept: false }];
    return 'added';
  }

  /**
   * The object of the one that a segment needs: the newest of its run that came before it, else the first one after it. Where it is not known when the run began,
   * `former`, the one that was there before all these, goes before those that came later. Null: none of it.
   */
  find({ name, order, runSince }: InitWish, former: string | null): string | null {
    const ofRun = this.#inits.filter((init) => init.name === name && init.confirmedAt > (runSince ?? -1));
    const before = ofRun.findLast((init) => init.order < order)?.objectKey ?? null;
    return before ?? (runSince === null ? former : null) ?? ofRun[0]?.objectKey ?? null;
  }

  /** The newest of any name that came before a segment of which nothing else is known. */
  newestBefore(order: number): string | null {
    return this.#inits.findLast((init) => init.order < order)?.objectKey ?? null;
  }

  /** Those to be written down: no segment waits that came before them. They count as kept from then on, and of each name only the newest is left. */
  keep(oldestWaiting: number): readonly PushedInit<E>[] {
    const isDue = (init: PushedInit<E>): boolean => !init.isKept && init.order < oldestWaiting;
    const due = this.#inits.filter(isDue);
    if (due.length === 0) return due;
    const newest = new Map(due.map((init) => [init.name, init]));
    this.#inits = this.#inits
      .filter((init) => init.order >= (newest.get(init.name)?.order ?? -1))
      .map((init) => (isDue(init) ? { ...init, isKept: true } : init));
    return due;
  }

  /** Their objects are gone. */
  forget(objectKeys: readonly string[]): void {
    this.#inits = this.#inits.filter(({ objectKey }) => !objectKeys.includes(objectKey));
  }

  /** Those that were not written down: whose stream is gone. */
  drain(): readonly PushedInit<E>[] {
    const left = this.#inits.filter(({ isKept }) => !isKept);
    this.#inits = [];
    return left;
  }
}
