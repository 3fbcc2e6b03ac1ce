import { isZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { deadLetterTopic, type EventLog, type LoggedEvent } from '../events/event-log.ts';
import { FRAMES_TOPIC, keyOf, readFrameEvent, SEGMENTER_GROUP } from '../ingest/frames/frame-event.ts';
import type { Stream } from '../timeline/stream.ts';

/** How far back the log is looked at: more frames than wait in a server that keeps up. */
const NEWEST_EVENTS = 10_000;

/**
 * Answers for each stream whether its newest frame in the event log has come to its end: on the timeline or in the dead letters.
 * After a restart it has not, for a while, although the stream has been silent for long.
 */
export function frameCatchUp(
  events: Pick<EventLog, 'lag' | 'peek'>,
  catalog: Pick<Catalog, 'knownFrameTimes'>,
): (stream: Stream) => Promise<boolean> {
  return async (stream) => {
    if (stream.kind !== 'frames' || (await events.lag(FRAMES_TOPIC, SEGMENTER_GROUP)) === 0) return true;
    const key =
      stream.deviceId === null
        ? keyOf({ kind: 'stream', streamId: stream.id })
        : keyOf({ kind: 'device', tenant: stream.tenant, deviceId: stream.deviceId });
    const newest = (await events.peek(FRAMES_TOPIC, { limit: NEWEST_EVENTS })).findLast((event) => event.key === key);
    if (newest === undefined) return true;
    const capturedAtMs = captureTimeOf(newest);
    if (capturedAtMs === null || (await catalog.knownFrameTimes(stream.id, [capturedAtMs])).size > 0) return true;
    const dead = await events.peek(deadLetterTopic(FRAMES_TOPIC), { limit: NEWEST_EVENTS });
    return dead.some((letter) => letter.key === key && eventIdOf(letter.value) === eventIdOf({ event: newest.value }));
  };
}

/** Null for an event that cannot be read: it never becomes a frame. */
function captureTimeOf(event: LoggedEvent): ReturnType<typeof readFrameEvent>['capturedAtMs'] | null {
  try {
    return readFrameEvent(event).capturedAtMs;
  } catch (error) {
    if (isZoetropeError(error, 'invalid_argument')) return null;
    throw error;
  }
}

function eventIdOf(letter: unknown): unknown {
  const event = (letter as { readonly event?: { readonly eventId?: unknown } | null } | null)?.event;
  return event?.eventId;
}
