import { isZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { hasEnded } from '../timeline/clip.ts';

/** Tells which objects below a clip's prefix are its own: while it is made all that tries write, afterwards its file; of one that is gone, none. */
export async function clipObjects(
  catalog: Pick<Catalog, 'getClip'>,
  clipId: string,
): Promise<(key: string) => boolean> {
  try {
    const { state, file } = await catalog.getClip(clipId);
    if (!hasEnded(state)) return () => true;
    return (key) => key === file?.objectKey;
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return () => false;
    throw error;
  }
}
