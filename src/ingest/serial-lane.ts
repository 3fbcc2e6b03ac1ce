import type { LoggedEvent } from '../events/event-log.ts';
import type { Lane, LaneContext } from './lane.ts';

/** An event on its way, and what to call when nothing of it is left to be done. */
export interface EventInHand<R> {
  readonly record: R;
  readonly done: () => void;
  /** Gives it up: it goes to the dead letters, and is done then. */
  readonly bury: (code: string, cause: string) => void;
}

/** What writes one stream, one event after the other. */
export interface SerialWriter<R> {
  /** Events that were taken and wait inside it. */
  readonly waiting: number;
  /** Takes an event up; it may be done later. @throws what only a new owner of the partition can mend */
  take(event: EventInHand<R>): Promise<void>;
  /** Goes on with what waits. @throws as {@link SerialWriter.take} */
  advance(): Promise<void>;
  /** The catalog says that the stream changed. */
  refresh(): void;
  /** Lets everything go. */
  stop(): void;
}

/** A lane whose writer does one thing at a time. At a drain it ends what it does and leaves the rest to the next owner. */
export class SerialLane<R> implements Lane<R> {
  readonly streamId: string;
  readonly #context: LaneContext;
  readonly #writer: SerialWriter<R>;
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;
  #isDraining = false;

  /** @param open makes the writer; its `wake` asks for {@link SerialWriter.advance} in turn with the events. */
  constructor(streamId: string, context: LaneContext, open: (wake: () => void) => SerialWriter<R>) {
    this.streamId = streamId;
    this.#context = context;
    this.#writer = open(() => this.#enqueue(() => this.#writer.advance()));
  }

  get pending(): number {
    return this.#queued + this.#writer.waiting;
  }

  take(record: R, event: LoggedEvent): void {
    const done = (): void => this.#context.done(event.offset);
    const bury = (code: string, cause: string): void => void this.#context.bury(event, code, cause);
    this.#enqueue(
      () => this.#writer.take({ record, done, bury }),
      () => this.#context.taken(),
    );
  }

  refresh(): void {
    this.#writer.refresh();
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#tail;
  }

  stop(): void {
    this.#writer.stop();
  }

  #enqueue(work: () => Promise<void>, onTaken: () => void = () => undefined): void {
    const { signal } = this.#context;
    this.#queued += 1;
    this.#tail = this.#tail
      .then(async () => {
        if (!signal.aborted && !this.#isDraining) await work();
      })
      .catch((error: unknown) => {
        if (!signal.aborted) this.#context.failed(error);
      })
      .finally(() => {
        this.#queued -= 1;
        onTaken();
      });
  }
}
