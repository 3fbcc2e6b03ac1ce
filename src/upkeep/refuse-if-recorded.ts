import { ZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';

/** Recordings that a refusal names. */
const NAMED = 5;

/** Keeps a stream that has recordings from being removed in passing. @throws conflict, which names them, and what to say (`remedy`) to remove them too */
export async function refuseIfRecorded(
  catalog: Pick<Catalog, 'listHolds'>,
  streamId: string,
  remedy: string,
): Promise<void> {
  const { items } = await catalog.listHolds({ streamId, kind: 'recording' }, { limit: NAMED + 1 });
  if (items.length === 0) return;
  const names = items.slice(0, NAMED).map(({ id, name }) => `${id} (${JSON.stringify(name)})`);
  const more = items.length > NAMED ? ' and more' : '';
  throw new ZoetropeError(
    'conflict',
    `The stream ${streamId} has recordings, which would go with it: ${names.join(', ')}${more}. Delete them first, or say ${remedy}.`,
    { details: { recordings: items.map(({ id }) => id) } },
  );
}
