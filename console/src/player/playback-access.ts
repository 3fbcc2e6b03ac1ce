import { api, archivePlaylistPath, playlistPath, type PlaybackToken } from '../api/client.ts';
import { sessionKey } from '../api/session-key.ts';
import type { Source } from './source.ts';

/**
 * The playback token of one stream or archive, renewed in time. An open server needs none. hls.js asks for every URL through
 * {@link PlaybackAccess.sign}, so a renewed token also reaches the URLs of a playlist that was read with the old one.
 */
export class PlaybackAccess {
  readonly #mint: () => Promise<PlaybackToken>;
  #token: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(streamId: string, archiveId: string | null) {
    this.#mint = () => (archiveId === null ? api.streamToken(streamId) : api.archiveToken(archiveId));
  }

  /** Resolves once a token is at hand, or none is needed. @throws ApiError */
  async ready(): Promise<void> {
    if (sessionKey.get() === null || this.#token !== null) return;
    const { token, expiresAt } = await this.#mint();
    if (this.#closed) return;
    this.#token = token;
    const leftMs = Date.parse(expiresAt) - Date.now();
    this.#timer = setTimeout(() => void this.#renew(), Math.max(5000, leftMs * 0.8));
  }

  async #renew(): Promise<void> {
    const before = this.#token;
    this.#token = null;
    try {
      await this.ready();
    } catch {
      // The old one still holds for a fifth of its life: the server is asked again soon.
      this.#token = before;
      if (!this.#closed) this.#timer = setTimeout(() => void this.#renew(), 5000);
    }
  }

  /** The URL with the token of now. */
  sign(url: string): string {
    if (this.#token === null) return url;
    const signed = new URL(url, location.href);
    signed.searchParams.set('token', this.#token);
    return signed.href;
  }

  /** Ends the renewing. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}

/** The path of a source's playlist. */
export function pathOf(streamId: string, source: Source, speed: number): string {
  switch (source.kind) {
    case 'dvr':
      return playlistPath(streamId, 'dvr', undefined, undefined, speed);
    case 'range':
      return playlistPath(streamId, 'range', source.fromMs, source.toMs, speed);
    case 'archive':
      return archivePlaylistPath(source.id, speed);
  }
}
