import { bitRate } from '../assets/quantities.ts';

/** One of the pictures of a stream that a player can choose. */
export interface Quality {
  /** As the playlists' `rendition` names it; null: the main one. */
  readonly rendition: string | null;
  readonly name: string;
  readonly detail: string;
}

/** The qualities that a multivariant playlist offers (RFC 8216 4.3.4.2), the largest first; empty when there is nothing to choose. */
export function qualitiesOf(master: string): readonly Quality[] {
  const lines = master.split(/\r?\n/);
  const found: (Quality & { readonly height: number; readonly bandwidth: number })[] = [];
  for (const [index, line] of lines.entries()) {
    const uri = lines[index + 1];
    if (!line.startsWith('#EXT-X-STREAM-INF:') || uri === undefined) continue;
    const height = Number(/[:,]RESOLUTION=\d+x(\d+)/.exec(line)?.[1] ?? 0);
    const bandwidth = Number(
      /[:,]AVERAGE-BANDWIDTH=(\d+)/.exec(line)?.[1] ?? /[:,]BANDWIDTH=(\d+)/.exec(line)?.[1] ?? 0,
    );
    const rendition = new URLSearchParams(uri.split('?', 2)[1] ?? '').get('rendition');
    found.push({ rendition, name: `${height}p`, detail: bitRate(bandwidth), height, bandwidth });
  }
  if (found.length < 2) return [];
  found.sort((a, b) => b.height - a.height || b.bandwidth - a.bandwidth);
  return found.map(({ rendition, name, detail }) => ({ rendition, name, detail }));
}
