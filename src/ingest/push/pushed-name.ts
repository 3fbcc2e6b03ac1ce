import { ZoetropeError } from '../../base/errors.ts';

const MAX_NAME = 512;

/**
 * The name of a file that an encoder sends, as it came in the request's path. It names the file among those of its stream and is never a path of ours.
 * @throws invalid_argument
 */
export function pushedName(path: string): string {
  const parts = path.split('/');
  const isPlain =
    path.length <= MAX_NAME &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    !/[\p{Cc}\\]/u.test(path);
  if (isPlain) return path;
  throw new ZoetropeError(
    'invalid_argument',
    `A pushed file needs a name of 1 to ${MAX_NAME} characters whose parts are neither empty, "." nor "..", such as live.m3u8 or 720p/segment-1.ts. ` +
      `Got ${JSON.stringify(path.slice(0, 200))}.`,
  );
}

/**
 * The name of a file that a playlist refers to: relative to the playlist, or whole, as encoders with a base URL write it. Only its path counts.
 * @throws invalid_argument when it leads outside its stream
 */
export function referredName(uri: string, playlistName: string, base: string): string {
  let path: string;
  try {
    path = decodeURIComponent(new URL(uri, `http://encoder${base}${playlistName}`).pathname);
  } catch (error) {
    throw new ZoetropeError(
      'invalid_argument',
      `The playlist ${playlistName} names ${JSON.stringify(uri.slice(0, 200))}, which is no URI.`,
      {
        cause: error,
      },
    );
  }
  if (path.startsWith(base)) return pushedName(path.slice(base.length));
  // A base URL of the encoder's own: its files come to us under their last part.
  const isForeign = /^https?:\/\//i.test(uri);
  if (isForeign) return pushedName(path.slice(path.lastIndexOf('/') + 1));
  throw new ZoetropeError(
    'invalid_argument',
    `The playlist ${playlistName} names ${JSON.stringify(uri.slice(0, 200))}, which lies outside its stream. Send it below the stream’s own path.`,
  );
}

/** What the files of one playlist have in common: their name without the number before its ending. */
export function stemOf(name: string): string {
  return name.replace(/\d*(\.[^./]*)?$/, '');
}
