import type { ClientConfig } from 'pg';
import { ZoetropeError } from '../../base/errors.ts';
import { columnTypes } from './postgres-dialect.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** No query of ours takes nearly as long; one that does holds up all others. */
const QUERY_TIMEOUT_MS = 30_000;
/** A process that stands still, or whose machine is gone, in the middle of a transaction holds up all others: so long. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/** How the driver is to connect. @throws invalid_configuration for what is no URL of a database */
export function connectionConfig(url: string): ClientConfig {
  if (!URL.canParse(url) || !/^\/.+/.test(new URL(url).pathname)) {
    throw new ZoetropeError(
      'invalid_configuration',
      'ZOETROPE_CATALOG_URL must be postgres://USER@HOST:PORT/DATABASE, with the password in the file that ZOETROPE_CATALOG_PASSWORD_FILE names.',
    );
  }
  return {
    connectionString: url,
    types: columnTypes,
    application_name: 'zoetrope',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
    // The driver's own: also where nothing answers any more.
    query_timeout: QUERY_TIMEOUT_MS + 5_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
}
