import { wallMs, type WallMs } from '../../base/time.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { EpochClock, SourceReport, SourceSound, TakenFile } from '../../timeline/source-report.ts';
import { SiblingEpochs } from './sibling-epochs.ts';

/** So many of the newest files of a rendition are known again when they come twice. */
const REMEMBERED = 16;
/** Init segments under different names that are kept: more than an encoder needs at a time. */
const MAX_INITS = 32;

/** What is learnt of a source, kept for the API and for whoever goes on with it. */
export class SourceNotes {
  /** Not written down: whoever goes on learns it from the timelines. */
  readonly epochs = new SiblingEpochs();
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
  isTaken({ sha256, programDateTimeMs, receivedAtMs, rendition }: TakenFile, durationMs: number): boolean {
    return this.#report.memory.taken.some(
      (known) =>
        known.sha256 === sha256 &&
        renditionOf(known) === (rendition ?? MAIN_RENDITION) &&
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

  /** `before`: the playlist whose rendition it was until now; null: it is new. */
  setRendition(playlist: string, rendition: string, before: string | null): void {
    const others = Object.entries(this.#report.memory.renditions).filter(([name]) => name !== before);
    this.#remember({ renditions: { ...Object.fromEntries(others), [playlist]: rendition } });
  }

  setSound(rendition: string, sound: SourceSound): void {
    this.change({ sound: { ...this.#report.sound, [rendition]: sound } });
  }

  /** Takes a newer init segment; answers with the object keys that nothing needs any more: that of its name before, and the oldest beyond a bound. */
  setInit(name: string, objectKey: string): readonly string[] {
    const { [name]: before, ...others } = this.#report.memory.inits;
    const kept = [...Object.entries(others), [name, objectKey] as const];
    const gone = kept.splice(0, Math.max(0, kept.length - MAX_INITS)).map(([, key]) => key);
    this.#remember({ inits: Object.fromEntries(kept) });
    return before === undefined ? gone : [before, ...gone];
  }

  setClock(rendition: string, clock: EpochClock): void {
    this.#remember({ clocks: { ...this.#report.memory.clocks, [rendition]: clock } });
  }

  taken(file: TakenFile): void {
    const all = [...this.#report.memory.taken, file];
    const own = all.filter((known) => renditionOf(known) === renditionOf(file));
    const oldest = own.length > REMEMBERED ? own[0] : undefined;
    this.#remember({ taken: all.filter((known) => known !== oldest) });
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

function renditionOf({ rendition = MAIN_RENDITION }: TakenFile): string {
  return rendition;
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
