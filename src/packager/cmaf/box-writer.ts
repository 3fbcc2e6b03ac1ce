/** Writes ISO base media boxes (ISO/IEC 14496-12 §4.2) into one growing buffer; sizes are filled in as boxes close. */
export class BoxWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacityBytes = 1024) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Writes a box whose payload is what `body` writes. */
  box(type: string, body: () => void): void {
    const start = this.#length;
    this.u32(0);
    this.text(type);
    body();
    this.#buffer.writeUInt32BE(this.#length - start, start);
  }

  /** Writes a box that begins with a version and 24 flag bits. */
  fullBox(type: string, version: number, flags: number, body: () => void): void {
    this.box(type, () => {
      this.u32(version * 0x1000000 + flags);
      body();
    });
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#buffer.writeUInt8(value, at);
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  i32(value: number): void {
    const at = this.#take(4);
    this.#buffer.writeInt32BE(value, at);
  }

  u64(value: number): void {
    const at = this.#take(8);
    this.#buffer.writeBigUInt64BE(BigInt(value), at);
  }

  /** Writes one byte a character. */
  text(value: string): void {
    const at = this.#take(value.length);
    this.#buffer.write(value, at, 'latin1');
  }

  bytes(value: Uint8Array): void {
    const at = this.#take(value.length);
    this.#buffer.set(value, at);
  }

  zeros(count: number): void {
    const at = this.#take(count);
    this.#buffer.fill(0, at, at + count);
  }

  /** Overwrites four bytes that were written earlier. */
  patchU32(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at);
  }

  /** What was written. The writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Makes room, which may replace the buffer: to be called before the buffer is looked at. */
  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }
}
