import { ZoetropeError } from '../../../base/errors.ts';
import { PacketFileWriter, type PacketFileHeader, type StoredPacket } from '../../packets/packet-file.ts';
import type { SegmentStore } from '../video/segment-store.ts';

/** A part is held in memory until it is whole. */
const MAX_PART_BYTES = 512 << 20;

/** Refuses packets that belong together and are more than fits into memory. @throws payload_too_large */
export function checkPartSize(sizeBytes: number, { parameters }: PacketFileHeader): void {
  if (sizeBytes <= MAX_PART_BYTES) return;
  throw new ZoetropeError(
    'payload_too_large',
    `More than ${MAX_PART_BYTES >> 20} MiB of ${parameters.codec} lie between two keyframes, more than can be worked through in one piece. ` +
      'Encode the file with keyframes every few seconds.',
  );
}

/** Writes packet files one after the other: `${prefix}${number}.packets`. */
export class PartWriter {
  readonly #header: PacketFileHeader;
  readonly #prefix: string;
  readonly #store: SegmentStore;
  #file: PacketFileWriter | undefined;
  #parts = 0;

  constructor(header: PacketFileHeader, prefix: string, store: SegmentStore) {
    this.#header = header;
    this.#prefix = prefix;
    this.#store = store;
  }

  /** The key of the part that packets go to now. */
  get key(): string {
    return `${this.#prefix}${String(this.#parts).padStart(5, '0')}.packets`;
  }

  /** @throws payload_too_large when a part does not fit into memory */
  add(packet: StoredPacket): void {
    this.#file ??= new PacketFileWriter(this.#header);
    this.#file.add(packet);
    checkPartSize(this.#file.sizeBytes, this.#header);
  }

  /** Ends the part; the next packet begins another. */
  async close(): Promise<void> {
    if (this.#file === undefined) return;
    const { key } = this;
    const bytes = this.#file.finish();
    this.#file = undefined;
    this.#parts += 1;
    await this.#store.room();
    this.#store.put(key, bytes);
  }
}
