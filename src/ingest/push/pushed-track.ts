import type { PlaylistEntry, PushedPlaylist } from './push-event.ts';
import { stemOf } from './pushed-name.ts';

/** A segment that waits to be named by a playlist, or to be taken. */
export interface WaitingFile<F> {
  readonly file: F;
  readonly name: string;
  /** Counts what comes, files and playlists alike. */
  readonly order: number;
  /** By the monotonic clock. */
  readonly sinceMs: number;
}

/** What is to be done next with a playlist's segments. */
export type TrackStep<F> =
  /** This file is the entry's segment. */
  | {
      readonly kind: 'take';
      readonly entry: PlaylistEntry;
      readonly waiting: WaitingFile<F>;
      readonly isOutOfOrder: boolean;
      /** The first of an encoder's run, or behind a discontinuity: another init segment of the same name may belong to it. */
      readonly begins: boolean;
      /** What was taken last before the run of the encoder that it is of; see {@link WaitingFile.order}. Null: not known. */
      readonly runSince: number | null;
    }
  /** A segment is missing that later ones are there for; it is given up then, by the monotonic clock. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'none' };

/** How long a missing segment is waited for: a target duration, within these bounds. */
const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [1000, 15_000];

/**
 * Follows one playlist of an encoder: which of the files that came are its next segments. A file is never told by its name alone: a name that
 * comes again with a new file is a new segment, and a playlist whose numbers fall back is that of an encoder that began anew.
 */
export class PushedTrack<F> {
  readonly name: string;
  #playlist: PushedPlaylist | null = null;
  /** When it came; see {@link WaitingFile.order}. */
  #order = -1;
  /** The highest number taken or given up in this run of the encoder; null: what another writer took is not known. */
  #newest: number | null = null;
  #isNew: boolean;
  readonly #taken = new Set<number>();
  /** Of the newest file that was taken; null: none. */
  #takenOrder: number | null = null;
  /** The same, when the encoder's run began. */
  #runSince: number | null = null;
  #isRunNew = false;
  /** Of the newest entry that was taken. */
  #takenInitName: string | null = null;
  #names: ReadonlySet<string> = new Set();
  /** Since when segments are missed; null: none is. */
  #missingSinceMs: number | null = null;

  /** @param isNew nobody took anything of it before: all that it names is still to come */
  constructor(name: string, isNew: boolean) {
    this.name = name;
    this.#isNew = isNew;
  }

  /** Whether the playlist names this file. */
  names(name: string): boolean {
    return this.#names.has(name);
  }

  /** The init segment of its newest segments; null: they need none, or there are none. */
  get initName(): string | null {
    return this.#playlist?.entries.at(-1)?.initName ?? null;
  }

  /** Whether it names files like this one, but for their numbers. */
  namesAlike(name: string): boolean {
    const stem = stemOf(name);
    return this.#playlist?.entries.some((entry) => stemOf(entry.name) === stem) ?? false;
  }

