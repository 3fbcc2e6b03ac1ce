import { wallMs, type WallMs } from '../../base/time.ts';
import type { EpochClock, SourceReport, TakenFile } from '../../timeline/source-report.ts';

/** So many of the newest files are known again when they come twice. */
const REMEMBERED = 16;

/** What is learnt of a source, kept for the API and for whoever goes on with it. */
export class SourceNotes {
  #report: SourceReport;

  constructor(report: SourceReport | null) {
    this.#report = report ?? EMPTY;
  }

  get report(): SourceReport {
    return this.#report;
  }

  /**
   * Whether this is a file that was taken not long ago: the same bytes, and the same time by the source, or none where the first had one. Where it never says any,
   * the same bytes that come sooner than they could be made anew, given how long they play.
   */
  isTaken({ sha256, programDateTimeMs, receivedAtMs }: TakenFile, durationMs: number): boolean {
    return this.#report.memory.taken.some(
      (known) =>
        known.sha256 === sha256 &&
        (known.programDateTimeMs === null
          ? programDateTimeMs === null && receivedAtMs - known.receivedAtMs < durationMs / 2
          : programDateTimeMs === null || programDateTimeMs === known.programDateTimeMs),
    );
  }

  clockOf(rendition: string): EpochClock | null {
    return this.#report.memory.clocks[rendition] ?? null;
  }

  initKey(name: string): string | null {
    return this.#report.memory.inits[name] ?? null;
  }

  /** The rendition that a playlist of this name is; the first one ever is `main`. */
  renditionOf(playlist: string): string | null {
    return this.#report.memory.renditions[playlist] ?? null;
  }

  setRendition(playlist: string, rendition: string): void {
    this.#remember({ renditions: { ...this.#report.memory.renditions, [playlist]: rendition } });
  }

  setInit(name: string, objectKey: string): void {
    this.#remember({ inits: { ...this.#report.memory.inits, [name]: objectKey } });
  }

  setClock(rendition: string, clock: EpochClock): void {
    this.#remember({ clocks: { ...this.#report.memory.clocks, [rendition]: clock } });
  }

  taken(file: TakenFile): void {
    this.#remember({ taken: [...this.#report.memory.taken, file].slice(-REMEMBERED) });
  }

  /** The source said that its stream ends. */
  ended(atMs: WallMs): void {
    this.#remember({ lastEndAtMs: atMs });
  }

  change(change: Partial<Omit<SourceReport, 'memory'>>): void {
    this.#report = { ...this.#report, ...change };
  }

  count(what: 'segments' | 'gaps' | 'late' | 'duplicates' | 'epochs'): void {
    this.#report = { ...this.#report, [what]: this.#report[what] + 1 };
  }

  rejected(name: string, code: string, message: string, atMs: WallMs): void {
    const lastRejection = { atMs: wallMs(atMs), name, code, message: message.slice(0, 500) };
    this.#report = { ...this.#report, rejected: this.#report.rejected + 1, lastRejection };
  }

  #remember(change: Partial<SourceReport['memory']>): void {
    this.#report = { ...this.#report, memory: { ...this.#report.memory, ...change } };
  }
}

const EMPTY: SourceReport = {
  container: 'ts',
  codecs: '',
  width: 0,
  height: 0,
  frameRate: null,
  bitsPerS: 0,
  clock: 'arrival',
  driftMs: 0,
  epochs: 0,
  segments: 0,
  gaps: 0,
  late: 0,
  duplicates: 0,
  rejected: 0,
  lastRejection: null,
  memory: { inits: {}, taken: [], clocks: {}, renditions: {} },
};
