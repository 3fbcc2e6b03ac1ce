import type { EventLog } from '../events/event-log.ts';
import { CHUNK_GROUP, CHUNKS_TOPIC } from './chunks/chunk-event.ts';
import { FRAMES_TOPIC, SEGMENTER_GROUP } from './frames/frame-event.ts';
import { PUSH_GROUP, PUSHES_TOPIC } from './push/push-event.ts';

/** The topics that become timelines, each with the group that sees to it. */
export const INGEST_TOPICS = [
  { topic: FRAMES_TOPIC, group: SEGMENTER_GROUP },
  { topic: PUSHES_TOPIC, group: PUSH_GROUP },
  { topic: CHUNKS_TOPIC, group: CHUNK_GROUP },
] as const;

/** Whether every event of {@link INGEST_TOPICS} was worked through. */
export async function isIngestDrained(events: Pick<EventLog, 'lag'>): Promise<boolean> {
  const lags = await Promise.all(INGEST_TOPICS.map(({ topic, group }) => events.lag(topic, group)));
  return lags.every((lag) => lag === 0);
}
