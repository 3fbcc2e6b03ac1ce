import { isZoetropeError } from '../base/errors.ts';
import { wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { deadLetterTopic, type EventLog, type LoggedEvent } from '../events/event-log.ts';
import { FRAMES_TOPIC, keyOf, readFrameEvent, SEGMENTER_GROUP } from '../ingest/frames/frame-event.ts';
import type { Stream } from '../timeline/stream.ts';

/** How far back the log and the dead letters are looked at: enough for what waits behind an ingest that was away for a moment. */
const NEWEST_EVENTS = 2_000;

/** Whether no frame of a stream still waits to become a segment, as after a restart. */
export type CatchUp = (stream: Stream) => Promise<boolean>;

/**
 * Looks at the event log, once for all streams that are asked about. A stream has caught up when nothing waits at all, or when its newest
 * frame, and the newest of its events that the log shows, have come to their end: on the timeline or in the dead letters.
 */
export function frameCatchUp(
  events: Pick<EventLog, 'lag' | 'peek'>,
  catalog: Pick<Catalog, 'knownFrameTimes'>,
): () => CatchUp {
  return () => {
    const lag = once(() => events.lag(FRAMES_TOPIC, SEGMENTER_GROUP));
    const newest = once(async () => newestTimes(await events.peek(FRAMES_TOPIC, { limit: NEWEST_EVENTS })));
    const dead = once(async () =>
      deadTimes(await events.peek(deadLetterTopic(FRAMES_TOPIC), { limit: NEWEST_EVENTS })),
    );
    return async (stream) => {
      if (stream.kind !== 'frames' || (await lag()) === 0) return true;
      const key =
        stream.deviceId === null
          ? keyOf({ kind: 'stream', streamId: stream.id })
          : keyOf({ kind: 'device', tenant: stream.tenant, deviceId: stream.deviceId });
      const times = [stream.lastCapturedAtMs, (await newest()).get(key) ?? null].filter((timeMs) => timeMs !== null);
      const known = await catalog.knownFrameTimes(stream.id, times);
      const open = times.filter((timeMs) => !known.has(timeMs));
      if (open.length === 0) return true;
      const deadOfKey = (await dead()).get(key);
      return open.every((timeMs) => deadOfKey?.has(timeMs) === true);
    };
  };
}

/** The newest capture time under each key. */
function newestTimes(logged: readonly LoggedEvent[]): ReadonlyMap<string, WallMs> {
  const newest = new Map<string, WallMs>();
  for (const event of logged) {
    const timeMs = captureTimeOf(event);
    if (timeMs !== null) newest.set(event.key, wallMs(Math.max(timeMs, newest.get(event.key) ?? timeMs)));
  }
  return newest;
}

/** All capture times in the dead letters under each key. */
function deadTimes(letters: readonly LoggedEvent[]): ReadonlyMap<string, ReadonlySet<WallMs>> {
  const times = new Map<string, Set<WallMs>>();
  for (const letter of letters) {
    const { event = null } = (letter.value ?? {}) as { readonly event?: unknown };
    const timeMs = captureTimeOf({ ...letter, value: event });
    if (timeMs !== null) times.set(letter.key, (times.get(letter.key) ?? new Set()).add(timeMs));
  }
  return times;
}

/** Null for an event that cannot be read: it never becomes a frame. */
function captureTimeOf(event: LoggedEvent): WallMs | null {
  try {
    return readFrameEvent(event).capturedAtMs;
  } catch (error) {
    if (isZoetropeError(error, 'invalid_argument')) return null;
    throw error;
  }
}

/** A question that is asked at most once. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}
