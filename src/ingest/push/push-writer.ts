import type { Timer } from '../../base/clock.ts';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import { wallMs } from '../../base/time.ts';
import type { StreamStore } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { persistently } from '../back-off.ts';
import type { EventInHand, SerialWriter } from '../serial-lane.ts';
import type { PlaylistEntry, PushedFile, PushedPlaylist, PushRecord } from './push-event.ts';
import { PushedInits } from './pushed-inits.ts';
import { PushedTimeline, type PushedTimelineDeps } from './pushed-timeline.ts';
import { PushedTrack, type TrackStep, type WaitingFile } from './pushed-track.ts';
import { SourceKeeper } from './source-keeper.ts';
import type { SourceNotes } from './source-notes.ts';

/** A segment that no playlist has named for so long is taken all the same: its playlist was lost, or there is none. */
const UNNAMED_MS = 20_000;
/** For so long an encoder that begins anew may send its init segment behind the first segment that needs it, before the former one counts. */
const INIT_AGAIN_MS = 2000;
/** Longer than anything that a named segment may rightly wait for: those missing before it, and its init segment. */
const NAMED_MS = 60_000;

/** What a writer works with. */
export interface PushWriterDeps extends PushedTimelineDeps {
  readonly catalog: PushedTimelineDeps['catalog'] & Pick<StreamStore, 'getStream' | 'endStream' | 'noteSource'>;
  readonly objects: PushedTimelineDeps['objects'] & Pick<ObjectStore, 'delete'>;
  readonly defaults: StreamSettings;
}

type Waiting = WaitingFile<EventInHand<PushedFile>>;
type TakeStep = Extract<TrackStep<Waiting['file']>, { readonly kind: 'take' }>;

/** Turns what is pushed to one stream into segments on its timeline, one event after the other. */
export class PushWriter implements SerialWriter<PushRecord> {
  readonly #streamId: string;
  readonly #fence: number;
  readonly #deps: PushWriterDeps;
  readonly #tracks = new Map<string, PushedTrack<Waiting['file']>>();
  readonly #timelines = new Map<string, PushedTimeline>();
  readonly #inits = new PushedInits<EventInHand<PushedFile>>();
  #waiting: Waiting[] = [];
  #order = 0;
  #stream: Stream | null = null;
  #source: SourceKeeper;
  #isStale = false;
  #timer: Timer | null = null;
  readonly #wake: () => void;

  /** `wake` asks for {@link PushWriter.advance} in turn with the events. */
  constructor(streamId: string, fence: number, deps: PushWriterDeps, wake: () => void) {
    this.#streamId = streamId;
    this.#fence = fence;
    this.#deps = deps;
    this.#wake = wake;
    this.#source = new SourceKeeper(streamId, null, deps);
  }

