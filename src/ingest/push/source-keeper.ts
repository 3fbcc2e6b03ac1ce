import { wallMs } from '../../base/time.ts';
import type { StreamStore } from '../../catalog/catalog.ts';
import type { SourceReport } from '../../timeline/source-report.ts';
import type { Stream } from '../../timeline/stream.ts';
import { persistently, type Persistence } from '../back-off.ts';
import { SourceNotes } from './source-notes.ts';

/** What is known of a source is written down at most so often, but always when an epoch begins. */
const EVERY_MS = 1000;

/** What a source's notes are kept with. */
export interface SourceKeeperDeps {
  readonly catalog: Pick<StreamStore, 'noteSource' | 'endStream'>;
  readonly persistence: Persistence;
}

/** Writes the notes of a stream's source down: not with each segment, and soon enough for whoever goes on with it. */
export class SourceKeeper {
  readonly notes: SourceNotes;
  readonly #streamId: string;
  readonly #deps: SourceKeeperDeps;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #writtenEpochs: number;
  #isDue = false;

  constructor(streamId: string, report: SourceReport | null, deps: SourceKeeperDeps) {
    this.notes = new SourceNotes(report);
    this.#streamId = streamId;
    this.#deps = deps;
    this.#writtenEpochs = this.notes.report.epochs;
  }

  /** When what is known is to be written, by the monotonic clock; infinite: it is. */
  get dueAtMs(): number {
    return this.#isDue ? this.#writtenAtMs + EVERY_MS : Number.POSITIVE_INFINITY;
  }

  /** When the stream was ended last by whoever asked for it; minus infinity: never. */
  get endedAtMs(): number {
    return this.notes.report.memory.lastEndAtMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Something is known that was not: writes it, unless that was done a moment ago. */
  async nowAndThen(): Promise<void> {
    const nowMs = this.#deps.persistence.clock.monotonicMs();
    this.#isDue = this.notes.report.epochs === this.#writtenEpochs && nowMs - this.#writtenAtMs < EVERY_MS;
    if (!this.#isDue) await this.write();
  }

  /** Writes what is due. */
  async catchUp(): Promise<void> {
    if (this.#isDue) await this.nowAndThen();
  }

  /** Ends the stream at a time. Null: that was done before; what is read again must not end what went on since. */
  async end(atMs: number): Promise<Stream | null> {
    const { catalog, persistence } = this.#deps;
    if (atMs <= this.endedAtMs) return null;
    const stream = await persistently(() => catalog.endStream(this.#streamId, wallMs(atMs)), persistence);
    this.notes.ended(wallMs(atMs));
    // Of a source that never sent anything there is nothing to say.
    if (this.notes.report.segments + this.notes.report.rejected > 0) await this.write();
    return stream;
  }

  /** Resolves when all that is known is durable. */
  async write(): Promise<void> {
    const { catalog, persistence } = this.#deps;
    await persistently(() => catalog.noteSource(this.#streamId, this.notes.report), persistence);
    this.#writtenAtMs = persistence.clock.monotonicMs();
    this.#writtenEpochs = this.notes.report.epochs;
    this.#isDue = false;
  }
}
