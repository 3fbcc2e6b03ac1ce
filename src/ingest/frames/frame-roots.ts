import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import type { MediaRef } from '../../engine/engine.ts';

/** Where frames that arrive by HTTP are kept until they are in a segment. */
export function framePrefix(streamId: string): string {
  return `frames/${streamId}/`;
}

/** Whether a `framePath` is the key of a frame that was stored for another stream. */
export function isStoredElsewhere(framePath: string, streamId: string): boolean {
  const [folder, owner = ''] = framePath.split('/');
  return folder === 'frames' && isId('stream', owner) && owner !== streamId;
}

/** The directories that a `framePath` may name, and the rules for what it may say. */
export class FrameRoots {
  readonly #roots: readonly string[];
  readonly #realRoots: readonly string[];

  private constructor(roots: readonly string[], realRoots: readonly string[]) {
    this.#roots = roots;
    this.#realRoots = realRoots;
  }

  /** Looks the roots up once. @throws invalid_configuration when one is missing or not absolute. */
  static async open(roots: readonly string[]): Promise<FrameRoots> {
    const realRoots: string[] = [];
    for (const root of roots) {
      if (!isAbsolute(root)) {
        throw new ZoetropeError(
          'invalid_configuration',
          `A frame root must be an absolute path. Got ${JSON.stringify(root)}; set ZOETROPE_FRAME_ROOTS.`,
        );
      }
      try {
        realRoots.push(await realpath(root));
      } catch (error) {
        throw new ZoetropeError(
          'invalid_configuration',
          `The frame root ${root} cannot be read: make it, or change ZOETROPE_FRAME_ROOTS.`,
          {
            cause: error,
          },
        );
      }
    }
    return new FrameRoots(roots.map(normalize), realRoots);
  }

  /**
   * Turns a `framePath` into a reference that may be read: a file below one of the roots, or a key of the object store below `frames/` that
   * is not another stream's. A file that is not there yet passes, for it may still arrive; its last part is opened without following links.
   * @throws invalid_argument naming the path and what would be allowed.
   */
  async resolve(framePath: string, streamId: string): Promise<MediaRef> {
    if (framePath.includes('\0')) throw refusal(framePath, 'it holds a NUL character');
    if (!isAbsolute(framePath)) return resolveKey(framePath, streamId);
    const path = normalize(framePath);
    if (!this.#roots.some((root) => isBelow(root, path))) {
      // The roots themselves are not told: a client need not know how this machine is laid out.
      const why = this.#roots.length === 0 ? 'no frame roots are set' : 'it lies below none of the frame roots';
      throw refusal(framePath, `${why}; the operator sets them with ZOETROPE_FRAME_ROOTS`);
    }
    const real = await realDirectoryOf(path);
    if (real === null) return { path };
    if (!this.#realRoots.some((root) => isBelow(root, real)))
      throw refusal(framePath, 'a link in it leads out of the frame roots');
    return { path: real };
  }
}

/** The path with the links of its folder followed; null when the folder is not there. */
async function realDirectoryOf(path: string): Promise<string | null> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw refusal(path, `its folder cannot be read (${systemCodeOf(error) ?? 'unknown'})`);
  }
}

function resolveKey(framePath: string, streamId: string): MediaRef {
  const parts = framePath.split('/');
  if (parts[0] !== 'frames' || parts.length < 2 || parts.some((part) => !/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part))) {
    throw refusal(framePath, 'a framePath is an absolute path, or an object key like frames/2026/picture.jpg');
  }
  if (isStoredElsewhere(framePath, streamId)) throw refusal(framePath, 'it belongs to another stream');
  return { objectKey: framePath };
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function refusal(framePath: string, why: string): ZoetropeError {
  return new ZoetropeError(
    'invalid_argument',
    `The framePath ${JSON.stringify(framePath.slice(0, 200))} is refused: ${why}.`,
  );
}
