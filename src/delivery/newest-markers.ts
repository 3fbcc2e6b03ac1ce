import { wallMs, type WallMs } from '../base/time.ts';
import type { MarkerStore } from '../catalog/catalog.ts';
import type { DateRange } from '../packager/hls/date-range.ts';
import type { Marker } from '../timeline/marker.ts';

/** Date ranges in one playlist. */
export const MAX_DATE_RANGES = 500;

const FIRST_SPAN_MS = 600_000;
const PAGE = 1000;

/**
 * The newest markers that overlap a stretch, at most {@link MAX_DATE_RANGES}, oldest first. The catalog lists from the oldest; so ever longer
 * spans are looked at from the end, and a stretch with very many markers is not read whole.
 */
export async function newestMarkers(
  catalog: Pick<MarkerStore, 'listMarkers'>,
  streamId: string,
  fromMs: WallMs,
  toMs: WallMs,
): Promise<readonly Marker[]> {
  for (let spanMs = FIRST_SPAN_MS; ; spanMs *= 6) {
    const startMs = wallMs(Math.max(fromMs, toMs - spanMs));
    const markers = await markersBetween(catalog, streamId, startMs, toMs);
    if (markers.length >= MAX_DATE_RANGES || startMs <= fromMs) return markers;
  }
}

async function markersBetween(
  catalog: Pick<MarkerStore, 'listMarkers'>,
  streamId: string,
  fromMs: WallMs,
  toMs: WallMs,
): Promise<readonly Marker[]> {
  let newest: readonly Marker[] = [];
  let cursor: string | undefined;
  do {
    const page = await catalog.listMarkers(
      streamId,
      { fromMs, toMs },
      cursor === undefined ? { limit: PAGE } : { limit: PAGE, cursor },
    );
    newest = [...newest, ...page.items].slice(-MAX_DATE_RANGES);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return newest;
}

/** Markers as playlists show them: EXT-X-DATERANGE of the class `zoetrope.<type>`. */
export function dateRangesOf(markers: readonly Marker[], fromMs: number, toMs: number): readonly DateRange[] {
  return markers
    .filter((marker) => marker.atMs < toMs && (marker.untilMs ?? marker.atMs) >= fromMs)
    .map((marker) => ({
      id: marker.id,
      class: `zoetrope.${marker.type}`,
      startMs: marker.atMs,
      endMs: marker.untilMs,
      label: marker.label,
    }));
}
