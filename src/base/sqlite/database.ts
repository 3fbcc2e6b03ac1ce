import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../clock.ts';
import { messageOf, ZoetropeError } from '../errors.ts';

/** SQLite's own result codes that mean something to a caller (https://sqlite.org/rescode.html). */
const SQLITE = { busy: 5, locked: 6, ioError: 10, full: 13, shmSize: 10 | (19 << 8) } as const;

/** How long another process may hold a lock before a call gives up. */
const LOCK_LIMIT_MS = 10_000;
/** How long SQLite itself waits for a lock, with the thread asleep: short, so that the event loop goes on. */
const BUSY_TIMEOUT_MS = 100;
const LOCK_RETRY_MS = 10;

/**
 * Opens (or makes) a database file that several processes share: WAL, and a commit is durable when it returns (`synchronous=FULL`).
 * @throws storage_full, unavailable
 */
export async function openDatabase(path: string, clock: Clock, signal?: AbortSignal): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const opened = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: false });
    database = opened;
    // Switching to WAL takes an exclusive lock, which processes that start together contend for.
    await whenUnlocked(() => opened.exec('pragma journal_mode = wal'), clock, signal);
    opened.exec('pragma synchronous = full; pragma cache_size = -16000; pragma journal_size_limit = 67108864');
    return opened;
  } catch (error) {
    database?.close();
    throw toStoreError(error, `open the database ${path}`);
  }
}

/** Starts a writing transaction, waiting without blocking the event loop while another process writes. @throws unavailable, storage_full */
export async function beginWriting(database: DatabaseSync, clock: Clock): Promise<void> {
  try {
    await whenUnlocked(() => database.exec('begin immediate'), clock);
  } catch (error) {
    throw toStoreError(error, 'begin a transaction');
  }
}

/** Rolls back whatever is open; SQLite has done so by itself after some errors (a full disk). */
export function rollBack(database: DatabaseSync): void {
  if (database.isOpen && database.isTransaction) database.exec('rollback');
}

/** A SQLite failure as one of ours: `storage_full` or `unavailable`, anything else `internal`. A ZoetropeError stays itself. */
export function toStoreError(error: unknown, action: string): unknown {
  if (error instanceof ZoetropeError) return error;
  const code = sqliteCodeOf(error);
  const message = `Could not ${action}: ${messageOf(error)}.`;
  if (code === SQLITE.full || code === SQLITE.shmSize) {
    return new ZoetropeError('storage_full', `${message} Free space on its disk.`, { cause: error });
  }
  if (code === undefined)
    return isSystemError(error) ? new ZoetropeError('unavailable', message, { cause: error }) : error;
  const isTransient = [SQLITE.busy, SQLITE.locked, SQLITE.ioError, 8, 14, 15].includes(code & 0xff);
  return new ZoetropeError(isTransient ? 'unavailable' : 'internal', message, { cause: error });
}

/** Whether an insert met a row with the same unique key (SQLITE_CONSTRAINT_UNIQUE or _PRIMARYKEY). */
export function isUniqueViolation(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return code === 2067 || code === 1555;
}

async function whenUnlocked(action: () => void, clock: Clock, signal?: AbortSignal): Promise<void> {
  const startMs = clock.monotonicMs();
  for (;;) {
    try {
      action();
      return;
    } catch (error) {
      const code = sqliteCodeOf(error);
      const isLocked = code !== undefined && ((code & 0xff) === SQLITE.busy || (code & 0xff) === SQLITE.locked);
      if (!isLocked || clock.monotonicMs() - startMs > LOCK_LIMIT_MS) throw error;
    }
    await clock.wait(LOCK_RETRY_MS, signal);
  }
}

function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
