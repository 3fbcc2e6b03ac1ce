import type { ZoetropeError } from '../../base/errors.ts';

/** Makes the error of a bit stream's own kind, from what is wrong with it. */
export type Corrupt = (why: string) => ZoetropeError;

/** Reads a header bit by bit, most significant bit first, and never beyond its end. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #corrupt: Corrupt;
  #bit = 0;

  /** `corrupt` makes the error that is thrown when bits are missing. */
  constructor(bytes: Uint8Array, corrupt: Corrupt) {
    this.#bytes = bytes;
    this.#corrupt = corrupt;
  }

  /** A number of `count` bits. */
  u(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) {
      const byte = this.#bytes[this.#bit >> 3];
      if (byte === undefined) throw this.#corrupt('it is cut off');
      value = value * 2 + ((byte >> (7 - (this.#bit & 7))) & 1);
      this.#bit++;
    }
    return value;
  }

  /** One bit. */
  flag(): boolean {
    return this.u(1) === 1;
  }

  /** An unsigned Exp-Golomb code (ITU-T H.264 §9.1). */
  ue(): number {
    let zeros = 0;
    while (this.u(1) === 0) {
      if (++zeros > 32) throw this.#corrupt('an Exp-Golomb code is too long');
    }
    return 2 ** zeros - 1 + this.u(zeros);
  }

  /** A signed Exp-Golomb code (ITU-T H.264 §9.1.1). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -(code / 2);
  }
}

/** Removes `emulation_prevention_three_byte`s (ITU-T H.264 §7.3.1, H.265 §7.3.1.1). */
export function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const clean = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    clean[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return clean.subarray(0, length);
}
