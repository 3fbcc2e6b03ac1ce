import type { Catalog } from '../catalog/catalog.ts';
import type { Stream } from '../timeline/stream.ts';

const PAGE = 1000;

/** Every stream, page by page. One that is made or renamed meanwhile may be missed: the next run sees it. */
export async function* allStreams(catalog: Pick<Catalog, 'listStreams'>): AsyncIterable<Stream> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Catalog['listStreams']>> = await catalog.listStreams(
      {},
      cursor === null ? { limit: PAGE } : { limit: PAGE, cursor },
    );
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
