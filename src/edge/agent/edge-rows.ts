import type { Window } from '../../catalog/catalog.ts';
import type { Epoch } from '../../timeline/epoch.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { EdgeEpoch, EdgeRow } from '../protocol.ts';

/** Beyond so many characters of JSON a batch is closed. */
const AIMED_CHARACTERS = 512 * 1024;
const CHARACTERS_OF_ROW = 400;
const CHARACTERS_OF_TIME = 16;

/** Rows as they are sent, with their epochs: as many of a window, from its start, as make a body of bounded size; at least one. */
export function rowsOf({ segments, epochs }: Pick<Window, 'segments' | 'epochs'>): {
  readonly rows: readonly EdgeRow[];
  readonly epochs: readonly EdgeEpoch[];
  readonly segments: readonly Segment[];
} {
  const epochById = new Map(epochs.map((epoch) => [epoch.id, epoch]));
  const named = new Map<string, EdgeEpoch>();
  const taken: Segment[] = [];
  let characters = 0;
  for (const segment of segments) {
    const epoch = named.has(segment.epochId) ? undefined : epochById.get(segment.epochId);
    characters += CHARACTERS_OF_ROW + CHARACTERS_OF_TIME * segment.frameTimesMs.length;
    characters += epoch === undefined ? 0 : CHARACTERS_OF_ROW + (epoch.init.length * 4) / 3;
    if (characters > AIMED_CHARACTERS && taken.length > 0) break;
    if (epoch !== undefined) named.set(epoch.id, toEdgeEpoch(epoch));
    taken.push(segment);
  }
  return { rows: taken.map(toEdgeRow), epochs: [...named.values()], segments: taken };
}

function toEdgeEpoch({ id, anchorMs, init, codecs, width, height }: Epoch): EdgeEpoch {
  return { id, anchorMs, init: Buffer.from(init).toString('base64'), codecs, width, height };
}

function toEdgeRow(segment: Segment): EdgeRow {
  const { id, epochId, placement, sequence, startMs, mediaStart90k, duration90k, frameTimesMs } = segment;
  const { sizeBytes, sha256, keyframeBytes, lost } = segment;
  return {
    id,
    epochId,
    placement,
    sequence,
    startMs,
    mediaStart90k,
    duration90k,
    frameTimesMs,
    sizeBytes,
    sha256,
    keyframeBytes,
    lost,
  };
}
