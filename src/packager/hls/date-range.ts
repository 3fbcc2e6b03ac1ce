import { formatRfc3339, type WallMs } from '../../base/time.ts';
import { quoted } from './attributes.ts';

/** A labelled point or range of wall time in a playlist. */
export interface DateRange {
  readonly id: string;
  /** Players treat ranges of one class alike. */
  readonly class: string;
  readonly startMs: WallMs;
  /** Null for a point. */
  readonly endMs: WallMs | null;
  readonly label: string;
}

/** EXT-X-DATERANGE (RFC 8216bis §4.4.5.1), with its label as the client attribute `X-LABEL`. */
export function renderDateRange(range: DateRange): string {
  const end = range.endMs === null ? '' : `,END-DATE="${formatRfc3339(range.endMs)}"`;
  const head = `#EXT-X-DATERANGE:ID=${quoted(range.id)},CLASS=${quoted(range.class)}`;
  return `${head},START-DATE="${formatRfc3339(range.startMs)}"${end},X-LABEL=${quoted(range.label)}\n`;
}
