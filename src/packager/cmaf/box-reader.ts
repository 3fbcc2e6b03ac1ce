import { ZoetropeError } from '../../base/errors.ts';

/** A box found in a file: `start` to `end` with its header, the payload from `bodyStart`. */
export interface Box {
  readonly type: string;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** Says that bytes are no valid ISO base media file. */
export function corruptBoxes(message: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `${message} Fetch or make the file again.`);
}

/** More boxes side by side than any real file has; an empty one takes eight bytes only, and ten times that in memory. */
const MAX_BOXES = 100_000;

/** The boxes between two offsets, in order (ISO/IEC 14496-12 §4.2). @throws corrupt_media when one reaches outside. */
export function readBoxes(bytes: Uint8Array, start: number, end: number): readonly Box[] {
  const view = viewOf(bytes);
  const boxes: Box[] = [];
  let at = start;
  while (at < end) {
    if (end - at < 8) throw corruptBoxes(`${end - at} stray bytes at offset ${at} are too few for a box.`);
    let size = view.getUint32(at);
    const type = Buffer.from(bytes.buffer, bytes.byteOffset + at + 4, 4).toString('latin1');
    let headerBytes = 8;
    if (size === 0) size = end - at;
    if (size === 1) {
      if (end - at < 16) throw corruptBoxes(`The box at offset ${at} is cut off inside its 64-bit size.`);
      size = safeNumber(view.getBigUint64(at + 8), `size of the box at offset ${at}`);
      headerBytes = 16;
    }
    if (size < headerBytes || size > end - at) {
      throw corruptBoxes(
        `The box ${JSON.stringify(type)} at offset ${at} claims ${size} bytes; ${end - at} are there.`,
      );
    }
    if (boxes.length === MAX_BOXES) throw corruptBoxes(`There are more than ${MAX_BOXES} boxes side by side.`);
    boxes.push({ type, start: at, bodyStart: at + headerBytes, end: at + size });
    at += size;
  }
  return boxes;
}

/** The first box along a path of types, from the file's top or inside a box. @throws corrupt_media naming the missing part. */
export function findBox(bytes: Uint8Array, path: readonly string[], within?: Box): Box {
  let start = within?.bodyStart ?? 0;
  let end = within?.end ?? bytes.length;
  let found: Box | undefined;
  for (const type of path) {
    found = readBoxes(bytes, start, end).find((box) => box.type === type);
    if (found === undefined) throw corruptBoxes(`There is no ${path.join('/')} box (missing: ${type}).`);
    start = found.bodyStart;
    end = found.end;
  }
  if (found === undefined) throw corruptBoxes('There is no box.');
  return found;
}

/** Reads fields of one box in order and never beyond its end. */
export class BoxCursor {
  readonly #view: DataView;
  readonly #box: Box;
  #at: number;

  constructor(bytes: Uint8Array, box: Box) {
    this.#view = viewOf(bytes);
    this.#box = box;
    this.#at = box.bodyStart;
  }

  /** Offset of the next byte in the file. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes of the box that are left. */
  get remaining(): number {
    return this.#box.end - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2));
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4));
  }

  i32(): number {
    return this.#view.getInt32(this.skip(4));
  }

  u64(): number {
    return safeNumber(this.#view.getBigUint64(this.skip(8)), `number in the ${this.#box.type} box`);
  }

  /** Passes over bytes; answers where they begin. @throws corrupt_media when the box ends before. */
  skip(count: number): number {
    const at = this.#at;
    if (count > this.#box.end - at) {
      throw corruptBoxes(`The ${this.#box.type} box at offset ${this.#box.start} is cut off.`);
    }
    this.#at = at + count;
    return at;
  }

  /** Version and flags of a full box. */
  versionAndFlags(): { readonly version: number; readonly flags: number } {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xffffff };
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function safeNumber(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corruptBoxes(`The ${what} is absurdly large: ${value}.`);
  return Number(value);
}
