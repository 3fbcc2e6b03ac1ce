import type { Clock } from '../base/clock.ts';
import type { Answer } from './server-client.ts';

const FIRST_BACK_OFF_MS = 250;
const LONGEST_BACK_OFF_MS = 5000;

/** What an outbox is made of. */
export interface OutboxOptions<T> {
  readonly clock: Clock;
  /** What waits beyond this is given up, oldest first. */
  readonly maxWaiting: number;
  /** The most that goes out at once. */
  readonly batchSize: number;
  readonly send: (batch: readonly T[]) => Promise<Answer>;
  readonly onAnswer: (batch: readonly T[], answer: Answer) => void;
  readonly onRetry: (reason: string) => void;
  readonly onLost: (item: T) => void;
}

/** Sends things one batch after the other, in order, again and again until the server takes or refuses them. */
export class OrderedOutbox<T> {
  readonly #options: OutboxOptions<T>;
  readonly #waiting: T[] = [];
  readonly #stop = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(options: OutboxOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    this.#waiting.push(item);
    if (this.#waiting.length > this.#options.maxWaiting) {
      const oldest = this.#waiting.shift();
      if (oldest !== undefined) this.#options.onLost(oldest);
    }
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Goes on sending for at most `graceMs`; what still waits then is lost. */
  async close(graceMs: number): Promise<void> {
    const timer = this.#options.clock.schedule(graceMs, () => this.#stop.abort());
    await this.#sending;
    timer.cancel();
    for (const item of this.#waiting.splice(0)) this.#options.onLost(item);
  }

  async #sendAll(): Promise<void> {
    const { clock, batchSize, send, onAnswer, onRetry } = this.#options;
    let backOffMs = FIRST_BACK_OFF_MS;
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const batch = this.#waiting.splice(0, batchSize);
      const answer = await send(batch);
      if (answer.outcome !== 'unavailable') {
        backOffMs = FIRST_BACK_OFF_MS;
        onAnswer(batch, answer);
        continue;
      }
      onRetry(answer.reason);
      this.#waiting.unshift(...batch);
      await clock.wait(answer.waitMs ?? backOffMs, this.#stop.signal).catch(() => undefined);
      backOffMs = Math.min(backOffMs * 2, LONGEST_BACK_OFF_MS);
    }
  }
}