  get #notes(): SourceNotes {
    return this.#source.notes;
  }

  /** Segments that wait to be named. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The stream's settings changed: they are read again before the next segment. */
  refresh(): void {
    this.#isStale = true;
  }

  /** Takes an event. @throws what only a new owner of the partition can mend */
  async take(event: EventInHand<PushRecord>): Promise<void> {
    try {
      await this.#open();
      const { record } = event;
      switch (record.kind) {
        case 'init':
          await this.#takeInit({ ...event, record });
          break;
        case 'segment':
          if (this.#isSentAgain(record)) return await this.#drop({ ...event, record });
          this.#waiting.push({
            file: { ...event, record },
            name: record.name,
            order: this.#order++,
            sinceMs: this.#deps.persistence.clock.monotonicMs(),
          });
          break;
        case 'playlist':
          this.#trackOf(record).update(record, this.#order++, this.#waiting);
          event.done();
          break;
      }
      await this.#advance();
    } catch (error) {
      await this.#endIfGone(error, event);
    }
  }

  /** Goes on with what waits: a missing segment is given up, one that nobody named is taken. */
  async advance(): Promise<void> {
    if (this.#waiting.length === 0 && !Number.isFinite(this.#source.dueAtMs)) return;
    try {
      await this.#open();
      await this.#advance();
    } catch (error) {
      await this.#endIfGone(error, null);
    }
  }

  /** Lets everything go; what is not done is the next owner's. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #open(): Promise<Stream> {
    if (this.#stream !== null && !this.#isStale) return this.#stream;
    const isFirst = this.#stream === null;
    this.#isStale = false;
    const stream = await persistently(() => this.#deps.catalog.getStream(this.#streamId), this.#deps.persistence);
    this.#stream = stream;
    if (isFirst) this.#source = new SourceKeeper(stream.id, stream.source, this.#deps);
    return stream;
  }

  /** A removed stream's pushes are nobody's: they are done, and their files go. */
  async #endIfGone(error: unknown, event: EventInHand<PushRecord> | null): Promise<void> {
    if (!isZoetropeError(error, 'not_found')) throw error;
    this.stop();
    const left = [...this.#waiting.splice(0), ...this.#inits.drain().map((init) => ({ file: init.event }))];
    for (const { file } of left) await this.#drop(file);
    if (event !== null && !left.some(({ file }) => file.done === event.done)) {
      if (event.record.kind !== 'playlist') await this.#deps.objects.delete([event.record.objectKey]);
      event.done();
    }
    this.#timelines.clear();
    this.#stream = null;
  }

  async #takeInit(event: EventInHand<PushedFile>): Promise<void> {
    const was = this.#inits.add(event.record, event, this.#order++);
    if (was === 'again') await this.#drop(event);
    if (was === 'known') event.done();
  }

  /** Writes down init segments that no waiting segment may need an older one than, and lets those go that they replace. */
  async #keepInits(): Promise<void> {
    const due = this.#inits.keep(this.#waiting.reduce((oldest, { order }) => Math.min(oldest, order), this.#order));
    if (due.length === 0) return;
    const replaced: string[] = [];
    for (const { name, objectKey } of due) {
      const before = this.#notes.initKey(name);
      if (before !== null && before !== objectKey) replaced.push(before);
      this.#notes.setInit(name, objectKey);
    }
    await this.#source.write();
    if (replaced.length > 0) await persistently(() => this.#deps.objects.delete(replaced), this.#deps.persistence);
    for (const { event } of due) event.done();
  }

  /** An encoder that got no answer sends a file again before it goes on. */
  #isSentAgain({ name, sha256 }: PushedFile): boolean {
    const isTwin = this.#waiting.some(({ file }) => file.record.name === name && file.record.sha256 === sha256);
    if (isTwin) this.#notes.count('duplicates');
    if (isTwin) this.#deps.metrics.duplicate();
    return isTwin;
  }

  #trackOf({ name }: PushedPlaylist): PushedTrack<Waiting['file']> {
    let track = this.#tracks.get(name);
    if (track === undefined) {
      track = new PushedTrack(name, this.#notes.renditionOf(name) === null);
      this.#tracks.set(name, track);
    }
    return track;
  }

  async #advance(): Promise<void> {
    const { clock } = this.#deps.persistence;
    this.#timer?.cancel();
    let lookAtMs = Number.POSITIVE_INFINITY;
    for (const track of this.#tracks.values()) {
      for (;;) {
        const step = track.next(this.#waiting, clock.monotonicMs());
        if (step.kind === 'wait') lookAtMs = Math.min(lookAtMs, step.untilMs);
        if (step.kind !== 'take') break;
        const init = this.#initOf(step);
        if (clock.monotonicMs() < init.untilMs) {
          lookAtMs = Math.min(lookAtMs, init.untilMs);
          break;
        }
        await this.#write(step.waiting, step.entry, { track, isOutOfOrder: step.isOutOfOrder, initKey: init.key });
        track.took(step);
      }
    }
    for (const waiting of this.#waiting) {
      // One that is named waits for others before it; or its playlist named an earlier file, and then it waits in vain.
      const isNamed = [...this.#tracks.values()].some((track) => track.names(waiting.name));
      const untilMs = waiting.sinceMs + (isNamed ? NAMED_MS : UNNAMED_MS);
      if (clock.monotonicMs() >= untilMs) await this.#writeUnnamed(waiting);
      else lookAtMs = Math.min(lookAtMs, untilMs);
    }
    await this.#keepInits();
    await this.#source.catchUp();
    lookAtMs = Math.min(lookAtMs, this.#source.dueAtMs);
    if (Number.isFinite(lookAtMs)) {
      this.#timer = clock.schedule(Math.max(1, lookAtMs - clock.monotonicMs()), this.#wake);
    }
  }

  /** The init segment that a segment needs, and until when another one is waited for. */
  #initOf({ waiting, entry, begins, runSince }: TakeStep): { readonly key: string | null; readonly untilMs: number } {
    const name = entry.initName;
    const noWait = Number.NEGATIVE_INFINITY;
    if (waiting.file.record.container === 'ts' || name === null) return { key: null, untilMs: noWait };
    const wish = { name, order: waiting.order };
    const former = this.#notes.initKey(name);
    const ofRun = this.#inits.find({ ...wish, runSince }, former);
    if (ofRun !== null) return { key: ofRun, untilMs: noWait };
    const key = this.#inits.find({ ...wish, runSince: null }, former);
    if (key === null) return { key, untilMs: waiting.sinceMs + UNNAMED_MS };
    return { key, untilMs: begins && runSince !== null ? waiting.sinceMs + INIT_AGAIN_MS : noWait };
  }

  async #writeUnnamed(waiting: Waiting): Promise<void> {
    const { container } = waiting.file.record;
    const known = (): string | null =>
      this.#inits.newestBefore(waiting.order) ?? Object.values(this.#notes.report.memory.inits).at(-1) ?? null;
    await this.#write(waiting, null, {
      track: null,
      isOutOfOrder: false,
      initKey: container === 'ts' ? null : known(),
    });
  }

  async #write(
    waiting: Waiting,
    entry: PlaylistEntry | null,
    how: {
      readonly track: PushedTrack<Waiting['file']> | null;
      readonly isOutOfOrder: boolean;
      readonly initKey: string | null;
    },
  ): Promise<void> {
    const { track, isOutOfOrder, initKey } = how;
    const { defaults, catalog, persistence } = this.#deps;
    const stream = await this.#open();
    const { record } = waiting.file;
    const timeline = await this.#timelineOf(track?.name ?? null);
    if (record.container === 'fmp4' && initKey === null && entry?.initName != null) {
      timeline.reject(record.name, missingInit(record, entry.initName));
    } else {
      if (stream.endedAtMs !== null) {
        this.#stream = await persistently(() => catalog.endStream(stream.id, null), persistence);
      }
      const facts = {
        programDateTimeMs: entry?.programDateTimeMs == null ? null : wallMs(entry.programDateTimeMs),
        discontinuity: entry?.discontinuity ?? false,
        isOutOfOrder,
        durationMs: entry?.durationMs ?? 0,
      };
      await timeline.take(record, initKey, facts, effectiveSettings(stream, defaults));
    }
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    await this.#source.nowAndThen();
    await this.#drop(waiting.file);
  }

  async #drop({ record, done }: EventInHand<PushedFile>): Promise<void> {
    await persistently(() => this.#deps.objects.delete([record.objectKey]), this.#deps.persistence);
    done();
  }

  async #timelineOf(playlist: string | null): Promise<PushedTimeline> {
    const rendition = this.#renditionOf(playlist);
    const known = this.#timelines.get(rendition);
    if (known !== undefined) return known;
    const place = { streamId: this.#streamId, rendition, fence: this.#fence };
    const timeline = await persistently(
      () => PushedTimeline.open(this.#deps, place, this.#notes),
      this.#deps.persistence,
    );
    this.#timelines.set(rendition, timeline);
    return timeline;
  }

  #renditionOf(playlist: string | null): string {
    if (playlist === null) return MAIN_RENDITION;
    const known = this.#notes.renditionOf(playlist);
    if (known !== null) return known;
    // Several playlists are several renditions; an encoder that names its only one anew goes on with the old one.
    const others = [...this.#tracks.keys()].flatMap((name) =>
      name === playlist ? [] : (this.#notes.renditionOf(name) ?? []),
    );
    const rendition = others.includes(MAIN_RENDITION) ? `v${new Set(others).size}` : MAIN_RENDITION;
    this.#notes.setRendition(playlist, rendition);
    return rendition;
  }
}

function missingInit({ name }: PushedFile, initName: string): ZoetropeError {
  return new ZoetropeError(
    'missing_input',
    `The segment ${name} needs the init segment ${initName}, which was never sent. Send it before the segments.`,
  );
}