  /** A newer playlist, which came behind these files. */
  update(playlist: PushedPlaylist, order: number, waiting: readonly WaitingFile<F>[]): void {
    if (this.#isOld(playlist, waiting)) return;
    const last = playlist.entries.at(-1);
    // Its newest number was taken before, and there is a file for it again: the encoder counts anew.
    const isAnew =
      last !== undefined &&
      this.#newest !== null &&
      (last.sequence < this.#newest ||
        (last.sequence === this.#newest && waiting.some(({ name }) => name === last.name)));
    const first = playlist.entries[0]?.sequence ?? 0;
    if (isAnew || this.#isNew) {
      this.#newest = first - 1;
      this.#taken.clear();
      this.#missingSinceMs = null;
      this.#runSince = this.#takenOrder;
      this.#isRunNew = true;
    }
    this.#isNew &&= last === undefined;
    this.#playlist = playlist;
    this.#names = new Set(playlist.entries.map(({ name }) => name));
    this.#order = order;
    for (const sequence of this.#taken) if (sequence < first) this.#taken.delete(sequence);
  }

  /** The next step, given the files that wait, oldest first. */
  next(waiting: readonly WaitingFile<F>[], nowMs: number): TrackStep<F> {
    const entries = this.#playlist?.entries ?? [];
    const there = new Set(waiting.map(({ name }) => name));
    const anewOrder = this.#beganAnew(waiting);
    for (const [index, entry] of entries.entries()) {
      const isTaken = this.#taken.has(entry.sequence);
      // A file that comes again may be the first of an encoder that begins anew, whose playlist is still to come.
      const file = there.has(entry.name)
        ? waiting.find(
            ({ name, order }) => name === entry.name && (order < this.#order || (!isTaken && order < anewOrder)),
          )
        : undefined;
      if (file !== undefined) {
        const isOutOfOrder = this.#newest !== null && entry.sequence < this.#newest;
        const isRenewed = entry.discontinuity && !isOutOfOrder && entry.initName === this.#takenInitName;
        const begins = this.#isRunNew || isRenewed;
        const runSince = begins ? this.#takenOrder : this.#runSince;
        return { kind: 'take', entry, waiting: file, isOutOfOrder, begins, runSince };
      }
      // Before the first that came lies what was taken by whoever wrote before; what was given up is not waited for again.
      if (this.#newest === null || entry.sequence <= this.#newest || isTaken) continue;
      if (!entries.slice(index + 1).some(({ name }) => there.has(name))) return { kind: 'none' };
      const untilMs = this.#waitUntil(nowMs);
      if (nowMs < untilMs) return { kind: 'wait', untilMs };
      this.#newest = entry.sequence;
    }
    return { kind: 'none' };
  }

  /** The entry's segment was taken. */
  took({ entry, waiting, runSince }: Extract<TrackStep<F>, { readonly kind: 'take' }>): void {
    this.#runSince = runSince;
    this.#isRunNew = false;
    this.#takenInitName = entry.initName;
    this.#takenOrder = Math.max(this.#takenOrder ?? -1, waiting.order);
    this.#taken.add(entry.sequence);
    this.#newest = Math.max(this.#newest ?? entry.sequence, entry.sequence);
    this.#missingSinceMs = null;
  }

  /** A file of a name that was taken already, which came behind the playlist: with it the encoder may have begun anew, so that what follows is the next playlist's. */
  #beganAnew(waiting: readonly WaitingFile<F>[]): number {
    const taken = new Set(
      (this.#playlist?.entries ?? []).flatMap(({ name, sequence }) => (this.#taken.has(sequence) ? [name] : [])),
    );
    return waiting.reduce(
      (first, { name, order }) => (order > this.#order && taken.has(name) ? Math.min(first, order) : first),
      Number.POSITIVE_INFINITY,
    );
  }

  /** All that are missing in a row are waited for together. */
  #waitUntil(nowMs: number): number {
    this.#missingSinceMs ??= nowMs;
    const targetMs = this.#playlist?.targetDurationMs ?? 0;
    return this.#missingSinceMs + Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, targetMs));
  }

  /** A playlist that was overtaken by a newer one on its way: it ends before, and says of its segments what that says. */
  #isOld({ entries }: PushedPlaylist, waiting: readonly WaitingFile<F>[]): boolean {
    const [newest, last] = [this.#playlist?.entries ?? [], entries.at(-1)];
    const newestSequence = newest.at(-1)?.sequence;
    if (last === undefined || newestSequence === undefined || last.sequence >= newestSequence) return false;
    if (waiting.some(({ name }) => name === last.name)) return false;
    const bySequence = new Map(newest.map((entry) => [entry.sequence, entry]));
    const known = entries.filter(({ sequence }) => bySequence.has(sequence));
    return known.length > 0 && known.every((entry) => isSame(entry, bySequence.get(entry.sequence)));
  }
}

function isSame(entry: PlaylistEntry, other: PlaylistEntry | undefined): boolean {
  return entry.name === other?.name && entry.programDateTimeMs === other.programDateTimeMs;
}
