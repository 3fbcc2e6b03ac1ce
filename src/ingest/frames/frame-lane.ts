import type { WallMs } from '../../base/time.ts';
import type { LoggedEvent } from '../../events/event-log.ts';
import type { Lane, LaneContext, LanePlan } from '../lane.ts';
import { FRAMES_TOPIC, identityOf, keyOf, readFrameEvent, type IncomingFrame } from './frame-event.ts';
import { StreamWriter, type StreamWriterDeps } from './stream-writer.ts';

const READ_BATCH = 256;

/** What the lanes of frames work with. */
export interface FrameLaneDeps extends StreamWriterDeps {
  /** Frames of the partition that may be in memory; beyond it reading pauses. */
  readonly maxPending: number;
  /** Frames of one stream; beyond it a stream that waits for missing pictures loses further frames to the dead letters. */
  readonly maxPendingPerStream: number;
  readonly seen: (streamId: string, capturedAtMs: WallMs, receivedAtMs: number) => void;
}

/** How frame events become segments: a writer for each stream. */
export function framePlan(deps: FrameLaneDeps): LanePlan<IncomingFrame> {
  return {
    topic: FRAMES_TOPIC,
    readBatch: READ_BATCH,
    maxQueued: deps.maxPending,
    readEvent: readFrameEvent,
    laneKey: (frame) => identityOf(frame.target),
    openLane: (frame, context) => new FrameLane(frame, context, deps),
    onRead: () => deps.metrics.received(1),
    onBuried: (code) => deps.metrics.dead(code),
  };
}

/** A stream of frames. At a drain it closes its open segment and waits until that is durable. */
class FrameLane implements Lane<IncomingFrame> {
  readonly #context: LaneContext;
  readonly #maxPending: number;
  readonly #writer: StreamWriter;

  constructor({ target }: IncomingFrame, context: LaneContext, deps: FrameLaneDeps) {
    this.#context = context;
    this.#maxPending = deps.maxPendingPerStream;
    this.#writer = new StreamWriter(
      target,
      context.fence,
      { ...deps, logger: deps.logger.child({ stream: keyOf(target) }) },
      {
        done: ({ offset }) => {
          context.done(offset);
          context.taken();
        },
        bury: (dead, code, cause, tries) =>
          context.publishDead(keyOf(dead.target), { code, cause, tries, event: dead.record }),
        seen: deps.seen,
        failed: (error) => context.failed(error),
      },
    );
  }

  get pending(): number {
    return this.#writer.pending;
  }

  get streamId(): string | null {
    return this.#writer.streamId;
  }

  take(frame: IncomingFrame, event: LoggedEvent): void {
    if (this.#writer.isWaitingForPictures && this.#writer.pending >= this.#maxPending) {
      const cause = 'Pictures of the stream keep missing, and its queue is full.';
      void this.#context.bury(event, 'too_many', cause).then(() => this.#context.taken());
    } else {
      this.#writer.push(frame);
    }
  }

  refresh(): void {
    this.#writer.refresh();
  }

  drain(): Promise<void> {
    return this.#writer.drain();
  }

  stop(): void {
    this.#writer.stop();
  }
}
