import type { WallMs } from '../base/time.ts';

/** What a frame is sent as: `normal`, or with one fault on purpose. */
export const FRAME_KINDS = ['normal', 'late', 'duplicate', 'corrupt', 'resized'] as const;

/** One of {@link FRAME_KINDS}. */
export type FrameKind = (typeof FRAME_KINDS)[number];

/** A frame on its way to the server. */
export interface SimulatedFrame {
  readonly kind: FrameKind;
  readonly device: string;
  readonly eventId: string;
  readonly capturedAtMs: WallMs;
  readonly jpeg: Uint8Array;
  /** What happened in the picture between the camera's frame before and this one. */
  readonly happened: SimulatedEvent | null;
}

/** Something that happened in front of a camera, to be marked on its timeline at the frame that shows it first. */
export interface SimulatedEvent {
  readonly type: 'zone.entered' | 'zone.left';
  readonly label: string;
}
