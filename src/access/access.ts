import type { Scope } from '../catalog/catalog.ts';

/** Who is asking. */
export interface Principal {
  /** Null: all tenants. */
  readonly tenant: string | null;
  readonly scopes: ReadonlySet<Scope>;
  /** The only stream that may be touched; left out: any. */
  readonly streamId?: string;
  /** `open`: a loopback server without keys. */
  readonly via: 'open' | 'key' | 'token';
  /** Of the key that was shown, when one was. */
  readonly keyId?: string;
}

/** What a playback token opens: one stream (an asset is one), one hold (archive, recording), or one clip. */
export interface PlaybackResource {
  readonly kind: 'stream' | 'hold' | 'clip';
  readonly id: string;
}

/** A playback token, ready for `?token=`. */
export interface PlaybackToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Keys and playback tokens: who may do what. */
export interface Access {
  /** True while no key exists and the server listens on loopback alone: everybody may do everything. */
  isOpen(): boolean;
  /** Who sends this `Authorization` header. @throws unauthenticated, with the remedy. */
  authenticate(authorization: string | undefined): Promise<Principal>;
  mintPlaybackToken(resource: PlaybackResource, ttlSeconds: number): Promise<PlaybackToken>;
  /** @throws unauthenticated when the token is forged, expired, or for another resource. */
  verifyPlaybackToken(token: string, resource: PlaybackResource): Promise<void>;
}
