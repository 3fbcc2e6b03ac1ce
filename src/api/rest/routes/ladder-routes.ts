import type { WallMs } from '../../../base/time.ts';
import type { Catalog } from '../../../catalog/catalog.ts';
import { isZoetropeError } from '../../../base/errors.ts';
import { segmentEndMs } from '../../../timeline/segment.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { timeJson } from '../json.ts';
import { LadderShape, type LadderJson } from '../ladder-shapes.ts';
import { IdParams, loadStream } from '../lookup.ts';

/** What is encoded below the quality of a pushed stream. */
export function addLadderRoutes(app: RestApp, { catalog }: ApiDeps): void {
  app.get(
    '/v1/streams/:id/ladder',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['streams'],
        summary: 'Read the live ladder of a stream',
        description:
          'What the setting `ladder` has led to. Without rungs: none were made yet. Segments that are missed are shown as gaps.',
        params: IdParams,
        response: { 200: LadderShape },
      },
    },
    async (request): Promise<LadderJson> => {
      const { id } = await loadStream(catalog, request, request.params.id);
      const report = await catalog.getLadder(id);
      const sourceEdgeMs = await edgeOf(catalog, id);
      const rungs: LadderJson['rungs'] = [];
      for (const rung of report?.rungs ?? []) {
        const edgeMs = await edgeOf(catalog, id, rung.name);
        const isKnown = edgeMs !== null && sourceEdgeMs !== null;
        const lagSeconds = isKnown ? Math.max(0, sourceEdgeMs - edgeMs) / 1000 : null;
        rungs.push({ ...rung, edge: timeJson(edgeMs), lagSeconds });
      }
      const failure = report?.lastFailure ?? null;
      return {
        rungs,
        made: report?.made ?? 0,
        missed: report?.missed ?? 0,
        lastFailure: failure === null ? null : failureJson(failure),
      };
    },
  );
}

function failureJson({
  atMs,
  ...failure
}: { readonly atMs: WallMs } & Omit<NonNullable<LadderJson['lastFailure']>, 'at'>): LadderJson['lastFailure'] {
  return { at: timeJson(atMs), ...failure };
}

/** Where the newest segment of a rendition ends. */
async function edgeOf(catalog: Pick<Catalog, 'liveWindow'>, id: string, rendition?: string): Promise<WallMs | null> {
  try {
    const newest = (await catalog.liveWindow(id, 1, rendition)).segments.at(-1);
    return newest === undefined ? null : segmentEndMs(newest);
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return null;
    throw error;
  }
}
