import { withToken } from './child-uris.ts';
import { Rendering } from './rendering.ts';

/** The media type of playlists (RFC 8216bis §4). */
export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';

/** Texts kept for one stream: its playlists in a few variants. */
export const MAX_TEXTS = 16;

/** A playlist's text, with marks where a token may be put, and what it says of its own age. */
export interface PlaylistText {
  readonly template: string;
  readonly targetDurationS: number;
  /** Nothing will be added to it. */
  readonly isEnded: boolean;
  /** Left out: {@link PLAYLIST_TYPE}. */
  readonly contentType?: string;
}

/** A playlist that is ready to be sent. */
export interface ReadyPlaylist {
  readonly rendering: Rendering;
  /** Whether it is still what would be rendered now. */
  readonly isFresh: () => boolean;
}

interface Kept {
  readonly text: PlaylistText;
  readonly revision: number;
  rendering: Rendering | undefined;
}

/** The texts of one view, each rendered once for a revision; tokens are put in afterwards. */
export class KeptTexts {
  readonly #kept = new Map<string, Kept>();
  readonly #most: number;

  /** At most so many. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The text of that name at a revision, rendered if it is not here. */
  ready(
    what: { readonly key: string; readonly revision: number; readonly isFresh: () => boolean },
    token: string | undefined,
    render: () => PlaylistText,
  ): ReadyPlaylist {
    const { key, revision, isFresh } = what;
    let one = this.#kept.get(key);
    if (one === undefined || one.revision !== revision) {
      one = { text: render(), revision, rendering: undefined };
      if (this.#kept.size >= this.#most) this.#kept.clear();
      this.#kept.set(key, one);
    }
    if (token !== undefined) return readyText(one.text, token, isFresh);
    one.rendering ??= readyText(one.text, undefined, isFresh).rendering;
    return { rendering: one.rendering, isFresh };
  }
}

/** A text that is not kept. */
export function readyText(text: PlaylistText, token: string | undefined, isFresh: () => boolean): ReadyPlaylist {
  const { template, contentType = PLAYLIST_TYPE } = text;
  const written = withToken(template, token, contentType.endsWith('+xml') ? '&#38;' : '&');
  const rendering = new Rendering(written, { contentType, cacheControl: cacheControlOf(text) });
  return { rendering, isFresh };
}

/**
 * How long a playlist may be kept by others: one that grows at most half its target duration, and never more than two seconds, since a
 * viewer waits that long for what is new; a finished one a minute, since segments may still be found lost.
 */
function cacheControlOf(text: PlaylistText): string {
  if (text.isEnded) return 'max-age=60';
  const seconds = Math.min(2, Math.floor(text.targetDurationS / 2));
  return seconds < 1 ? 'no-cache' : `max-age=${seconds}`;
}
