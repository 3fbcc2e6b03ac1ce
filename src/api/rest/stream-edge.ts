import { ZoetropeError } from '../../base/errors.ts';
import type { EdgeStore } from '../../catalog/edge-store.ts';
import type { Edge } from '../../timeline/edge.ts';
import type { Stream } from '../../timeline/stream.ts';
import type { ApiDeps } from './deps.ts';
import type { StreamContext } from './json.ts';

/** What streams are shown with: their edges too. */
export async function streamContext(
  deps: Pick<ApiDeps, 'catalog' | 'defaults' | 'clock' | 'settings'>,
  streams: readonly Stream[],
): Promise<StreamContext> {
  const { catalog, defaults, settings, clock } = deps;
  const ids = [...new Set(streams.flatMap(({ edgeId }) => edgeId ?? []))];
  const edges: ReadonlyMap<string, Edge> = ids.length === 0 ? new Map() : await catalog.edgesOf(ids);
  return { defaults, publicUrl: settings.publicUrl, nowMs: clock.nowMs(), edges };
}

/** Refuses what only the edge of a stream can do. @throws conflict */
export async function refuseAtEdge(
  catalog: Pick<EdgeStore, 'edgesOf'>,
  { id, edgeId }: Pick<Stream, 'id' | 'edgeId'>,
  remedy: string,
): Promise<void> {
  if (edgeId === null) return;
  const edge = (await catalog.edgesOf([edgeId])).get(edgeId);
  if (edge === undefined) return;
  throw new ZoetropeError('conflict', `The stream ${id} is at the edge ${edge.name} (${edge.id}). ${remedy}`);
}
