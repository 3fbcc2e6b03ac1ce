import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { systemCodeOf, ZoetropeError } from '../base/errors.ts';

/** What a set of roots is for, in messages. */
export interface RootsPurpose {
  /** `frame root`. */
  readonly name: string;
  /** `ZOETROPE_FRAME_ROOTS`. */
  readonly setting: string;
}

/** Directories of this machine below which files may be named from outside. */
export class DirectoryRoots {
  readonly #roots: readonly string[];
  readonly #realRoots: readonly string[];
  readonly #purpose: RootsPurpose;

  private constructor(roots: readonly string[], realRoots: readonly string[], purpose: RootsPurpose) {
    this.#roots = roots;
    this.#realRoots = realRoots;
    this.#purpose = purpose;
  }

  /** Looks the roots up once. @throws invalid_configuration when one is missing or not absolute. */
  static async open(roots: readonly string[], purpose: RootsPurpose): Promise<DirectoryRoots> {
    const { name, setting } = purpose;
    const realRoots: string[] = [];
    for (const root of roots) {
      if (!isAbsolute(root)) {
        throw new ZoetropeError(
          'invalid_configuration',
          `A ${name} must be an absolute path. Got ${JSON.stringify(root)}; set ${setting}.`,
        );
      }
      try {
        realRoots.push(await realpath(root));
      } catch (error) {
        throw new ZoetropeError(
          'invalid_configuration',
          `The ${name} ${root} cannot be read: make it, or change ${setting}.`,
          { cause: error },
        );
      }
    }
    return new DirectoryRoots(roots.map(normalize), realRoots, purpose);
  }

  /**
   * The path of a file below one of the roots, with the links of its folder followed. A file that is not there passes, for it may still arrive; open its last part
   * without following links.
   * @throws what `refusal` makes of the reason
   */
  async resolve(absolutePath: string, refusal: (why: string) => ZoetropeError): Promise<string> {
    const { name, setting } = this.#purpose;
    if (absolutePath.includes('\0')) throw refusal('it holds a NUL character');
    const path = normalize(absolutePath);
    if (!this.#roots.some((root) => isBelow(root, path))) {
      // The roots themselves are not told: a client need not know how this machine is laid out.
      const why = this.#roots.length === 0 ? `no ${name}s are set` : `it lies below none of the ${name}s`;
      throw refusal(`${why}; the operator sets them with ${setting}`);
    }
    const real = await realDirectoryOf(path, refusal);
    if (real === null) return path;
    if (!this.#realRoots.some((root) => isBelow(root, real))) throw refusal(`a link in it leads out of the ${name}s`);
    return real;
  }
}

/** The path with the links of its folder followed; null when the folder is not there. */
async function realDirectoryOf(path: string, refusal: (why: string) => ZoetropeError): Promise<string | null> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw refusal(`its folder cannot be read (${systemCodeOf(error) ?? 'unknown'})`);
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
