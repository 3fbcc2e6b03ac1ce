import { messageOf, ZoetropeError } from '../../base/errors.ts';

/** Classes and codes of PostgreSQL's errors that mean something to a caller (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const UNIQUE_VIOLATION = '23505';
const DISK_FULL = '53100';
/** Connection lost or refused, out of room for connections, shut down, starting up; deadlock, lock or statement that took too long. */
const TRANSIENT = /^(08...|53...|57P0[1-5]|57014|25P0[34]|40...|55P03)$/;
/** Wrong password, no such user or database, or no right to it. */
const CONFIGURATION = /^(28...|3D000|3F000|42501)$/;

/** Whether an insert met a row with the same unique key. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === UNIQUE_VIOLATION;
}

/** A failure of PostgreSQL as one of ours: `storage_full`, `unavailable` or `invalid_configuration`, anything else `internal`. A ZoetropeError stays itself. */
export function toStoreError(error: unknown, action: string): unknown {
  if (error instanceof ZoetropeError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  const message = `Could not ${action}: ${messageOf(error)}.`;
  if (code === DISK_FULL) {
    return new ZoetropeError('storage_full', `${message} Free space on the database's disk.`, { cause: error });
  }
  if (code !== undefined && CONFIGURATION.test(code)) {
    const remedy = 'Check the user, the password, the database and its rights in ZOETROPE_CATALOG_URL.';
    return new ZoetropeError('invalid_configuration', `${message} ${remedy}`, { cause: error });
  }
  if (isLost(error) || (code !== undefined && TRANSIENT.test(code))) {
    return new ZoetropeError('unavailable', message, { cause: error });
  }
  return code === undefined ? error : new ZoetropeError('internal', message, { cause: error });
}

/** Whether the connection is gone, and with it whatever was open on it. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code !== undefined) return /^(08...|57P0[1-5]|25P0[34])$/.test(code);
  // The driver's own, which has no codes for them.
  return (
    'syscall' in error || /connection (terminated|ended|timeout)|timeout exceeded|not queryable/i.test(error.message)
  );
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || 'syscall' in error) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}
