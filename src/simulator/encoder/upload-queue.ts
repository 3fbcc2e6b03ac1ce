import type { Clock } from '../../base/clock.ts';
import { OrderedOutbox } from '../ordered-outbox.ts';
import type { Answer } from '../server-client.ts';
import type { Sent } from '../send-request.ts';
import type { LiveTally } from './live-tally.ts';

/** One request of several that belong together. */
export interface UploadStep {
  readonly send: () => Promise<Sent>;
  /** Told when the server took it. */
  readonly onAccepted?: () => void;
  /** Told when the server refused it; the steps after it are taken all the same. */
  readonly onRefused?: () => void;
}

/** What is to be done for one segment, in order. */
export interface SegmentUpload {
  readonly steps: readonly UploadStep[];
  /** Segments that are lost when it is given up. */
  readonly segments: number;
}

interface Waiting extends SegmentUpload {
  done: number;
}

/** Segments that may wait for the server: a minute of the usual ones. */
const MAX_WAITING = 30;

/** Sends what belongs to segments, one after the other, again and again until the server takes or refuses it; gives up the oldest when too many wait. */
export class UploadQueue {
  readonly #outbox: OrderedOutbox<Waiting>;
  readonly #onComplaint: (reason: string) => void;

  constructor(options: {
    readonly clock: Clock;
    readonly tally: LiveTally;
    readonly onComplaint: (reason: string) => void;
  }) {
    const { clock, tally, onComplaint } = options;
    this.#onComplaint = onComplaint;
    this.#outbox = new OrderedOutbox<Waiting>({
      clock,
      maxWaiting: MAX_WAITING,
      batchSize: 1,
      send: async ([upload]) =>
        upload === undefined ? { outcome: 'accepted', streamIds: [] } : await this.#send(upload),
      onAnswer: () => undefined,
      onRetry: (reason) => {
        tally.retries += 1;
        onComplaint(reason);
      },
      onLost: (upload) => (tally.lost += upload.segments),
    });
  }

  add(upload: SegmentUpload): void {
    this.#outbox.add({ ...upload, done: 0 });
  }

  /** Goes on sending for at most `graceMs`; what still waits then is lost. */
  close(graceMs: number): Promise<void> {
    return this.#outbox.close(graceMs);
  }

  async #send(upload: Waiting): Promise<Answer> {
    for (const step of upload.steps.slice(upload.done)) {
      const sent = await step.send();
      if (sent.outcome === 'unavailable') return sent;
      upload.done += 1;
      if (sent.outcome === 'accepted') step.onAccepted?.();
      else {
        this.#onComplaint(sent.reason);
        step.onRefused?.();
      }
    }
    return { outcome: 'accepted', streamIds: [] };
  }
}
