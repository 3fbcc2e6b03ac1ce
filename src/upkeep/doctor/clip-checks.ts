import type { Catalog } from '../../catalog/catalog.ts';
import { hasEnded, type Clip } from '../../timeline/clip.ts';
import { objectFault, type AssetObjectDeps } from './asset-checks.ts';
import type { Finding } from './finding.ts';
import type { StreamSnapshot } from './stream-snapshot.ts';

const PAGE = 500;

/** Checks that the files of a stream's clips are there and are what the catalog says, and that clips hold their source while they are made, and no longer. */
export async function checkClips(
  { stream, holds }: Pick<StreamSnapshot, 'stream' | 'holds'>,
  deps: AssetObjectDeps & { readonly catalog: Pick<Catalog, 'listClips'> },
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const held = new Set(holds.filter(({ kind }) => kind === 'clip').map(({ id }) => id));
  const open = new Set<string>();
  const streamId = stream.id;
  for await (const { id, state, holdId, file } of clipsOf(streamId, deps.catalog)) {
    deps.signal.throwIfAborted();
    if (!hasEnded(state)) {
      open.add(holdId);
      if (held.has(holdId)) continue;
      const message = `It is ${state}, but nothing keeps its source.`;
      findings.push({ check: 'holds', streamId, subject: id, message, repair: null });
    } else if (file !== null) {
      const message = await objectFault(file, deps);
      if (message !== null) findings.push({ check: 'objects', streamId, subject: id, message, repair: null });
    }
  }
  for (const holdId of held) {
    if (open.has(holdId)) continue;
    const message = 'It keeps the source of a clip that has ended or is gone.';
    findings.push({ check: 'holds', streamId, subject: holdId, message, repair: { kind: 'releaseHold', holdId } });
  }
  return findings;
}

async function* clipsOf(streamId: string, catalog: Pick<Catalog, 'listClips'>): AsyncIterable<Clip> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Catalog['listClips']>> = await catalog.listClips(
      { streamId },
      cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
    );
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
