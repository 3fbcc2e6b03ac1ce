import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import type { Transactions } from '../transaction-queue.ts';
import { beginWriting, rollBack, toStoreError } from './database.ts';

/** The writing transactions of an open SQLite database. */
export function sqliteTransactions(database: DatabaseSync, clock: Clock): Transactions {
  const [commit, savepoint, release, undo] = [
    database.prepare('commit'),
    database.prepare('savepoint one_call'),
    database.prepare('release one_call'),
    database.prepare('rollback to one_call'),
  ] as const;
  return {
    begin: () => beginWriting(database, clock),
    commit: () => void commit.run(),
    rollBack: () => rollBack(database),
    savepoint: () => void savepoint.run(),
    release: () => void release.run(),
    undo() {
      undo.run();
      release.run();
    },
    get isOpen() {
      return database.isTransaction;
    },
    toError: toStoreError,
  };
}
