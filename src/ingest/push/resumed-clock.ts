import type { WriterState } from '../../catalog/catalog.ts';
import { segmentEndMs } from '../../timeline/segment.ts';
import type { RunningClock } from './push-clock.ts';
import type { SourceNotes } from './source-notes.ts';

/** Goes on with the epoch that another writer began, when it is known how the source's clock lies on it. */
export function resumeClock({ last, rendition }: WriterState, notes: SourceNotes): RunningClock | null {
  const known = notes.clockOf(rendition.name);
  if (last === null || known === null || known.epochId !== last.epoch.id) return null;
  const { segment, epoch } = last;
  return {
    anchorMs: epoch.anchorMs,
    originPts90k: known.originPts90k,
    endPts90k: known.originPts90k + segment.mediaStart90k + segment.duration90k,
    endMs: segmentEndMs(segment),
    startMs: segment.startMs,
    clock: known.clock,
    lagsMs: [],
  };
}

/** Only where the timeline ends is known: whatever comes begins an epoch behind it. */
export function clockAtEnd({ last }: WriterState): RunningClock | null {
  if (last === null) return null;
  const { segment, epoch } = last;
  const end90k = segment.mediaStart90k + segment.duration90k;
  return {
    anchorMs: epoch.anchorMs,
    originPts90k: 0,
    endPts90k: end90k,
    endMs: segmentEndMs(segment),
    startMs: segment.startMs,
    clock: 'arrival',
    lagsMs: [],
  };
}
