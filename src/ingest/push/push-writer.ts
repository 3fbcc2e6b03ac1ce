import type { Timer } from '../../base/clock.ts';
import { isZoetropeError, type ZoetropeError } from '../../base/errors.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { StreamStore } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { persistently } from '../back-off.ts';
import type { EventInHand, SerialWriter } from '../serial-lane.ts';
import { endedBy, type Claim, type Waiting } from './claims.ts';
import type { PlaylistEntry, PushedFile, PushedPlaylist, PushRecord } from './push-event.ts';
import { PushedInits } from './pushed-inits.ts';
import { PushedTimeline, type PushedTimelineDeps } from './pushed-timeline.ts';
import { PushedTrack } from './pushed-track.ts';
import { missingInit, nobodysSegment, rejectFile, tooManyRenditions } from './rejected-files.ts';
import { rankOf, RenditionNames } from './rendition-names.ts';
import { SourceKeeper } from './source-keeper.ts';
import type { SourceNotes } from './source-notes.ts';

/** A segment that no playlist has named for so long is taken all the same: its playlist was lost, or there is none. */
const UNNAMED_MS = 20_000;
/** For so long an encoder that begins anew may send its init segment behind the first segment that needs it, before the former one counts. */
const INIT_AGAIN_MS = 2000;
/** Longer than anything that a named segment may rightly wait for: those missing before it, and its init segment. */
const NAMED_MS = 60_000;
/** So many files wait at most; beyond it the oldest is taken at once. */
const MAX_WAITING = 1000;
/** So many playlists are followed at most; beyond it the one that came longest ago is not. */
const MAX_TRACKS = 32;

/** What a writer works with. */
export interface PushWriterDeps extends PushedTimelineDeps {
  readonly catalog: PushedTimelineDeps['catalog'] & Pick<StreamStore, 'getStream' | 'endStream' | 'noteSource'>;
  readonly objects: PushedTimelineDeps['objects'] & Pick<ObjectStore, 'delete'>;
  readonly defaults: StreamSettings;
}

type Track = PushedTrack<Waiting['file']>;

/** How a file is to be taken. Without an entry of a playlist, nothing is known but its bytes and its name. */
interface Taking {
  readonly rendition: string;
  readonly entry: PlaylistEntry | null;
  /** Null: none that it is known to need. */
  readonly initName: string | null;
  /** Of the object of it; null: there is none. */
  readonly initKey: string | null;
  readonly isOutOfOrder: boolean;
  readonly endedByMs: WallMs | null;
}

