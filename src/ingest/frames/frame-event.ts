import { ZoetropeError } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import { parseRfc3339, type WallMs } from '../../base/time.ts';
import type { LoggedEvent } from '../../events/event-log.ts';
import type { FrameEventValue } from './frame-intake.ts';

/** The topic of frame events. */
export const FRAMES_TOPIC = 'zoetrope.frames';

/** The consumer group that turns frames into segments. */
export const SEGMENTER_GROUP = 'segmenter';

/** Which stream a frame belongs to: a device's, or one that is named (streams without a device). */
export type FrameTarget =
  | { readonly kind: 'device'; readonly tenant: string; readonly deviceId: string }
  | { readonly kind: 'stream'; readonly streamId: string };

/** A frame event's value in the log: the documented form, and `streamId` where the stream has no device. */
export interface FrameRecord extends FrameEventValue {
  readonly streamId?: string;
}

/** A frame on its way into a segment. */
export interface IncomingFrame {
  readonly offset: number;
  readonly capturedAtMs: WallMs;
  readonly receivedAtMs: number;
  readonly target: FrameTarget;
  readonly record: FrameRecord;
}

/** The log's key of a target: all frames of one stream share a partition. Two devices may share a key: their names may hold slashes. */
export function keyOf(target: FrameTarget): string {
  return target.kind === 'device' ? `${target.tenant}/${target.deviceId}` : target.streamId;
}

/** Tells targets apart: equal for the same stream, and for no other. */
export function identityOf(target: FrameTarget): string {
  return target.kind === 'device' ? JSON.stringify([target.tenant, target.deviceId]) : target.streamId;
}

/** Reads a frame event from the log. @throws invalid_argument naming the field. */
export function readFrameEvent(event: LoggedEvent): IncomingFrame {
  const record = checkRecord(event.value);
  return {
    offset: event.offset,
    capturedAtMs: parseRfc3339(record.timestamp, 'timestamp of the frame event'),
    receivedAtMs: event.publishedAtMs,
    target:
      record.streamId === undefined
        ? { kind: 'device', tenant: record.clientId, deviceId: record.deviceId }
        : { kind: 'stream', streamId: record.streamId },
    record,
  };
}

function checkRecord(value: unknown): FrameRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ZoetropeError('invalid_argument', `A frame event must be a JSON object. Got ${typeof value}.`);
  }
  for (const field of ['eventId', 'clientId', 'deviceId', 'timestamp', 'framePath'] as const) {
    const text: unknown = Reflect.get(value, field);
    if (typeof text !== 'string' || text.length === 0 || text.length > 1024) {
      throw new ZoetropeError(
        'invalid_argument',
        `A frame event needs "${field}": a text of 1–1024 characters. Got ${JSON.stringify(text)?.slice(0, 80)}.`,
      );
    }
  }
  const record = value as FrameRecord;
  if (record.streamId !== undefined && !isId('stream', record.streamId)) {
    throw new ZoetropeError(
      'invalid_argument',
      `"streamId" of a frame event is no stream id. Got ${JSON.stringify(record.streamId)}.`,
    );
  }
  return record;
}
