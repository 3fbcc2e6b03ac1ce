import type { LoggedEvent } from '../events/event-log.ts';

/** What one stream's events of an owned partition go through, in order. Its trouble is its own: it waits and retries alone. */
export interface Lane<R> {
  /** Events that were taken and are not done. A lane that has some is not forgotten. */
  readonly pending: number;
  /** The stream that it writes; null: not known yet. */
  readonly streamId: string | null;
  /** Takes an event. It must end in {@link LaneContext.done} or {@link LaneContext.bury}, and for each {@link LaneContext.taken} is called once. */
  take(record: R, event: LoggedEvent): void;
  /** The catalog says that its stream changed. */
  refresh(): void;
  /** Finishes what can be finished now and takes nothing more up; resolves then. What is left is the next owner's. */
  drain(): Promise<void>;
  /** Lets everything go at once; what is not done is the next owner's. */
  stop(): void;
}

/** What a lane has of the worker that feeds it. */
export interface LaneContext {
  readonly fence: number;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** The event is durable, dead or known: nothing of it is left to be done. */
  done(offset: number): void;
  /** An event needs no more room in the queue: others may be read. */
  taken(): void;
  /** Gives an event up: it goes to the dead letters, however long that takes, and is done when this resolves. It never rejects. */
  bury(event: LoggedEvent, code: string, cause: string): Promise<void>;
  /** Publishes a dead letter. @throws when the log cannot take it */
  publishDead(key: string, letter: { code: string; cause: string; tries: number; event: unknown }): Promise<void>;
  /** The lane cannot go on, and only a new owner of the partition can mend that. */
  failed(error: unknown): void;
}

/** How the events of a topic become what they are to become. */
export interface LanePlan<R> {
  readonly topic: string;
  /** Events that are read at once. */
  readonly readBatch: number;
  /** Events that may wait in lanes; beyond it reading pauses. */
  readonly maxQueued: number;
  /** @throws what is wrong with the event, for the dead letters */
  readEvent(event: LoggedEvent): R;
  /** Tells lanes apart. */
  laneKey(record: R): string;
  openLane(record: R, context: LaneContext): Lane<R>;
  /** Counts an event that was read. */
  readonly onRead?: () => void;
  /** Counts an event that was given up, by error code. */
  readonly onBuried?: (code: string) => void;
}
