import type { StreamJson } from '../api/client.ts';
import { sourceState, type SourceState } from '../sources/source-state.ts';

/** What sources are sorted by. */
export type SortKey = 'name' | 'state' | 'kind' | 'picture' | 'bitRate' | 'drift' | 'faults' | 'edge' | 'seen';

/** How sources are sorted. */
export interface SourceOrder {
  readonly key: SortKey;
  readonly isDown: boolean;
}

/** What wants to be looked at comes first. */
const STATES: readonly SourceState[] = ['away', 'offline', 'waiting', 'live', 'ended'];

/** Null: it has none, and comes last whichever way they are sorted. */
function valueOf(stream: StreamJson, key: SortKey): number | string | null {
  const { source, lastCapturedAt } = stream;
  switch (key) {
    case 'name':
      return stream.name;
    case 'state':
      return STATES.indexOf(sourceState(stream).state);
    case 'kind':
      return stream.kind;
    case 'picture':
      return source === null ? null : source.width * source.height;
    case 'bitRate':
      return source?.bitsPerSecond ?? null;
    case 'drift':
      return source === null ? null : Math.abs(source.driftMs);
    case 'faults':
      return source === null ? null : source.rejected + source.gaps;
    case 'edge':
      return stream.edge?.name ?? null;
    case 'seen':
      return lastCapturedAt === null ? null : Date.parse(lastCapturedAt);
  }
}

/** Sources in order; those that are alike, by name. */
export function sortSources(streams: readonly StreamJson[], { key, isDown }: SourceOrder): readonly StreamJson[] {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const sign = isDown ? -1 : 1;
  const compare = (a: StreamJson, b: StreamJson): number => {
    const [first, second] = [valueOf(a, key), valueOf(b, key)];
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    if (typeof first === 'number' && typeof second === 'number') return sign * (first - second);
    return sign * collator.compare(String(first), String(second));
  };
  return streams.toSorted((a, b) => compare(a, b) || collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
}