/** Turns what is pushed to one stream into segments on its timeline, one event after the other. */
export class PushWriter implements SerialWriter<PushRecord> {
  readonly #streamId: string;
  readonly #fence: number;
  readonly #deps: PushWriterDeps;
  readonly #tracks = new Map<string, Track>();
  readonly #timelines = new Map<string, PushedTimeline>();
  /** What is taken next, by playlist. */
  readonly #claims = new Map<string, Claim[]>();
  readonly #inits = new PushedInits<EventInHand<PushedFile>>();
  #waiting: Waiting[] = [];
  #order = 0;
  #stream: Stream | null = null;
  #source: SourceKeeper;
  #names: RenditionNames;
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
    this.#names = new RenditionNames(this.#notes, 0);
  }

  get #notes(): SourceNotes {
    return this.#source.notes;
  }

  /** Segments that wait to be named, or for their turn. */
  get waiting(): number {
    return this.#held().length;
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
          this.#names.saw(record, this.#deps.persistence.clock.monotonicMs());
          event.done();
          break;
        case 'multivariant':
          this.#names.offered(record);
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
    if (this.waiting === 0 && !Number.isFinite(this.#source.dueAtMs)) return;
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
    if (isFirst) {
      this.#source = new SourceKeeper(stream.id, stream.source, this.#deps);
      this.#names = new RenditionNames(this.#notes, this.#deps.persistence.clock.monotonicMs());
    }
    return stream;
  }

  /** A removed stream's pushes are nobody's: they are done, and their files go. */
  async #endIfGone(error: unknown, event: EventInHand<PushRecord> | null): Promise<void> {
    if (!isZoetropeError(error, 'not_found')) throw error;
    this.stop();
    const left = [...this.#held(), ...this.#inits.drain().map((init) => ({ file: init.event }))];
    this.#waiting = [];
    this.#claims.clear();
    for (const { file } of left) await this.#drop(file);
    if (event !== null && !left.some(({ file }) => file.done === event.done)) {
      if ('objectKey' in event.record) await this.#deps.objects.delete([event.record.objectKey]);
      event.done();
    }
    this.#timelines.clear();
    this.#stream = null;
  }

  async #takeInit(event: EventInHand<PushedFile>): Promise<void> {
    const was = this.#inits.add(event.record, event, this.#order++);
    if (was === 'again') await this.#drop(event);
    if (was === 'known') event.done();
    // What a playlist named before an init segment is sent anew belongs to the old one: it is waited for no longer.
    if (was === 'added') {
      for (const track of this.#byRank()) {
        if (track.initName === event.record.name) this.#claim(track, Number.POSITIVE_INFINITY);
      }
    }
  }

  /** Writes down init segments that no waiting segment may need an older one than, and lets those go that they replace. */
  async #keepInits(): Promise<void> {
    const due = this.#inits.keep(this.#held().reduce((oldest, { order }) => Math.min(oldest, order), this.#order));
    if (due.length === 0) return;
    const gone = due
      .filter(({ name, objectKey }) => this.#notes.initKey(name) !== objectKey)
      .flatMap(({ name, objectKey }) => this.#notes.setInit(name, objectKey));
    await this.#source.write();
    this.#inits.forget(gone);
    if (gone.length > 0) await persistently(() => this.#deps.objects.delete(gone), this.#deps.persistence);
    for (const { event } of due) event.done();
  }

  /** An encoder that got no answer sends a file again before it goes on. */
  #isSentAgain({ name, sha256 }: PushedFile): boolean {
    const isTwin = this.#waiting.some(({ file }) => file.record.name === name && file.record.sha256 === sha256);
    if (isTwin) this.#notes.count('duplicates');
    if (isTwin) this.#deps.metrics.duplicate();
    return isTwin;
  }

  #trackOf({ name }: PushedPlaylist): Track {
    const track = this.#tracks.get(name) ?? new PushedTrack(name, this.#notes.renditionOf(name) === null);
    // The newest last.
    this.#tracks.delete(name);
    this.#tracks.set(name, track);
    for (const oldest of this.#tracks.keys()) {
      if (this.#tracks.size <= MAX_TRACKS) break;
      this.#tracks.delete(oldest);
      this.#names.forget(oldest);
      for (const { waiting } of this.#claims.get(oldest) ?? []) this.#waiting.push(waiting);
      this.#claims.delete(oldest);
    }
    return track;
  }

  /** `main` first, so that what goes with it finds its place beside it. */
  #byRank(): readonly Track[] {
    const rank = ({ name }: Track): number => rankOf(this.#notes.renditionOf(name) ?? MAIN_RENDITION);
    return [...this.#tracks.values()].toSorted((a, b) => rank(a) - rank(b));
  }

  async #advance(): Promise<void> {
    const { clock } = this.#deps.persistence;
    this.#timer?.cancel();
    let lookAtMs = Number.POSITIVE_INFINITY;
    // Which file is which segment is settled at once, for names come again.
    for (const track of this.#tracks.values()) lookAtMs = Math.min(lookAtMs, this.#claim(track, clock.monotonicMs()));
    await this.#nameAll();
    for (const { name } of this.#byRank()) lookAtMs = Math.min(lookAtMs, await this.#takeNamed(name));
    for (const [index, waiting] of this.#waiting.entries()) {
      // One that is named waits for others before it; or its playlist named an earlier file, and then it waits in vain.
      const isNamed = [...this.#tracks.values()].some((track) => track.names(waiting.name));
      const untilMs = waiting.sinceMs + (isNamed ? NAMED_MS : UNNAMED_MS);
      const isTooMany = this.#waiting.length > MAX_WAITING && index === 0;
      if (isTooMany || clock.monotonicMs() >= untilMs) await this.#takeUnnamed(waiting);
      else lookAtMs = Math.min(lookAtMs, untilMs);
    }
    await this.#keepInits();
    await this.#source.catchUp();
    lookAtMs = Math.min(lookAtMs, this.#source.dueAtMs);
    if (Number.isFinite(lookAtMs)) {
      this.#timer = clock.schedule(Math.max(1, lookAtMs - clock.monotonicMs()), this.#wake);
    }
  }

  /** Playlists of which it is not said yet whose they are get their renditions, as far as it can be said. Noted before anything is taken. */
  async #nameAll(): Promise<void> {
    const before = this.#notes.report.memory.renditions;
    for (const name of this.#claims.keys()) this.#names.of(name, this.#deps.persistence.clock.monotonicMs());
    if (this.#notes.report.memory.renditions !== before) await this.#source.write();
  }

  /** Takes what is a playlist's; answers with when to look again, by the monotonic clock. */
  async #takeNamed(playlist: string): Promise<number> {
    if (!this.#claims.has(playlist)) return Number.POSITIVE_INFINITY;
    const nowMs = this.#deps.persistence.clock.monotonicMs();
    const naming = this.#names.of(playlist, nowMs);
    if (naming.kind === 'wait') return naming.untilMs;
    return this.#writeClaims(playlist, naming.kind === 'named' ? naming.rendition : null, nowMs);
  }

  #claim(track: Track, nowMs: number): number {
    for (;;) {
      const step = track.next(this.#waiting, nowMs);
      if (step.kind === 'wait') return step.untilMs;
      if (step.kind === 'none') return Number.POSITIVE_INFINITY;
      this.#claims.set(track.name, [...(this.#claims.get(track.name) ?? []), step]);
      this.#waiting = this.#waiting.filter((other) => other !== step.waiting);
      track.took(step);
    }
  }

  /** @param rendition null: it has none and gets none */
  async #writeClaims(playlist: string, rendition: string | null, nowMs: number): Promise<number> {
    for (;;) {
      const [claim, ...behind] = this.#claims.get(playlist) ?? [];
      if (claim === undefined) {
        this.#claims.delete(playlist);
        return Number.POSITIVE_INFINITY;
      }
      const { waiting, entry, isOutOfOrder } = claim;
      const init = this.#initOf(claim);
      if (nowMs < init.untilMs) return init.untilMs;
      if (rendition === null) await this.#reject(waiting, tooManyRenditions(playlist));
      else {
        const { initName } = entry;
        const endedByMs = endedBy(claim, behind);
        await this.#write(waiting, { rendition, entry, initName, initKey: init.key, isOutOfOrder, endedByMs });
      }
      this.#claims.set(playlist, behind);
    }
  }

  #held(): readonly Waiting[] {
    return [...[...this.#claims.values()].flat().map(({ waiting }) => waiting), ...this.#waiting];
  }

  /** Takes a file that no playlist names: as that of the playlist whose files are called like it, else of the only one there is. */
  async #takeUnnamed(waiting: Waiting): Promise<void> {
    const alike = [...this.#tracks.values()].filter((track) => track.namesAlike(waiting.name));
    const own = alike.flatMap(({ name }) => this.#notes.renditionOf(name) ?? []);
    const all = new Set(Object.values(this.#notes.report.memory.renditions));
    const [rendition = MAIN_RENDITION] = own.length > 0 ? own : all;
    if (own.length > 1 || (own.length === 0 && all.size > 1))
      return this.#reject(waiting, nobodysSegment(waiting.name));
    const timeline = await this.#timelineOf(rendition);
    const isOutOfOrder = timeline.hasNewer(waiting.file.record);
    const initName = alike[0]?.initName ?? null;
    const initKey = this.#initOfUnnamed(waiting, initName);
    await this.#write(waiting, { rendition, entry: null, initName, initKey, isOutOfOrder, endedByMs: null });
  }

  /** The init segment that a segment needs, and until when another one is waited for. */
  #initOf({ waiting, entry, begins, runSince }: Claim): { readonly key: string | null; readonly untilMs: number } {
    const name = entry.initName;
    const noWait = Number.NEGATIVE_INFINITY;
    if (waiting.file.record.container === 'ts' || name === null) {
      return { key: this.#initOfUnnamed(waiting, name), untilMs: noWait };
    }
    const wish = { name, order: waiting.order };
    const former = this.#notes.initKey(name);
    const ofRun = this.#inits.find({ ...wish, runSince }, former);
    if (ofRun !== null) return { key: ofRun, untilMs: noWait };
    const key = this.#inits.find({ ...wish, runSince: null }, former);
    if (key === null) return { key, untilMs: waiting.sinceMs + UNNAMED_MS };
    return { key, untilMs: begins && runSince !== null ? waiting.sinceMs + INIT_AGAIN_MS : noWait };
  }

  /** The same where no run is known: by its name, else the newest before the segment. */
  #initOfUnnamed({ file, order }: Waiting, name: string | null): string | null {
    if (file.record.container === 'ts') return null;
    if (name !== null) return this.#inits.find({ name, order, runSince: null }, this.#notes.initKey(name));
    return this.#inits.newestBefore(order) ?? Object.values(this.#notes.report.memory.inits).at(-1) ?? null;
  }

  async #write(
    waiting: Waiting,
    { rendition, entry, initName, initKey, isOutOfOrder, endedByMs }: Taking,
  ): Promise<void> {
    const { defaults, catalog, persistence } = this.#deps;
    const stream = await this.#open();
    const { record } = waiting.file;
    const timeline = await this.#timelineOf(rendition);
    if (record.container === 'fmp4' && initKey === null && initName !== null) {
      return this.#reject(waiting, missingInit(record.name, initName));
    }
    if (stream.endedAtMs !== null) {
      this.#stream = await persistently(() => catalog.endStream(stream.id, null), persistence);
    }
    const facts = {
      programDateTimeMs: entry?.programDateTimeMs == null ? null : wallMs(entry.programDateTimeMs),
      discontinuity: entry?.discontinuity ?? false,
      isOutOfOrder,
      durationMs: entry?.durationMs ?? 0,
      endedByMs,
    };
    await timeline.take(record, initKey, facts, effectiveSettings(stream, defaults));
    await this.#finish(waiting);
  }

  async #reject(waiting: Waiting, error: ZoetropeError): Promise<void> {
    rejectFile(this.#deps, this.#notes, waiting.name, error);
    await this.#finish(waiting);
  }

  async #finish(waiting: Waiting): Promise<void> {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    await this.#source.nowAndThen();
    await this.#drop(waiting.file);
  }

  async #drop({ record, done }: EventInHand<PushedFile>): Promise<void> {
    await persistently(() => this.#deps.objects.delete([record.objectKey]), this.#deps.persistence);
    done();
  }

  async #timelineOf(rendition: string): Promise<PushedTimeline> {
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
}
