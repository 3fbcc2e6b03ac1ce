import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import { OrderedOutbox } from './ordered-outbox.ts';
import { PictureEncoder } from './picture/picture-encoder.ts';
import { SCENES } from './picture/scene.ts';
import { ServerClient, type Answer, type FiledFrame } from './server-client.ts';
import { SimulatedCamera, type Faults, type PictureSize } from './simulated-camera.ts';
import type { SimulatedFrame } from './simulated-frame.ts';
import { Tally, type SimulationSummary } from './tally.ts';

/** What to simulate, against which server. */
export interface CameraSimulationOptions {
  readonly count: number;
  readonly intervalMs: number;
  readonly size: PictureSize;
  readonly url: string;
  /** An API key, where the server wants one. */
  readonly key: string | null;
  /** The tenant whose cameras they are. */
  readonly client: string;
  readonly faults: Faults;
  readonly seed: number;
  readonly timeZone: string;
  /** Whether what happens in the pictures is marked on the timelines. */
  readonly markers: boolean;
  /** Null: each JPEG by HTTP. Else the directory (one of the server's frame roots) for the JPEGs, which frame events then name. */
  readonly framesDir: string | null;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** Frames of one camera that may wait for the server; for events: of all cameras. */
const MAX_WAITING = 600;
const MAX_EVENTS_WAITING = 20_000;
const EVENTS_AT_ONCE = 500;
const END_GRACE_MS = 3000;
const MORE_NAMES = ['gate-south', 'parking', 'warehouse', 'terrace', 'crossing', 'field', 'ramp', 'harbour'];

/** Simulates cameras until the signal aborts; resolves with what was done. A server that is not up yet is waited for. */
export async function simulateCameras(
  options: CameraSimulationOptions,
  signal: AbortSignal,
): Promise<SimulationSummary> {
  using simulation = new CameraSimulation(options);
  return await simulation.run(signal);
}

/** The name of a simulated camera. */
export function cameraName(index: number): string {
  const names = [...SCENES.map((scene) => scene.name), ...MORE_NAMES];
  const round = Math.floor(index / names.length);
  return `${names[index % names.length] ?? 'camera'}${round === 0 ? '' : `-${round + 1}`}`;
}

class CameraSimulation implements Disposable {
  readonly #options: CameraSimulationOptions;
  readonly #server: ServerClient;
  readonly #tally = new Tally();
  readonly #encoders = new Map<string, PictureEncoder>();
  readonly #warned = new Set<string>();
  readonly #outboxes: { close(graceMs: number): Promise<void> }[] = [];
  readonly #markers = new Set<Promise<void>>();
  readonly #writes = new Set<Promise<void>>();

  constructor(options: CameraSimulationOptions) {
    this.#options = options;
    this.#server = new ServerClient(options);
  }

