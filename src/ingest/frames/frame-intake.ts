import type { WallMs } from '../../base/time.ts';
import type { Stream } from '../../timeline/stream.ts';

/** A frame event as it lies in the topic: the documented form. */
export interface FrameEventValue {
  readonly eventId: string;
  readonly clientId: string;
  readonly deviceId: string;
  /** RFC 3339 capture time. */
  readonly timestamp: string;
  readonly framePath: string;
  readonly requestId?: string | null | undefined;
  readonly secondaryKey?: string | null | undefined;
  readonly location?: { readonly lat: number; readonly lon: number } | null | undefined;
}

/** A JPEG that arrived by HTTP. */
export interface PostedFrame {
  readonly jpeg: Uint8Array;
  readonly capturedAtMs: WallMs;
  /** The client's own id for it; made when missing. */
  readonly eventId: string | undefined;
}

/** What a client is told of an accepted frame. */
export interface AcceptedFrame {
  readonly eventId: string;
  readonly streamId: string;
}

/**
 * Takes frames in. Resolves when they are durable. Refuses at the door what can be judged there, with invalid_argument,
 * unsupported_media, corrupt_media, payload_too_large or out_of_range (capture time too far ahead); too_many is back-pressure.
 */
export interface FrameIntake {
  acceptFrame(stream: Stream, frame: PostedFrame): Promise<AcceptedFrame>;
  /** The stream of a device is made on its first frame. */
  acceptDeviceFrame(clientId: string, deviceId: string, frame: PostedFrame): Promise<AcceptedFrame>;
  /** All or none. */
  acceptEvents(events: readonly FrameEventValue[]): Promise<readonly AcceptedFrame[]>;
}
