import { Client } from 'pg';
import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { connectionConfig } from './connection-config.ts';

/** Where each transaction that changed something says so. */
export const CHANGE_CHANNEL = 'zoetrope_changes';

const RETRY_MS = 1000;

/** What a listener is made of. */
export interface ChangeListenerDeps {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Something may have changed. Must not throw. */
  readonly onChange: () => void;
}

/** Hears of changes by other processes at once. It is a hint alone: whatever a lost connection leaves out is found by looking. */
export class ChangeListener {
  readonly #deps: ChangeListenerDeps;
  #client: Client | null = null;
  #retry: Timer | null = null;
  #isClosed = false;

  constructor(deps: ChangeListenerDeps) {
    this.#deps = deps;
  }

  /** Begins to listen; what fails is tried again by itself. */
  async start(): Promise<void> {
    const { url, logger, onChange } = this.#deps;
    const client = new Client(connectionConfig(url));
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, new Error('it was ended')));
    client.on('notification', onChange);
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${CHANGE_CHANNEL}`);
    } catch (error) {
      this.#lost(client, error);
      return;
    }
    logger.debug({}, 'changes of the catalog are listened to');
    onChange();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    const client = this.#client;
    this.#client = null;
    await client?.end().catch((error: unknown) => {
      this.#deps.logger.debug({ error: messageOf(error) }, 'the connection that listens was gone already');
    });
  }

  #lost(client: Client, error: unknown): void {
    if (this.#client !== client || this.#isClosed) return;
    this.#client = null;
    const { clock, logger } = this.#deps;
    logger.warn({ error: messageOf(error) }, 'the connection that hears of catalog changes was lost; it is made anew');
    client.end().catch((failure: unknown) => {
      logger.debug({ error: messageOf(failure) }, 'the connection that listened was gone already');
    });
    this.#retry = clock.schedule(RETRY_MS, () => void this.start());
  }
}