  async run(signal: AbortSignal): Promise<SimulationSummary> {
    const { clock, logger, url, count } = this.#options;
    logger.info({ url, cameras: count }, 'waiting for the server');
    try {
      await this.#server.waitUntilUp(clock, signal);
    } catch (error) {
      if (signal.aborted) return this.#tally.summary(count);
      throw error;
    }
    const cameras = this.#makeCameras();
    logger.info({ url, cameras: cameras.map((camera) => camera.device).slice(0, 8) }, 'the cameras are running');
    await Promise.all(cameras.map((camera) => camera.run(signal)));
    await Promise.all(this.#writes);
    await Promise.all(this.#outboxes.map((outbox) => outbox.close(END_GRACE_MS)));
    await Promise.all(this.#markers);
    return this.#tally.summary(count);
  }

  [Symbol.dispose](): void {
    for (const encoder of this.#encoders.values()) encoder[Symbol.dispose]();
  }

  #makeCameras(): readonly SimulatedCamera[] {
    const { framesDir } = this.#options;
    const files = framesDir === null ? null : this.#openFiles(framesDir);
    return Array.from({ length: this.#options.count }, (_, index) => {
      const onFrame = files ?? this.#openHttp();
      return new SimulatedCamera({
        ...this.#options,
        device: cameraName(index),
        index,
        encoderOf: (size) => this.#encoderOf(size),
        onFrame,
        onDropped: () => (this.#tally.dropped += 1),
      });
    });
  }

  #openHttp(): (frame: SimulatedFrame) => void {
    const outbox = this.#openOutbox<SimulatedFrame>(MAX_WAITING, 1, async ([frame]) =>
      frame === undefined ? { outcome: 'accepted', streamIds: [] } : await this.#server.sendFrame(frame),
    );
    return (frame) => {
      this.#tally.count(frame.kind, 'sent');
      outbox.add(frame);
    };
  }

  #openFiles(framesDir: string): (frame: SimulatedFrame) => void {
    const outbox = this.#openOutbox<FiledFrame>(MAX_EVENTS_WAITING, EVENTS_AT_ONCE, (batch) =>
      this.#server.sendEvents(batch),
    );
    return (frame) => {
      this.#tally.count(frame.kind, 'sent');
      const write = this.#writeFile(framesDir, frame).then(
        (path) => outbox.add({ ...frame, path }),
        (error: unknown) => {
          this.#tally.lost += 1;
          this.#warn(`a frame could not be written: ${messageOf(error)}`);
        },
      );
      this.#writes.add(write);
      void write.finally(() => this.#writes.delete(write));
    };
  }

  async #writeFile(framesDir: string, frame: SimulatedFrame): Promise<string> {
    const directory = join(resolve(framesDir), this.#options.client, frame.device);
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${frame.eventId}.jpg`);
    await writeFile(path, frame.jpeg);
    return path;
  }

  #openOutbox<T extends SimulatedFrame>(
    maxWaiting: number,
    batchSize: number,
    send: (batch: readonly T[]) => Promise<Answer>,
  ): OrderedOutbox<T> {
    const outbox = new OrderedOutbox<T>({
      clock: this.#options.clock,
      maxWaiting,
      batchSize,
      send,
      onAnswer: (batch, answer) => this.#answered(batch, answer),
      onRetry: (reason) => {
        this.#tally.retries += 1;
        this.#warn(`the server does not answer, trying again: ${reason}`);
      },
      onLost: () => (this.#tally.lost += 1),
    });
    this.#outboxes.push(outbox);
    return outbox;
  }

  #answered(batch: readonly SimulatedFrame[], answer: Answer): void {
    for (const [index, frame] of batch.entries()) {
      if (answer.outcome === 'accepted') {
        this.#tally.count(frame.kind, 'accepted');
        const streamId = answer.streamIds[index];
        if (streamId !== undefined && frame.happened !== null) this.#mark(streamId, frame, frame.happened);
      } else {
        this.#tally.count(frame.kind, 'refused');
        if (frame.kind !== 'corrupt') this.#warn(`the server refused a ${frame.kind} frame: ${answer.reason}`);
      }
    }
  }

  #mark(streamId: string, frame: SimulatedFrame, event: NonNullable<SimulatedFrame['happened']>): void {
    if (!this.#options.markers) return;
    const sent = this.#server.sendMarker(streamId, frame.capturedAtMs, event).then((answer) => {
      if (answer.outcome === 'accepted') this.#tally.markers += 1;
      else this.#warn(`a marker was not taken: ${answer.reason}`);
    });
    this.#markers.add(sent);
    void sent.finally(() => this.#markers.delete(sent));
  }

  #encoderOf({ width, height }: PictureSize): PictureEncoder {
    const key = `${width}x${height}`;
    let encoder = this.#encoders.get(key);
    if (encoder === undefined) {
      encoder = new PictureEncoder(width, height);
      this.#encoders.set(key, encoder);
    }
    return encoder;
  }

  /** Says a thing once: a server that is away would fill the log. */
  #warn(reason: string): void {
    if (this.#warned.has(reason)) return;
    this.#warned.add(reason);
    this.#options.logger.warn({ reason }, 'simulated cameras');
  }
}
