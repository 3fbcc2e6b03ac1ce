import { randomBytes } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../base/clock.ts';
import { messageOf, ZoetropeError } from '../base/errors.ts';
import type { AccessStore } from '../catalog/catalog.ts';

const ALGORITHM = 'HS256';
const ISSUER = 'zoetrope';
const AUDIENCE = 'put';
/** Longer than any grant for a key of the object store. */
const MAX_TOKEN_LENGTH = 1536;
/** The longest life of a grant: a day. */
export const MAX_GRANT_SECONDS = 86_400;

/** Leave to put one object. */
export interface PutGrant {
  readonly key: string;
  readonly maxBytes: number;
  readonly expiresAtMs: number;
}

/** Signs and checks leaves to put one object: JWTs (RFC 7519) under HS256 with a secret of this installation. */
export class PutGrants {
  readonly #catalog: Pick<AccessStore, 'serverSecret'>;
  readonly #clock: Clock;
  #secret: Promise<Uint8Array> | undefined;

  constructor(deps: { readonly catalog: Pick<AccessStore, 'serverSecret'>; readonly clock: Clock }) {
    this.#catalog = deps.catalog;
    this.#clock = deps.clock;
  }

  /** The grant, and its token: fit for a URL. @throws out_of_range unless it lives 1 s to {@link MAX_GRANT_SECONDS} */
  async mint(
    key: string,
    terms: { readonly expiresInMs: number; readonly maxBytes: number },
  ): Promise<PutGrant & { readonly token: string }> {
    const ttlS = Math.ceil(terms.expiresInMs / 1000);
    if (!(ttlS >= 1 && ttlS <= MAX_GRANT_SECONDS)) {
      throw new ZoetropeError('out_of_range', `A URL lives 1–${MAX_GRANT_SECONDS} seconds. Got ${ttlS}.`);
    }
    const expiryS = Math.floor(this.#clock.nowMs() / 1000) + ttlS;
    const token = await new SignJWT({ key, max: terms.maxBytes })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(expiryS)
      .sign(await this.#key());
    return { key, maxBytes: terms.maxBytes, expiresAtMs: expiryS * 1000, token };
  }

  /** What a token allows. @throws permission_denied when it is forged or expired */
  async verify(token: string): Promise<PutGrant> {
    if (token.length > MAX_TOKEN_LENGTH) throw refused('it is longer than any made here');
    const secret = await this.#key();
    try {
      const { payload } = await jwtVerify<{ key: string; max: number }>(token, secret, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'aud', 'key', 'max'],
        currentDate: new Date(this.#clock.nowMs()),
      });
      return { key: payload.key, maxBytes: payload.max, expiresAtMs: (payload.exp ?? 0) * 1000 };
    } catch (error) {
      throw refused(messageOf(error), error);
    }
  }

  async #key(): Promise<Uint8Array> {
    this.#secret ??= this.#catalog.serverSecret('put-grants', () => randomBytes(32));
    try {
      return await this.#secret;
    } catch (error) {
      this.#secret = undefined;
      throw error;
    }
  }
}

function refused(why: string, cause?: unknown): ZoetropeError {
  return new ZoetropeError(
    'permission_denied',
    `This URL is not valid: ${why}. Ask for a new one: POST /v1/streams/{id}/chunk-urls.`,
    { cause },
  );
}
