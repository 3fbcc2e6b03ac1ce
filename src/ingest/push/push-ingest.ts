import type { WallMs } from '../../base/time.ts';
import type { Persistence } from '../back-off.ts';
import type { LastSeen } from '../frames/last-seen.ts';
import type { LanePlan } from '../lane.ts';
import { SerialLane } from '../serial-lane.ts';
import { TopicIngest, type TopicIngestDeps } from '../topic-ingest.ts';
import { PUSH_GROUP, PUSHES_TOPIC, readPushEvent, type PushRecord } from './push-event.ts';
import { PushWriter, type PushWriterDeps } from './push-writer.ts';

const READ_BATCH = 64;
/** Events that are read and not taken up; beyond it reading pauses. Each is some hundred bytes, a playlist some thousand. */
const MAX_QUEUED = 5000;
/** How long segments under way may take to be written at shutdown. */
const DRAIN_LIMIT_MS = 10_000;

/** What the ingest of pushed streams works with. */
export interface PushIngestDeps extends Omit<PushWriterDeps, 'persistence' | 'seen'> {
  readonly catalog: PushWriterDeps['catalog'] & TopicIngestDeps['catalog'];
  readonly events: TopicIngestDeps['events'];
  readonly lastSeen: Pick<LastSeen, 'note'>;
  readonly clock: Persistence['clock'];
  readonly logger: Persistence['logger'];
}

/** Pushed files in, segments on timelines out. */
export function createPushIngest(deps: PushIngestDeps): TopicIngest<PushRecord> {
  return new TopicIngest({ name: 'push ingest', group: PUSH_GROUP, drainLimitMs: DRAIN_LIMIT_MS }, planOf(deps), deps);
}

function planOf({ clock, logger, lastSeen, ...deps }: PushIngestDeps): LanePlan<PushRecord> {
  return {
    topic: PUSHES_TOPIC,
    readBatch: READ_BATCH,
    maxQueued: MAX_QUEUED,
    readEvent: readPushEvent,
    laneKey: ({ streamId }) => streamId,
    openLane: ({ streamId }, context) => {
      const persistence = { clock, logger: logger.child({ stream: streamId }), signal: context.signal };
      const seen = (endMs: WallMs, receivedAtMs: number): void => lastSeen.note(streamId, endMs, receivedAtMs);
      const wired = { ...deps, persistence, seen };
      return new SerialLane(streamId, context, (wake) => new PushWriter(streamId, context.fence, wired, wake));
    },
  };
}
