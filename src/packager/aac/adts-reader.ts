import { ADTS_HEADER_BYTES } from './adts.ts';

/** A frame of an Audio Data Transport Stream. */
export interface AdtsFrame {
  /** Where its header begins. */
  readonly offset: number;
  /** The AAC packet, a view. */
  readonly data: Uint8Array;
}

/** What was found in an Audio Data Transport Stream. */
export interface AdtsStream {
  /** AudioSpecificConfig of the first frame; null without one. */
  readonly audioSpecificConfig: Uint8Array | null;
  /** Those with the parameters of the first. */
  readonly frames: readonly AdtsFrame[];
  /** Bytes that belong to no frame, also those of a last one that is cut off. */
  readonly strayBytes: number;
  /** Frames left out: their parameters are others, or they hold several packets. */
  readonly otherFrames: number;
}

interface AdtsHeader {
  readonly headerBytes: number;
  readonly frameBytes: number;
  /** Profile, rate and channels: what an AudioSpecificConfig says. */
  readonly parameters: number;
  readonly isSinglePacket: boolean;
}

/** Finds the frames of an Audio Data Transport Stream (ISO/IEC 13818-7 §6.2), over garbage and losses. Takes at most `maxFrames`. */
export function readAdts(bytes: Uint8Array, maxFrames: number): AdtsStream {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: AdtsFrame[] = [];
  let parameters: number | null = null;
  let [at, strayBytes, otherFrames] = [0, 0, 0];
  while (at < source.length && frames.length < maxFrames) {
    const header = readHeader(source, at);
    if (header === null || !isFollowed(source, at + header.frameBytes)) {
      const next = source.indexOf(0xff, at + 1);
      const end = next === -1 ? source.length : next;
      strayBytes += end - at;
      at = end;
      continue;
    }
    parameters ??= header.parameters;
    if (header.parameters === parameters && header.isSinglePacket) {
      frames.push({ offset: at, data: bytes.subarray(at + header.headerBytes, at + header.frameBytes) });
    } else {
      otherFrames += 1;
    }
    at += header.frameBytes;
  }
  return { audioSpecificConfig: parameters === null ? null : configOf(parameters), frames, strayBytes, otherFrames };
}

function readHeader(source: Buffer, at: number): AdtsHeader | null {
  if (source.length - at < ADTS_HEADER_BYTES) return null;
  const isSync = source.readUInt8(at) === 0xff && (source.readUInt8(at + 1) & 0xf6) === 0xf0;
  if (!isSync) return null;
  const hasChecksum = (source.readUInt8(at + 1) & 1) === 0;
  const headerBytes = ADTS_HEADER_BYTES + (hasChecksum ? 2 : 0);
  const high = source.readUInt16BE(at + 2);
  const frameBytes = ((source.readUInt32BE(at + 3) >>> 13) & 0x1fff) >>> 0;
  const rateIndex = (high >> 10) & 15;
  if (rateIndex > 12 || frameBytes <= headerBytes) return null;
  const profile = high >> 14;
  const channels = (high >> 6) & 7;
  const parameters = ((profile + 1) << 11) | (rateIndex << 7) | (channels << 3);
  return { headerBytes, frameBytes, parameters, isSinglePacket: (source.readUInt8(at + 6) & 3) === 0 };
}

/** Whether a frame that ends here can be one: at the end of all, or with another behind it. */
function isFollowed(source: Buffer, end: number): boolean {
  if (end >= source.length - 1) return end === source.length || source[end] === 0xff;
  return source.readUInt8(end) === 0xff && (source.readUInt8(end + 1) & 0xf6) === 0xf0;
}

/** AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1): object type, rate, channels, and an ordinary frame length. */
function configOf(parameters: number): Uint8Array {
  return Uint8Array.of(parameters >> 8, parameters & 0xff);
}
