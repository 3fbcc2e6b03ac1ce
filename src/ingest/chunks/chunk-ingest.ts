import type { WallMs } from '../../base/time.ts';
import type { Persistence } from '../back-off.ts';
import type { LastSeen } from '../frames/last-seen.ts';
import type { LanePlan } from '../lane.ts';
import { SerialLane } from '../serial-lane.ts';
import { TopicIngest, type TopicIngestDeps } from '../topic-ingest.ts';
import { CHUNK_GROUP, CHUNKS_TOPIC, readChunkEvent, type ChunkRecord } from './chunk-event.ts';
import { ChunkWriter, type ChunkWriterDeps } from './chunk-writer.ts';

const READ_BATCH = 64;
/** Events that are read and not taken up; beyond it reading pauses. Each is some hundred bytes. */
const MAX_QUEUED = 5000;
/** How long chunks under way may take to be written at shutdown. */
const DRAIN_LIMIT_MS = 10_000;

/** What the ingest of announced chunks works with. */
export interface ChunkIngestDeps extends Omit<ChunkWriterDeps, 'persistence' | 'seen'> {
  readonly catalog: ChunkWriterDeps['catalog'] & TopicIngestDeps['catalog'];
  readonly events: TopicIngestDeps['events'];
  readonly lastSeen: Pick<LastSeen, 'note'>;
  readonly clock: Persistence['clock'];
  readonly logger: Persistence['logger'];
}

/** Announced chunks in, segments on timelines out. */
export function createChunkIngest(deps: ChunkIngestDeps): TopicIngest<ChunkRecord> {
  const member = { name: 'chunk ingest', group: CHUNK_GROUP, drainLimitMs: DRAIN_LIMIT_MS };
  return new TopicIngest(member, planOf(deps), deps);
}

function planOf({ clock, logger, lastSeen, ...deps }: ChunkIngestDeps): LanePlan<ChunkRecord> {
  return {
    topic: CHUNKS_TOPIC,
    readBatch: READ_BATCH,
    maxQueued: MAX_QUEUED,
    readEvent: readChunkEvent,
    laneKey: ({ streamId }) => streamId,
    openLane: ({ streamId }, context) => {
      const persistence = { clock, logger: logger.child({ stream: streamId }), signal: context.signal };
      const seen = (endMs: WallMs, receivedAtMs: number): void => lastSeen.note(streamId, endMs, receivedAtMs);
      const wired = { ...deps, persistence, seen };
      return new SerialLane(streamId, context, (wake) => new ChunkWriter(streamId, context.fence, wired, wake));
    },
  };
}
