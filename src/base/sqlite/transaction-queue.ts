import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import { ZoetropeError } from '../errors.ts';
import { beginWriting, rollBack, toStoreError } from './database.ts';

/** What to do around each shared transaction. */
export interface TransactionHooks {
  /** Inside the transaction, before the first call. */
  readonly begun?: () => void | Promise<void>;
  /** Inside the transaction, after the last call; a failure fails all of them. */
  readonly ending?: () => void | Promise<void>;
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
 * The writer of a SQLite database: calls made in one turn of the event loop, or while a transaction runs, share the next transaction and
 * its one fsync. Each runs in a savepoint, so that it succeeds or fails alone, and resolves when the transaction is durable.
 * A call's work may touch the database only, and wait for nothing else.
 */
export class TransactionQueue {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #hooks: TransactionHooks;
  readonly #commit: StatementSync;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;
  readonly #undo: StatementSync;
  #waiting: Call[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(database: DatabaseSync, clock: Clock, hooks: TransactionHooks = {}) {
    this.#database = database;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#commit = database.prepare('commit');
    this.#savepoint = database.prepare('savepoint one_call');
    this.#release = database.prepare('release one_call');
    this.#undo = database.prepare('rollback to one_call');
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
    try {
      await beginWriting(this.#database, this.#clock);
      const begun = this.#hooks.begun?.();
      if (begun !== undefined) await begun;
      for (const call of calls) {
        // Awaiting only what is a promise keeps transactions of synchronous work within one turn.
        const running = this.#runAlone(call);
        if (running !== undefined) await running;
      }
      const ending = this.#hooks.ending?.();
      if (ending !== undefined) await ending;
      this.#commit.run();
    } catch (error) {
      rollBack(this.#database);
      this.#hooks.failed?.();
      const failure = toStoreError(error, 'write to the database');
      for (const call of calls) call.reject(failure);
      return;
    }
    this.#hooks.committed?.();
    for (const call of calls) {
      if (call.outcome !== undefined && 'value' in call.outcome) call.resolve(call.outcome.value);
      else call.reject(toStoreError(call.outcome?.error, 'write to the database'));
    }
  }

  #runAlone(call: Call): Promise<void> | undefined {
    this.#savepoint.run();
    let result: unknown;
    try {
      result = call.work();
    } catch (error) {
      this.#fail(call, error);
      return undefined;
    }
    if (result instanceof Promise) {
      return result.then(
        (value: unknown) => this.#succeed(call, value),
        (error: unknown) => this.#fail(call, error),
      );
    }
    this.#succeed(call, result);
    return undefined;
  }

  #succeed(call: Call, value: unknown): void {
    this.#release.run();
    call.outcome = { value };
  }

  #fail(call: Call, error: unknown): void {
    // A full disk or an I/O error ends the whole transaction; then every call has failed.
    if (!this.#database.isTransaction) throw error;
    this.#undo.run();
    this.#release.run();
    call.outcome = { error };
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
