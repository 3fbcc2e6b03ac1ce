import { randomBytes } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.ts';
import { messageOf, ZoetropeError } from '../base/errors.ts';
import type { AccessStore } from '../catalog/catalog.ts';
import type { PlaybackResource, PlaybackToken } from './access.ts';

const ALGORITHM = 'HS256';
const ISSUER = 'zoetrope';
/** A token of ours is some 200 characters; what is much longer is not worth a signature check. */
const MAX_TOKEN_LENGTH = 1024;
/** The longest life of a token: a week. */
export const MAX_TOKEN_TTL_SECONDS = 604_800;

/** Signs and checks playback tokens: JWTs (RFC 7519) under HS256 with a secret of this installation, each for one resource. */
export class PlaybackTokens {
  readonly #catalog: Pick<AccessStore, 'serverSecret'>;
  readonly #clock: Clock;
  readonly #expiryMs = new LRUCache<string, number>({ max: 20_000 });
  #secret: Promise<Uint8Array> | undefined;

  constructor(deps: { readonly catalog: Pick<AccessStore, 'serverSecret'>; readonly clock: Clock }) {
    this.#catalog = deps.catalog;
    this.#clock = deps.clock;
  }

  /** @throws out_of_range unless the life is 1 s to {@link MAX_TOKEN_TTL_SECONDS}. */
  async mint(resource: PlaybackResource, ttlSeconds: number): Promise<PlaybackToken> {
    if (!(ttlSeconds >= 1 && ttlSeconds <= MAX_TOKEN_TTL_SECONDS)) {
      throw new ZoetropeError(
        'out_of_range',
        `A playback token lives 1–${MAX_TOKEN_TTL_SECONDS} seconds. Got ${ttlSeconds}.`,
      );
    }
    const nowS = Math.floor(this.#clock.nowMs() / 1000);
    const expiryS = nowS + Math.ceil(ttlSeconds);
    const token = await new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(audienceOf(resource))
      .setIssuedAt(nowS)
      .setExpirationTime(expiryS)
      .sign(await this.#key());
    return { token, expiresAtMs: expiryS * 1000 };
  }

  /** @throws unauthenticated when the token is forged, expired, or for another resource. */
  async verify(token: string, resource: PlaybackResource): Promise<void> {
    if (this.isKnown(token, resource)) return;
    const expiryMs = await this.#check(token, resource);
    this.#expiryMs.set(cacheKey(token, resource), expiryMs);
  }

  /** Whether this token was verified for this resource before and has not expired: an answer without a promise, for hot paths. */
  isKnown(token: string, resource: PlaybackResource): boolean {
    const expiryMs = this.#expiryMs.get(cacheKey(token, resource));
    return expiryMs !== undefined && this.#clock.nowMs() < expiryMs;
  }

  async #check(token: string, resource: PlaybackResource): Promise<number> {
    if (token.length > MAX_TOKEN_LENGTH) throw refused('it is longer than any token made here');
    const key = await this.#key();
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: audienceOf(resource),
        requiredClaims: ['exp', 'aud'],
        currentDate: new Date(this.#clock.nowMs()),
      });
      return (payload.exp ?? 0) * 1000;
    } catch (error) {
      throw refused(messageOf(error), error);
    }
  }

  async #key(): Promise<Uint8Array> {
    this.#secret ??= this.#catalog.serverSecret('playback-tokens', () => randomBytes(32));
    try {
      return await this.#secret;
    } catch (error) {
      this.#secret = undefined;
      throw error;
    }
  }
}

function audienceOf(resource: PlaybackResource): string {
  return `${resource.kind}:${resource.id}`;
}

function cacheKey(token: string, resource: PlaybackResource): string {
  return `${audienceOf(resource)} ${token}`;
}

function refused(why: string, cause?: unknown): ZoetropeError {
  return new ZoetropeError(
    'unauthenticated',
    `The playback token is not valid here: ${why}. Ask for a new one: POST /v1/streams/{id}/tokens, the same below /v1/archives, /v1/recordings or /v1/assets, or /v1/clips/{id}/share.`,
    { cause },
  );
}
