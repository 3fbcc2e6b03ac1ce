import { keptPlaylistPath, playlistPath, type PlaybackToken } from '../api/client.ts';
import { sessionKey } from '../api/session-key.ts';
import type { Source } from './source.ts';

/**
 * The playback token of one stream, archive, recording or asset, renewed in time. An open server needs none. hls.js asks for every URL through
 * {@link PlaybackAccess.sign}, so a renewed token also reaches the URLs of a playlist that was read with the old one.
 */
export class PlaybackAccess {
  readonly #mint: () => Promise<PlaybackToken>;
  #token: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts up when it is closed: what was asked for before comes too late. */
  #generation = 0;

  constructor(mint: () => Promise<PlaybackToken>) {
    this.#mint = mint;
  }

  /** Resolves once a token is at hand, or none is needed. @throws ApiError */
  async ready(): Promise<void> {
    if (sessionKey.get() !== null && this.#token === null) await this.#fetch();
  }

  async #fetch(): Promise<void> {
    const generation = this.#generation;
    const { token, expiresAt } = await this.#mint();
    if (generation !== this.#generation) return;
    this.#token = token;
    const leftMs = Date.parse(expiresAt) - Date.now();
    this.#renewIn(Math.max(5000, leftMs * 0.8));
  }

  #renewIn(delayMs: number): void {
    const generation = this.#generation;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#fetch().catch(() => {
        // The old one still holds for a fifth of its life: the server is asked again soon.
        if (generation === this.#generation) this.#renewIn(5000);
      });
    }, delayMs);
  }

  /** The URL with the token of now. */
  sign(url: string): string {
    if (this.#token === null) return url;
    const signed = new URL(url, location.href);
    signed.searchParams.set('token', this.#token);
    return signed.href;
  }

  /** Forgets the token and ends the renewing; {@link PlaybackAccess.ready} begins anew. */
  close(): void {
    this.#generation += 1;
    this.#token = null;
    clearTimeout(this.#timer);
  }
}

/** The path of a source's playlist. */
export function pathOf(streamId: string, source: Source, speed: number): string {
  switch (source.kind) {
    case 'dvr':
      return playlistPath(streamId, 'dvr', { rendition: source.rendition, speed });
    case 'range':
      return playlistPath(streamId, 'range', { ...source, speed });
    case 'kept':
      return keptPlaylistPath(source, speed);
  }
}
