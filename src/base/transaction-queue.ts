import { ZoetropeError } from './errors.ts';

/** The transactions of one database, one after the other. What answers no promise keeps synchronous work within one turn of the event loop. */
export interface Transactions {
  begin(): Promise<void>;
  commit(): void | Promise<void>;
  /** Ends whatever is open. Must not throw. */
  rollBack(): void | Promise<void>;
  savepoint(): void | Promise<void>;
  release(): void | Promise<void>;
  /** Back to the savepoint, which is then gone. */
  undo(): void | Promise<void>;
  /** False when a failure has ended the transaction as a whole. */
  readonly isOpen: boolean;
  /** A failure as one of ours. */
  toError(error: unknown, action: string): unknown;
}

/** What to do around each shared transaction. */
export interface TransactionHooks {
  /** Inside the transaction, before the first call. */
  readonly begun?: () => void | Promise<void>;
  /** Inside the transaction, after the last call; a failure fails all of them. */
  readonly ending?: () => void | Promise<unknown>;
  /** After the commit, before any caller hears of it. Must not throw. */
  readonly committed?: () => void;
  /** After a transaction that failed as a whole. Must not throw. */
  readonly failed?: () => void;
}

interface Call {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What became of it inside the transaction; known to the caller only after the commit. */
  outcome: { readonly value: unknown } | { readonly error: unknown } | undefined;
}

const MAX_WAITING = 50_000;
const MAX_CALLS_PER_TRANSACTION = 1_000;

/**
 * The writer of a database: calls made in one turn of the event loop, or while a transaction runs, share the next transaction and
 * its one fsync. Each runs in a savepoint, so that it succeeds or fails alone, and resolves when the transaction is durable.
 * A call's work may touch the database only, and wait for nothing else.
 */
export class TransactionQueue {
  readonly #transactions: Transactions;
  readonly #hooks: TransactionHooks;
  #waiting: Call[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(transactions: Transactions, hooks: TransactionHooks = {}) {
    this.#transactions = transactions;
    this.#hooks = hooks;
  }

  /** Resolves with the work's answer when it is durable. @throws what the work throws; storage_full, unavailable; too_many when 50,000 calls wait */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new ZoetropeError('unavailable', 'The database is closed.'));
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(
        new ZoetropeError('too_many', `${MAX_WAITING} writes are waiting for the disk. Send less, or try again later.`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject, outcome: undefined });
      this.#running ??= this.#drain();
    });
  }

  /** Takes no more calls, and resolves when those that wait are done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await nextTurn();
      await this.#transact(this.#waiting.splice(0, MAX_CALLS_PER_TRANSACTION));
    }
    this.#running = undefined;
  }

  async #transact(calls: readonly Call[]): Promise<void> {
    const transactions = this.#transactions;
    try {
      await transactions.begin();
      // Awaiting only what is a promise keeps transactions of synchronous work within one turn.
      const begun = this.#hooks.begun?.();
      if (begun !== undefined) await begun;
      for (const call of calls) {
        const running = this.#runAlone(call);
        if (running !== undefined) await running;
      }
      const ending = this.#hooks.ending?.();
      if (ending !== undefined) await ending;
      const committing = transactions.commit();
      if (committing !== undefined) await committing;
    } catch (error) {
      await transactions.rollBack();
      this.#hooks.failed?.();
      const failure = transactions.toError(error, 'write to the database');
      for (const call of calls) call.reject(failure);
      return;
    }
    this.#hooks.committed?.();
    for (const call of calls) {
      if (call.outcome !== undefined && 'value' in call.outcome) call.resolve(call.outcome.value);
      else call.reject(transactions.toError(call.outcome?.error, 'write to the database'));
    }
  }

  #runAlone(call: Call): void | Promise<void> {
    return after(this.#transactions.savepoint(), () => {
      let result: unknown;
      try {
        result = call.work();
      } catch (error) {
        return this.#fail(call, error);
      }
      if (!(result instanceof Promise)) return this.#succeed(call, result);
      return result.then(
        (value: unknown) => this.#succeed(call, value),
        (error: unknown) => this.#fail(call, error),
      );
    });
  }

  #succeed(call: Call, value: unknown): void | Promise<void> {
    return after(this.#transactions.release(), () => {
      call.outcome = { value };
    });
  }

  #fail(call: Call, error: unknown): void | Promise<void> {
    // A full disk, an I/O error or a lost connection ends the whole transaction; then every call has failed.
    if (!this.#transactions.isOpen) throw error;
    return after(this.#transactions.undo(), () => {
      call.outcome = { error };
    });
  }
}

/** Goes on at once where there is nothing to wait for. */
function after(pending: void | Promise<void>, next: () => void | Promise<void>): void | Promise<void> {
  return pending === undefined ? next() : afterAll(pending, next);
}

async function afterAll(pending: Promise<void>, next: () => void | Promise<void>): Promise<void> {
  await pending;
  await next();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
