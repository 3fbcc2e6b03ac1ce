import { LRUCache } from 'lru-cache';
import type { Clock } from '../../base/clock.ts';
import { ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import { formatRfc3339, parseRfc3339, type WallMs } from '../../base/time.ts';
import type { Catalog, StreamStore } from '../../catalog/catalog.ts';
import type { FrameLimits, MediaRef } from '../../engine/engine.ts';
import { readJpegHeader } from '../../engine/jpeg/read-header.ts';
import type { EventLog, NewEvent } from '../../events/event-log.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import { FRAMES_TOPIC, identityOf, keyOf, type FrameRecord, type FrameTarget } from './frame-event.ts';
import type { AcceptedFrame, FrameEventValue, FrameIntake, PostedFrame } from './frame-intake.ts';
import { framePrefix, type FrameRoots } from './frame-roots.ts';
import type { LastSeen } from './last-seen.ts';
import type { NewestFrame } from './newest-frames.ts';
import { isRecordedAt } from './recorded.ts';

const KNOWN_DEVICES = 50_000;

/** What the intake works with. */
export interface IntakeDeps {
  readonly catalog: Pick<StreamStore, 'ensureDeviceStream' | 'findDeviceStream'> &
    Pick<Catalog, 'listHolds' | 'onChange'>;
  readonly objects: Pick<ObjectStore, 'put' | 'delete'>;
  readonly events: Pick<EventLog, 'publish'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly roots: FrameRoots;
  readonly lastSeen: Pick<LastSeen, 'note'>;
  /** Told of each acknowledged frame: where ingest runs in another process, `latest.jpg` would know of it only with its segment. */
  readonly onAccepted?: (streamId: string, frame: NewestFrame) => void;
  readonly limits: FrameLimits;
  readonly defaults: StreamSettings;
}

/** The door for frames: judges what can be judged at once, makes the frame durable, and acknowledges it. */
export function createFrameIntake(deps: IntakeDeps): FrameIntake {
  return new Intake(deps);
}

class Intake implements FrameIntake {
  readonly #deps: IntakeDeps;
  readonly #devices = new LRUCache<string, Stream>({ max: KNOWN_DEVICES });

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    deps.catalog.onChange((change) => {
      const own = new Set(change.appended.map(({ segment }) => segment.streamId));
      const changed = new Set(change.streamIds.filter((id) => !own.has(id)));
      if (changed.size === 0) return;
      for (const [key, stream] of this.#devices) if (changed.has(stream.id)) this.#devices.delete(key);
    });
  }

  async acceptFrame(stream: Stream, frame: PostedFrame): Promise<AcceptedFrame> {
    await this.#checkFrame(frame.capturedAtMs, stream);
    readJpegHeader(frame.jpeg, this.#deps.limits);
    return this.#store(stream, frame);
  }

  async acceptDeviceFrame(clientId: string, deviceId: string, frame: PostedFrame): Promise<AcceptedFrame> {
    await this.#checkFrame(frame.capturedAtMs, await this.#knownStream(clientId, deviceId));
    readJpegHeader(frame.jpeg, this.#deps.limits);
    return this.#store(await this.#deviceStream(clientId, deviceId), frame);
  }

  async acceptEvents(values: readonly FrameEventValue[]): Promise<readonly AcceptedFrame[]> {
    const { roots, events, clock, lastSeen, onAccepted } = this.#deps;
    for (const { clientId, deviceId, timestamp } of values) {
      await this.#checkFrame(parseRfc3339(timestamp, 'timestamp'), await this.#knownStream(clientId, deviceId));
    }
    const accepted: AcceptedFrame[] = [];
    const refs: MediaRef[] = [];
    const published: NewEvent[] = [];
    for (const value of values) {
      const { eventId, clientId, deviceId } = value;
      const stream = await this.#deviceStream(clientId, deviceId);
      refs.push(await roots.resolve(value.framePath, stream.id));
      accepted.push({ eventId, streamId: stream.id });
      published.push({ key: keyOf({ kind: 'device', tenant: clientId, deviceId }), value: recordOf(value) });
    }
    await events.publish(FRAMES_TOPIC, published);
    const nowMs = clock.nowMs();
    for (const [index, { streamId }] of accepted.entries()) {
      const timestamp = values[index]?.timestamp;
      const ref = refs[index];
      if (timestamp === undefined || ref === undefined) continue;
      const capturedAtMs = parseRfc3339(timestamp);
      lastSeen.note(streamId, capturedAtMs, nowMs);
      onAccepted?.(streamId, { capturedAtMs, ref });
    }
    return accepted;
  }

  async #store(stream: Stream, frame: PostedFrame): Promise<AcceptedFrame> {
    const { objects, events, ids } = this.#deps;
    const key = `${framePrefix(stream.id)}${ids.next('frame')}.jpg`;
    const eventId = frame.eventId ?? ids.next('event');
    const target: FrameTarget =
      stream.deviceId === null
        ? { kind: 'stream', streamId: stream.id }
        : { kind: 'device', tenant: stream.tenant, deviceId: stream.deviceId };
    const value: FrameRecord = {
      eventId,
      clientId: stream.tenant,
      deviceId: stream.deviceId ?? stream.id,
      timestamp: formatRfc3339(frame.capturedAtMs),
      framePath: key,
      ...(target.kind === 'stream' ? { streamId: target.streamId } : {}),
    };
    await objects.put(key, frame.jpeg);
    try {
      await events.publish(FRAMES_TOPIC, [{ key: keyOf(target), value }]);
    } catch (error) {
      // Not acknowledged: the picture must not stay behind. If it does, the daily sweep finds it.
      await objects.delete([key]).catch(() => undefined);
      throw error;
    }
    const { capturedAtMs } = frame;
    this.#deps.lastSeen.note(stream.id, capturedAtMs, this.#deps.clock.nowMs());
    this.#deps.onAccepted?.(stream.id, { capturedAtMs, ref: { objectKey: key } });
    return { eventId, streamId: stream.id };
  }

  /** By what a device's frames are judged; null: by the defaults. Judging makes no stream: what is refused must leave none behind. */
  async #knownStream(tenant: string, deviceId: string): Promise<Stream | null> {
    const known = this.#devices.get(identityOf({ kind: 'device', tenant, deviceId }));
    return known ?? this.#deps.catalog.findDeviceStream(tenant, deviceId);
  }

  async #deviceStream(tenant: string, deviceId: string): Promise<Stream> {
    const key = identityOf({ kind: 'device', tenant, deviceId });
    const known = this.#devices.get(key);
    if (known !== undefined) return known;
    const stream = await this.#deps.catalog.ensureDeviceStream({
      id: this.#deps.ids.next('stream'),
      tenant,
      kind: 'frames',
      name: deviceId,
      deviceId,
      settings: {},
    });
    this.#devices.set(key, stream);
    return stream;
  }

  async #checkFrame(capturedAtMs: WallMs, stream: Stream | null): Promise<void> {
    if (stream !== null && stream.kind !== 'frames') {
      throw new ZoetropeError(
        'conflict',
        `Stream ${stream.id} is of kind ${stream.kind}; frames are sent to streams of kind frames. Make one with POST /v1/streams {"kind":"frames","name":"…"}.`,
      );
    }
    const { catalog, clock, defaults } = this.#deps;
    const settings = stream === null ? defaults : effectiveSettings(stream, defaults);
    const nowMs = clock.nowMs();
    if (capturedAtMs > nowMs + settings.futureToleranceMs) {
      throw new ZoetropeError(
        'out_of_range',
        `The capture time ${formatRfc3339(capturedAtMs)} lies ${capturedAtMs - nowMs} ms ahead of the server's clock, more than the ` +
          `${settings.futureToleranceMs} ms tolerated. Set the camera's clock (NTP), or raise ZOETROPE_FUTURE_TOLERANCE_SECONDS.`,
      );
    }
    if (capturedAtMs < nowMs - settings.retentionMs) {
      if (stream !== null && (await isRecordedAt(catalog, stream.id, capturedAtMs))) return;
      throw new ZoetropeError(
        'out_of_range',
        `The capture time ${formatRfc3339(capturedAtMs)} lies before the retained window of ${settings.retentionMs / 3_600_000} h: ` +
          `it would be removed at once. Raise the stream's retention to take older frames.`,
      );
    }
  }
}

/** The documented fields alone: what else a client sent stays out of the log. */
function recordOf(value: FrameEventValue): FrameRecord {
  const { eventId, clientId, deviceId, timestamp, framePath, requestId, secondaryKey, location } = value;
  return { eventId, clientId, deviceId, timestamp, framePath, requestId, secondaryKey, location };
}
