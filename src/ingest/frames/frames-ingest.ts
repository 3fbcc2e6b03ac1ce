import { TopicIngest, type TopicIngestDeps } from '../topic-ingest.ts';
import { SEGMENTER_GROUP, type IncomingFrame } from './frame-event.ts';
import { framePlan, type FrameLaneDeps } from './frame-lane.ts';
import type { LastSeen } from './last-seen.ts';

/** How long open segments may take to be written at shutdown. */
const DRAIN_LIMIT_MS = 15_000;

/** What the frames ingest works with. */
export interface FramesIngestDeps extends Omit<FrameLaneDeps, 'seen' | 'catalog'> {
  readonly catalog: FrameLaneDeps['catalog'] & TopicIngestDeps['catalog'];
  readonly events: TopicIngestDeps['events'];
  readonly lastSeen: Pick<LastSeen, 'note'>;
}

/** The frames role: frame events in, segments on timelines out. */
export function createFramesIngest(deps: FramesIngestDeps): TopicIngest<IncomingFrame> {
  const { lastSeen } = deps;
  const plan = framePlan({ ...deps, seen: lastSeen.note.bind(lastSeen) });
  return new TopicIngest({ name: 'frames ingest', group: SEGMENTER_GROUP, drainLimitMs: DRAIN_LIMIT_MS }, plan, deps);
}
