import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LRUCache } from 'lru-cache';
import { isZoetropeError, systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import { derivedId } from '../../base/ids.ts';
import { readPlaylist } from '../../packager/hls/read-playlist.ts';
import type { Stream } from '../../timeline/stream.ts';
import type { DirectoryRoots } from '../directory-roots.ts';
import { checkKind, NEWEST_ENTRIES, type PushIntake } from './push-intake.ts';
import { pushedName } from './pushed-name.ts';

/** Under which name the playlist goes through the door. */
const PLAYLIST_NAME = 'playlist.m3u8';
/** Files of a stream that are known to be taken, so that they are not read with each playlist. */
const REMEMBERED = 2 * NEWEST_ENTRIES;

/** Streams of which that is remembered. */
const STREAMS = 1000;

/** What reads segments that playlists name. */
export interface FilePlaylistsDeps {
  readonly intake: PushIntake;
  readonly roots: DirectoryRoots;
  readonly maxSegmentBytes: number;
}

/** What was found of a playlist's files. */
export interface FilePlaylistResult {
  /** Files that were read now, in the playlist's order. */
  readonly taken: readonly string[];
  /** Files that were taken before. */
  readonly known: number;
}

/**
 * Playlists whose segments lie in a directory of this machine: what is new of them is read and goes through the door for pushes, and then the playlist. A
 * file is known by its name, size, time and place on the disk, so that a name that is used again is a new segment; its segment's id follows from these
 * and its bytes, so that a file that is read again, after a restart, is on the timeline once.
 */
export class FilePlaylists {
  readonly #deps: FilePlaylistsDeps;
  /** By stream: names to the marks of the files that were taken. */
  readonly #taken = new LRUCache<string, Map<string, string>>({ max: STREAMS });
  /** By stream: what is under way, so that no file is read twice at once. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: FilePlaylistsDeps) {
    this.#deps = deps;
  }

  /**
   * Takes a playlist and the files that it names below `prefix`.
   * @throws missing_input, retryable, when files are not there: the rest, and the playlist, were taken; invalid_argument for what may not be read;
   * what {@link PushIntake.accept} throws for one of them, once the rest was taken
   */
  async accept(stream: Stream, playlist: Uint8Array, prefix: string): Promise<FilePlaylistResult> {
    const before = this.#turns.get(stream.id) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.#accept(stream, playlist, prefix));
    this.#turns.set(stream.id, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(stream.id) === turn) this.#turns.delete(stream.id);
    }
  }

  async #accept(stream: Stream, playlist: Uint8Array, prefix: string): Promise<FilePlaylistResult> {
    checkKind(stream);
    const directory = directoryOf(prefix);
    const names = namesOf(playlist);
    // All names are judged before any file is read.
    const paths = new Map<string, string>();
    for (const name of names) paths.set(name, await this.#resolve(directory, name));
    const taken: string[] = [];
    const missing: string[] = [];
    let fault: ZoetropeError | null = null;
    for (const [name, path] of paths) {
      try {
        const found = await this.#take(stream, name, path);
        if (found === 'taken') taken.push(name);
        if (found === 'missing') missing.push(name);
      } catch (error) {
        // One bad file must not keep the others waiting for as long as the playlist names it.
        if (!isZoetropeError(error) || error.retryable) throw error;
        fault ??= error;
      }
    }
    await this.#deps.intake.accept(stream, PLAYLIST_NAME, playlist, baseOf(stream));
    if (fault !== null) throw fault;
    if (missing.length === 0) return { taken, known: names.length - taken.length };
    throw new ZoetropeError(
      'missing_input',
      `${missing.length} of ${names.length} files are not there yet, such as ${JSON.stringify(missing[0])}. The others were taken (${taken.length} new); ` +
        'send the playlist again when they are. Write segments before their playlist, where this server can read them.',
    );
  }

  #resolve(directory: string, name: string): Promise<string> {
    return this.#deps.roots.resolve(join(directory, name), (why) =>
      refusal(`The file ${JSON.stringify(name.slice(0, 200))} below the MPEG-TS-URI-Prefix is refused: ${why}`),
    );
  }

  async #take(stream: Stream, name: string, path: string): Promise<'taken' | 'known' | 'missing'> {
    const remembered = this.#memoryOf(stream.id);
    await using file = await openPlain(path, name);
    // An encoder removes what is old while its playlist is on the way.
    if (file === null) return remembered.has(name) ? 'known' : 'missing';
    const { size, mtimeMs, ino } = await file.stat();
    const mark = `${size} ${mtimeMs} ${ino}`;
    if (remembered.get(name) === mark) return 'known';
    const { maxSegmentBytes } = this.#deps;
    if (size > maxSegmentBytes) {
      throw new ZoetropeError(
        'payload_too_large',
        `A segment may have ${maxSegmentBytes} bytes. ${name} has ${size}: make shorter segments, or raise ZOETROPE_PUSH_MAX_SEGMENT_BYTES.`,
      );
    }
    const bytes = await file.readFile();
    const segmentId = derivedId('segment', stream.id, name, mark, createHash('sha256').update(bytes).digest('hex'));
    await this.#deps.intake.accept(stream, name, bytes, baseOf(stream), { segmentId });
    remembered.delete(name);
    remembered.set(name, mark);
    for (const oldest of remembered.keys()) {
      if (remembered.size <= REMEMBERED) break;
      remembered.delete(oldest);
    }
    return 'taken';
  }

  #memoryOf(streamId: string): Map<string, string> {
    const known = this.#taken.get(streamId) ?? new Map<string, string>();
    this.#taken.set(streamId, known);
    return known;
  }
}

