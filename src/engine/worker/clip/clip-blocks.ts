import { GAP_INTERVALS } from '../../../timeline/gap.ts';
import type { PictureGroup } from './clip-source.ts';
import type { SteadySegment } from './steady-clock.ts';

/** Pictures without a gap between them: those of one segment, or of several that lie over each other. */
export interface Block {
  readonly start: number;
  readonly end: number;
  /** Several segments show pictures in turn, as late frames do: they fit together only when they are encoded. */
  readonly isWoven: boolean;
  /** There is a gap before it. */
  readonly isAfterGap: boolean;
  /** In order of segments; the end of the last is that of the block. */
  readonly groups: readonly PictureGroup[];
}

/**
 * Settles where each segment ends: where the next begins, when it begins while the last picture is shown or so soon after that it is no gap. Segments
 * without pictures are left out.
 */
export function toBlocks(segments: readonly SteadySegment[], gapTolerance: number | null): readonly Block[] {
  const blocks: Block[] = [];
  let open: SteadySegment[] = [];
  const close = (next: SteadySegment | undefined): void => {
    const [first] = open;
    const last = open.at(-1);
    if (first === undefined || last === undefined) return;
    const end = endOf(open, next, gapTolerance);
    const before = blocks.at(-1);
    blocks.push({
      start: first.start,
      end,
      isWoven: open.length > 1,
      isAfterGap: before !== undefined && before.end < first.start,
      groups: withEnd(
        open.flatMap(({ groups }) => groups),
        open.length > 1 ? null : end,
      ),
    });
    open = [];
  };
  for (const segment of segments) {
    if (segment.groups.length === 0) continue;
    const lastAt = open.reduce((most, one) => Math.max(most, one.lastAt), Number.NEGATIVE_INFINITY);
    if (segment.start > lastAt) close(segment);
    open.push(segment);
  }
  close(undefined);
  return blocks;
}

function endOf(open: readonly SteadySegment[], next: SteadySegment | undefined, gapTolerance: number | null): number {
  const end = Math.max(...open.map((segment) => segment.end));
  if (next === undefined) return end;
  if (next.goesOn && open.length === 1 && open[0]?.clock === next.clock) return next.start;
  const last = open.find((segment) => segment.end === end);
  const pictures = last?.groups.reduce((sum, group) => sum + group.pictures.length, 0) ?? 0;
  const interval = last === undefined ? 0 : (last.end - last.start) / Math.max(1, pictures);
  // Behind a change of parameters there may be a gap that was one for that reason alone: as the writer of the timeline judges.
  const intervals = last?.init === next.init ? GAP_INTERVALS : 1;
  const tolerance = gapTolerance ?? intervals * interval;
  return next.start - end > tolerance ? end : next.start;
}

function withEnd(groups: readonly PictureGroup[], end: number | null): readonly PictureGroup[] {
  const last = groups.at(-1);
  return end === null || last === undefined ? groups : [...groups.slice(0, -1), { ...last, end }];
}
