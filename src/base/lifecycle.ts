import { type Clock } from './clock.ts';
import { type Component } from './component.ts';
import { messageOf, ZoetropeError } from './errors.ts';
import { type Logger } from './logger.ts';

/** How long each component may take, in milliseconds. */
export interface LifecycleLimits {
  readonly startMs: number;
  readonly closeMs: number;
}

/** Starts components in order and closes those that were started in reverse order, each under a deadline. */
export class Lifecycle implements Component {
  readonly name: string;
  readonly #components: readonly Component[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: LifecycleLimits;
  #started: Component[] = [];
  #closing: Promise<void> | undefined;

  constructor(
    name: string,
    components: readonly Component[],
    deps: { readonly clock: Clock; readonly logger: Logger; readonly limits?: LifecycleLimits },
  ) {
    this.name = name;
    this.#components = components;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#limits = deps.limits ?? { startMs: 60_000, closeMs: 20_000 };
  }

  /** @throws the first component's error, after closing what had started. */
  async start(signal: AbortSignal): Promise<void> {
    for (const component of this.#components) {
      signal.throwIfAborted();
      this.#started.push(component);
      try {
        await this.#within(this.#limits.startMs, component.start(signal), `start ${component.name}`);
      } catch (error) {
        await this.close();
        throw error;
      }
    }
  }

  /** Closes everything even when a part fails. @throws an AggregateError of the failures. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const component of this.#started.reverse()) {
      try {
        await this.#within(this.#limits.closeMs, component.close(), `close ${component.name}`);
      } catch (error) {
        this.#logger.error({ component: component.name, error: messageOf(error) }, 'component did not close cleanly');
        failures.push(error);
      }
    }
    this.#started = [];
    if (failures.length > 0) throw new AggregateError(failures, `${this.name} did not close cleanly`);
  }

  async #within(limitMs: number, work: Promise<void>, what: string): Promise<void> {
    let expire: ((error: Error) => void) | undefined;
    const deadline = new Promise<never>((_, reject) => {
      expire = reject;
    });
    const timer = this.#clock.schedule(limitMs, () => {
      expire?.(new ZoetropeError('deadline_exceeded', `Could not ${what} within ${limitMs} ms.`));
    });
    try {
      await Promise.race([work, deadline]);
    } finally {
      timer.cancel();
    }
  }
}
