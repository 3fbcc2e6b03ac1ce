import { LRUCache } from 'lru-cache';
import type { Clock, Timer } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import { messageOf, ZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { AccessStore, ApiKey } from '../catalog/catalog.ts';
import type { Access, PlaybackResource, PlaybackToken, Principal } from './access.ts';
import { hashKeySecret, isKeySecret } from './api-keys.ts';
import { isLoopbackHost } from './loopback.ts';
import { ALL_SCOPES } from './permission.ts';
import { PlaybackTokens } from './playback-tokens.ts';

/** How long what was read of the keys is believed, in milliseconds: a revoked key stops working within it. */
const FRESH_MS = 1000;

const OPEN: Principal = { tenant: null, scopes: new Set(ALL_SCOPES), via: 'open' };

/** What {@link KeyAccess} needs. */
export interface KeyAccessDeps {
  readonly catalog: Pick<AccessStore, 'findKey' | 'listKeys' | 'serverSecret'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The address that the server listens on. */
  readonly host: string;
}

interface CachedKey {
  readonly key: ApiKey;
  readonly readAtMs: number;
}

/**
 * Access by the catalog's keys. A loopback server is open until the first key is made; revoking keys never opens it again:
 * who took keys into use once does not expect the last revocation to let everybody in.
 */
export class KeyAccess implements Access, Component {
  readonly name = 'access';
  readonly #deps: KeyAccessDeps;
  readonly #tokens: PlaybackTokens;
  readonly #isLoopback: boolean;
  readonly #keys = new LRUCache<string, CachedKey>({ max: 10_000 });
  #hasKeys = true;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(deps: KeyAccessDeps) {
    this.#deps = deps;
    this.#tokens = new PlaybackTokens(deps);
    this.#isLoopback = isLoopbackHost(deps.host);
  }

  /** @throws what the catalog throws. */
  async start(): Promise<void> {
    await this.#refresh();
    this.#scheduleRefresh();
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#reading?.catch(() => undefined); // Who asked for it was told.
  }

  isOpen(): boolean {
    return this.#isLoopback && !this.#hasKeys;
  }

  async authenticate(authorization: string | undefined): Promise<Principal> {
    if (this.#isLoopback && this.#age(this.#readAtMs) >= FRESH_MS) await this.#refresh();
    if (this.isOpen()) return OPEN;
    const secret = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (secret === undefined) {
      throw unauthenticated(
        authorization === undefined
          ? 'No Authorization header was sent'
          : 'The Authorization header is not a bearer key',
      );
    }
    const key = isKeySecret(secret) ? await this.#findKey(hashKeySecret(secret)) : null;
    if (key === null) throw unauthenticated('The key is unknown or was revoked');
    const { id: keyId, tenant, scopes, streamId } = key;
    return { tenant, scopes: new Set(scopes), via: 'key', keyId, ...(streamId === null ? {} : { streamId }) };
  }

  mintPlaybackToken(resource: PlaybackResource, ttlSeconds: number): Promise<PlaybackToken> {
    return this.#tokens.mint(resource, ttlSeconds);
  }

  verifyPlaybackToken(token: string, resource: PlaybackResource): Promise<void> {
    return this.#tokens.verify(token, resource);
  }

  /** As {@link PlaybackTokens.isKnown}. */
  isKnownPlaybackToken(token: string, resource: PlaybackResource): boolean {
    return this.#tokens.isKnown(token, resource);
  }

  async #findKey(hash: string): Promise<ApiKey | null> {
    const cached = this.#keys.get(hash);
    if (cached !== undefined && this.#age(cached.readAtMs) < FRESH_MS) return cached.key;
    const readAtMs = this.#deps.clock.monotonicMs();
    const key = await this.#deps.catalog.findKey(hash);
    if (key === null) this.#keys.delete(hash);
    else this.#keys.set(hash, { key, readAtMs });
    return key;
  }

  /** Reads whether keys exist; however many ask at once, it is read once. */
  #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const readAtMs = this.#deps.clock.monotonicMs();
    this.#hasKeys = (await this.#deps.catalog.listKeys()).length > 0;
    this.#readAtMs = readAtMs;
  }

  #scheduleRefresh(): void {
    if (!this.#isLoopback) return;
    this.#timer = this.#deps.clock.schedule(FRESH_MS, () => {
      this.#scheduleRefresh();
      this.#refresh().catch((error: unknown) => {
        this.#deps.logger.warn({ error: messageOf(error) }, 'could not read whether keys exist');
      });
    });
  }

  #age(atMs: number): number {
    return this.#deps.clock.monotonicMs() - atMs;
  }
}

function unauthenticated(why: string): ZoetropeError {
  return new ZoetropeError(
    'unauthenticated',
    `${why}. Send "Authorization: Bearer zk_…"; make a key with: zoetrope keys create --name NAME --tenant TENANT --scopes read.`,
  );
}
