import { isZoetropeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { EncodeFramesRequest, FrameInput, RejectedFrame } from '../engine.ts';
import { readInput } from './input.ts';

/** JPEG bytes of a batch that are kept in memory from the look whether all are there; beyond it they are read again. */
const KEPT_BYTES = 64 << 20;
const READS_AT_ONCE = 4;

/** The pictures of a batch, read ahead. */
export class FrameSource {
  readonly #request: EncodeFramesRequest;
  readonly #objects: ObjectStore;
  readonly #kept = new Map<FrameInput, Uint8Array>();
  #keptBytes = 0;

  constructor(request: EncodeFramesRequest, objects: ObjectStore) {
    this.#request = request;
    this.#objects = objects;
  }

  /** Tries to read every frame and tells which cannot be. @throws what is nobody's fault but the store's */
  async prepare(): Promise<readonly RejectedFrame[]> {
    const waiting = [...this.#request.frames];
    const rejected: RejectedFrame[] = [];
    const read = async (): Promise<void> => {
      for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) {
        try {
          const bytes = await this.#read(frame);
          if (this.#keptBytes + bytes.length > KEPT_BYTES) continue;
          this.#keptBytes += bytes.length;
          this.#kept.set(frame, bytes);
        } catch (error) {
          rejected.push(rejection(frame, error));
        }
      }
    };
    await Promise.all(Array.from({ length: READS_AT_ONCE }, read));
    return rejected;
  }

  async load(frame: FrameInput): Promise<Uint8Array> {
    return this.#kept.get(frame) ?? (await this.#read(frame));
  }

  #read(frame: FrameInput): Promise<Uint8Array> {
    return readInput(frame.ref, this.#objects, this.#request.limits.maxBytes);
  }
}

/** The codes that are a frame's own fault. */
const FRAME_FAULTS: readonly RejectedFrame['code'][] = [
  'missing_input',
  'corrupt_media',
  'unsupported_media',
  'payload_too_large',
];

/** A frame's fault as a rejection. @throws the error itself when it is not the frame's */
export function rejection(frame: FrameInput, error: unknown): RejectedFrame {
  const code = isZoetropeError(error) ? FRAME_FAULTS.find((fault) => fault === error.code) : undefined;
  if (!isZoetropeError(error) || code === undefined) throw error;
  return { capturedAtMs: frame.capturedAtMs, code, message: error.message, retryable: error.retryable };
}
