import { isAbsolute } from 'node:path';
import { ZoetropeError } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import type { MediaRef } from '../../engine/engine.ts';
import { DirectoryRoots } from '../directory-roots.ts';

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
  readonly #roots: DirectoryRoots;

  private constructor(roots: DirectoryRoots) {
    this.#roots = roots;
  }

  /** Looks the roots up once. @throws invalid_configuration when one is missing or not absolute. */
  static async open(roots: readonly string[]): Promise<FrameRoots> {
    return new FrameRoots(await DirectoryRoots.open(roots, { name: 'frame root', setting: 'ZOETROPE_FRAME_ROOTS' }));
  }

  /**
   * Turns a `framePath` into a reference that may be read: a file below one of the roots, or a key of the object store below `frames/` that
   * is not another stream's. A file that is not there yet passes, for it may still arrive; its last part is opened without following links.
   * @throws invalid_argument naming the path and what would be allowed.
   */
  async resolve(framePath: string, streamId: string): Promise<MediaRef> {
    if (framePath.includes('\0')) throw refusal(framePath, 'it holds a NUL character');
    if (!isAbsolute(framePath)) return resolveKey(framePath, streamId);
    return { path: await this.#roots.resolve(framePath, (why) => refusal(framePath, why)) };
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

function refusal(framePath: string, why: string): ZoetropeError {
  return new ZoetropeError(
    'invalid_argument',
    `The framePath ${JSON.stringify(framePath.slice(0, 200))} is refused: ${why}.`,
  );
}