function baseOf({ id }: Stream): string {
  return `/ingest/hls/${id}/`;
}

/** The directory of a `file:` URI on this machine. @throws invalid_argument */
function directoryOf(prefix: string): string {
  const url = URL.parse(prefix);
  if (url?.protocol === 'file:' && url.host === '' && url.search === '' && url.hash === '') {
    try {
      return fileURLToPath(url);
    } catch {
      // What it holds is no path; the message below says what would be one.
    }
  }
  throw refusal(
    `MPEG-TS-URI-Prefix must be the URI of a directory of this machine, such as file:///srv/segments. Got ${JSON.stringify(prefix.slice(0, 200))}; nothing is fetched from elsewhere`,
  );
}

/** Names of the files that a playlist needs, init segments first. @throws invalid_argument for a name that is no plain one below the prefix */
function namesOf(bytes: Uint8Array): readonly string[] {
  const playlist = readPlaylist(Buffer.from(bytes).toString('utf8'));
  if (playlist.kind === 'multivariant') {
    throw refusal(
      'This is a multivariant playlist, which names no segments. Send each media playlist under its own Video-Source-Name',
    );
  }
  const newest = playlist.segments.slice(-NEWEST_ENTRIES).filter(({ isGap }) => !isGap);
  const uris = newest.flatMap(({ uri, mapUri }) => (mapUri === null ? [uri] : [mapUri, uri]));
  return [...new Set(uris.map(plainName))];
}

function plainName(uri: string): string {
  let name = uri;
  try {
    name = decodeURIComponent(uri);
  } catch {
    // Not escaped: as it stands.
  }
  if (/^[a-z][a-z\d+.-]*:/i.test(name) || /[?#]/.test(name)) {
    throw refusal(
      `The playlist names ${JSON.stringify(uri.slice(0, 200))}. Name segments by their file names below the prefix`,
    );
  }
  return pushedName(name);
}

/** Opens a plain file, following no link in its last part and waiting for no pipe; null when there is none. */
async function openPlain(path: string, name: string): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT') return null;
    const why = code === 'ELOOP' ? 'is a link' : `cannot be read (${code ?? 'unknown'})`;
    throw refusal(
      `The file ${JSON.stringify(name.slice(0, 200))} ${why}. Segments must be plain files that the server’s user may read`,
    );
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw refusal(`${JSON.stringify(name.slice(0, 200))} is no plain file. Segments must be plain files`);
}

function refusal(message: string): ZoetropeError {
  return new ZoetropeError('invalid_argument', `${message}.`);
}
