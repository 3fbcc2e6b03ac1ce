import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { wallMs, type WallMs } from '../base/time.ts';
import { CameraView } from './picture/camera-view.ts';
import { MovingObject } from './picture/moving-object.ts';
import type { PictureEncoder } from './picture/picture-encoder.ts';
import { seededRandom } from './random.ts';
import type { FrameKind, SimulatedEvent, SimulatedFrame } from './simulated-frame.ts';

/** How often something goes wrong on purpose: shares of frames, from 0 to 1. */
export interface Faults {
  /** How far capture times stray: 1 is half an interval to either side. */
  readonly jitter: number;
  /** Never made. */
  readonly drop: number;
  /** Sent after frames that were captured later. */
  readonly late: number;
  /** Sent twice. */
  readonly duplicate: number;
  /** Cut off or with bytes turned over. */
  readonly corrupt: number;
  /** Three quarters of the size. */
  readonly resize: number;
}

/** A size in pixels, even. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a camera is made of. */
export interface SimulatedCameraOptions {
  readonly device: string;
  readonly index: number;
  /** Of how many: they take turns within the interval. */
  readonly count: number;
  readonly intervalMs: number;
  readonly size: PictureSize;
  readonly timeZone: string;
  readonly faults: Faults;
  readonly seed: number;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Encoders are shared by cameras of one size. */
  readonly encoderOf: (size: PictureSize) => PictureEncoder;
  /** Told of each frame when it is to be sent. */
  readonly onFrame: (frame: SimulatedFrame) => void;
  readonly onDropped: () => void;
}

/** Intervals by which a late frame is held back: at least, and at most this many more. */
const LATE_INTERVALS = { least: 2, more: 4 };

/** A camera that sends a picture every interval, on multiples of the interval plus its turn. */
export class SimulatedCamera {
  readonly device: string;
  readonly #options: SimulatedCameraOptions;
  readonly #random: () => number;
  readonly #object: MovingObject;
  readonly #views = new Map<string, CameraView>();
  #wasInZone: boolean | null = null;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SimulatedCameraOptions) {
    this.device = options.device;
    this.#options = options;
    this.#random = seededRandom(options.seed * 1_000_003 + options.index);
    this.#object = new MovingObject(options.index);
  }

  /** Sends frames until the signal aborts; late frames that are still held back then are never sent. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, index, count, faults } = this.#options;
    const turnMs = (intervalMs * index) / count;
    while (!signal.aborted) {
      const slot = Math.floor((clock.nowMs() - turnMs) / intervalMs) + 1;
      const strayMs = (this.#random() - 0.5) * intervalMs * faults.jitter;
      const atMs = Math.max(Math.round(slot * intervalMs + turnMs + strayMs), this.#lastAtMs + 1);
      try {
        // A stray capture time before the slot waits for its moment too; one that has passed already is taken as it is.
        await clock.wait(Math.max(slot * intervalMs + turnMs, atMs) - clock.nowMs(), signal);
      } catch {
        // The signal: that is how a camera is stopped.
        return;
      }
      this.#lastAtMs = atMs;
      if (this.#random() < faults.drop) this.#options.onDropped();
      else this.#capture(wallMs(atMs), signal);
    }
  }

  #capture(atMs: WallMs, signal: AbortSignal): void {
    const { clock, intervalMs, device, ids, onFrame } = this.#options;
    const kind = this.#kind();
    const jpeg = this.#take(atMs, kind);
    const happened = kind === 'normal' || kind === 'duplicate' ? this.#look(atMs) : null;
    const frame: SimulatedFrame = { kind, device, eventId: ids.next('event'), capturedAtMs: atMs, jpeg, happened };
    if (kind !== 'late') {
      onFrame(frame);
      if (kind === 'duplicate') onFrame({ ...frame, happened: null });
      return;
    }
    const delayMs = intervalMs * (LATE_INTERVALS.least + LATE_INTERVALS.more * this.#random());
    const timer = clock.schedule(delayMs, () => onFrame(frame));
    signal.addEventListener('abort', () => timer.cancel(), { once: true });
  }

  #kind(): FrameKind {
    const { late, duplicate, corrupt, resize } = this.#options.faults;
    const draw = this.#random();
    let bound = 0;
    for (const [kind, share] of [
      ['late', late],
      ['duplicate', duplicate],
      ['corrupt', corrupt],
      ['resized', resize],
    ] as const) {
      bound += share;
      if (draw < bound) return kind;
    }
    return 'normal';
  }

  #take(atMs: WallMs, kind: FrameKind): Uint8Array {
    const { size, encoderOf } = this.#options;
    const taken = kind === 'resized' ? { width: threeQuarters(size.width), height: threeQuarters(size.height) } : size;
    const jpeg = encoderOf(taken).encode(this.#viewOf(taken).draw(atMs));
    return kind === 'corrupt' ? this.#damage(jpeg) : jpeg;
  }

  #viewOf(size: PictureSize): CameraView {
    const key = `${size.width}x${size.height}`;
    let view = this.#views.get(key);
    if (view === undefined) {
      const { device: name, index, timeZone } = this.#options;
      view = new CameraView({ name, index, ...size, timeZone, object: this.#object });
      this.#views.set(key, view);
    }
    return view;
  }

  #damage(jpeg: Uint8Array): Uint8Array {
    if (this.#random() < 0.5) return jpeg.subarray(0, Math.floor(jpeg.length * (0.1 + 0.8 * this.#random())));
    const damaged = Uint8Array.from(jpeg);
    // The frame header's length: no decoder gets past it.
    const header = Buffer.from(damaged.buffer).indexOf(Uint8Array.of(0xff, 0xc0));
    damaged.fill(0xff, header + 2, header + 10);
    return damaged;
  }

  /** What happened since the frame before. The first frame only tells where things are. */
  #look(atMs: WallMs): SimulatedEvent | null {
    const isInZone = this.#object.isInZone(atMs);
    const before = this.#wasInZone;
    this.#wasInZone = isInZone;
    if (before === null || before === isInZone) return null;
    return isInZone
      ? { type: 'zone.entered', label: 'Object entered the zone' }
      : { type: 'zone.left', label: 'Object left the zone' };
  }
}

function threeQuarters(pixels: number): number {
  return Math.max(2, Math.round(pixels * 0.375) * 2);
}
