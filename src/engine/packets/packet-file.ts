import { ZoetropeError } from '../../base/errors.ts';

/** What a decoder needs to know of a track. Numbers are FFmpeg's own where nothing else is said: the worker that wrote a file and those that read it run one release. */
export interface TrackParameters {
  readonly kind: 'video' | 'audio';
  /** FFmpeg's name, for messages. */
  readonly codec: string;
  readonly codecId: number;
  readonly codecTag: number;
  /** Out-of-band headers; null: none. */
  readonly extradata: Uint8Array | null;
  readonly profile: number;
  readonly level: number;
  /** Pixel or sample format; −1 where unknown. */
  readonly format: number;
  readonly bitRate: number;
  readonly bitsPerCodedSample: number;
  readonly bitsPerRawSample: number;
  readonly video: VideoParameters | null;
  readonly audio: AudioParameters | null;
}

/** What only pictures have. */
export interface VideoParameters {
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Ratio;
  readonly frameRate: Ratio;
  readonly colorRange: number;
  readonly colorPrimaries: number;
  readonly colorTrc: number;
  readonly colorSpace: number;
  readonly chromaLocation: number;
  readonly fieldOrder: number;
  /** How many pictures a decoder holds back to put them in order. */
  readonly videoDelay: number;
}

/** What only sound has. */
export interface AudioParameters {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** `AVChannelOrder` and its mask; a mask of 0 with the native order: the default layout of so many channels. */
  readonly channelOrder: number;
  readonly channelMask: string;
  readonly blockAlign: number;
  readonly frameSize: number;
  readonly initialPadding: number;
}

/** A fraction; 0/1 where unknown. */
export interface Ratio {
  readonly num: number;
  readonly den: number;
}

/** What a packet file begins with. */
export interface PacketFileHeader {
  readonly parameters: TrackParameters;
  /** Seconds of a tick of its packets' times. Video: 1/90000, counted from the first picture. Audio: one sample of the source, counted from time 0. */
  readonly timeBase: Ratio;
}

/** A coded packet. Times are ticks of the file's time base. */
export interface StoredPacket {
  readonly pts: number | null;
  readonly dts: number | null;
  /** 0 where unknown. */
  readonly duration: number;
  /** FFmpeg's `AV_PKT_FLAG_…`. */
  readonly flags: number;
  readonly data: Uint8Array;
  readonly sideData: readonly PacketSideData[];
}

/** What the container says of one packet alone. */
export interface PacketSideData {
  /** FFmpeg's `AV_PKT_DATA_…`. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** A packet file that has been read. */
export interface PacketFile extends PacketFileHeader {
  readonly packets: readonly StoredPacket[];
}

const MAGIC = Buffer.from('ZPKT');
const VERSION = 1;
const PREFIX_BYTES = MAGIC.length + 4 + 4;
const MAX_HEADER_BYTES = 16 << 20;
const LENGTH_BYTES = 4;
/** pts, dts, duration, flags, number of side data. */
const FIXED_BYTES = 8 + 8 + 8 + 4 + 2;
const SIDE_DATA_FIXED_BYTES = 8;
const NO_TIME = -(2n ** 63n);

/**
 * Writes the packets of one track: a magic word, the version, a header in JSON with its length, then packets, each after its length. Numbers are
 * big-endian.
 */
export class PacketFileWriter {
  readonly #pieces: Uint8Array[];
  #sizeBytes: number;
  #packets = 0;

  constructor({ parameters, timeBase }: PacketFileHeader) {
    const { extradata } = parameters;
    const base64 = extradata === null ? null : Buffer.from(extradata).toString('base64');
    const header = Buffer.from(JSON.stringify({ parameters: { ...parameters, extradata: base64 }, timeBase }));
    const prefix = Buffer.alloc(PREFIX_BYTES);
    MAGIC.copy(prefix);
    prefix.writeUInt32BE(VERSION, MAGIC.length);
    prefix.writeUInt32BE(header.length, MAGIC.length + 4);
    this.#pieces = [prefix, header];
    this.#sizeBytes = prefix.length + header.length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get packets(): number {
    return this.#packets;
  }

  /** Adds a packet behind the others. Its data must not change until {@link PacketFileWriter.finish}. */
  add({ pts, dts, duration, flags, data, sideData }: StoredPacket): void {
    const sideBytes = sideData.reduce((sum, side) => sum + SIDE_DATA_FIXED_BYTES + side.data.length, 0);
    const fixed = Buffer.alloc(LENGTH_BYTES + FIXED_BYTES);
    fixed.writeUInt32BE(FIXED_BYTES + sideBytes + data.length);
    fixed.writeBigInt64BE(pts === null ? NO_TIME : BigInt(pts), 4);
    fixed.writeBigInt64BE(dts === null ? NO_TIME : BigInt(dts), 12);
    fixed.writeBigInt64BE(BigInt(duration), 20);
    fixed.writeUInt32BE(flags >>> 0, 28);
    fixed.writeUInt16BE(sideData.length, 32);
    this.#push(fixed);
    for (const side of sideData) {
      const prefix = Buffer.alloc(SIDE_DATA_FIXED_BYTES);
      prefix.writeUInt32BE(side.type);
      prefix.writeUInt32BE(side.data.length, 4);
      this.#push(prefix);
      this.#push(side.data);
    }
    this.#push(data);
    this.#packets += 1;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#pieces, this.#sizeBytes);
  }

  #push(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#sizeBytes += bytes.length;
  }
}

/** Reads what {@link PacketFileWriter} wrote; packets are views of `bytes`. @throws corrupt_media on anything else */
export function readPacketFile(bytes: Uint8Array): PacketFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < PREFIX_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged('it is none');
  const version = file.readUInt32BE(MAGIC.length);
  if (version !== VERSION) throw damaged(`its version is ${version}, not ${VERSION}`);
  const headerBytes = file.readUInt32BE(MAGIC.length + 4);
  const headerEnd = PREFIX_BYTES + headerBytes;
  if (headerBytes > MAX_HEADER_BYTES || headerEnd > file.length) throw damaged('its header is cut off');
  const header = parseHeader(file.toString('utf8', PREFIX_BYTES, headerEnd));
  const packets: StoredPacket[] = [];
  for (let at = headerEnd; at < file.length;) {
    if (at + LENGTH_BYTES > file.length) throw damaged('it ends inside a packet');
    const start = at + LENGTH_BYTES;
    const end = start + file.readUInt32BE(at);
    if (end > file.length || end - start < FIXED_BYTES) throw damaged('a packet is longer than what is left of it');
    packets.push(readPacket(file.subarray(start, end)));
    at = end;
  }
  return { ...header, packets };
}

function readPacket(record: Buffer): StoredPacket {
  const sideData: PacketSideData[] = [];
  let at = FIXED_BYTES;
  for (let left = record.readUInt16BE(28); left > 0; left--) {
    if (at + SIDE_DATA_FIXED_BYTES > record.length) throw damaged('it ends inside side data');
    const start = at + SIDE_DATA_FIXED_BYTES;
    const end = start + record.readUInt32BE(at + 4);
    if (end > record.length) throw damaged('side data are longer than their packet');
    sideData.push({ type: record.readUInt32BE(at), data: record.subarray(start, end) });
    at = end;
  }
  return {
    pts: readTime(record, 0),
    dts: readTime(record, 8),
    duration: readTime(record, 16) ?? 0,
    flags: record.readUInt32BE(24),
    data: record.subarray(at),
    sideData,
  };
}

function readTime(record: Buffer, offset: number): number | null {
  const value = record.readBigInt64BE(offset);
  if (value === NO_TIME) return null;
  const time = Number(value);
  if (!Number.isSafeInteger(time)) throw damaged(`a time of a packet is ${value}`);
  return time;
}

function parseHeader(text: string): PacketFileHeader {
  let header: unknown;
  try {
    header = JSON.parse(text, (key, value: unknown) =>
      key === 'extradata' && typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : value,
    );
  } catch (error) {
    throw damaged('its header is no JSON', error);
  }
  if (!isHeader(header)) throw damaged('its header lacks what a decoder needs');
  return header;
}

function isHeader(value: unknown): value is PacketFileHeader {
  if (!isRecord(value) || !isRatio(value['timeBase']) || !isRecord(value['parameters'])) return false;
  const { parameters, timeBase } = value;
  const { extradata, video, audio, kind } = parameters;
  const numbers = ['codecId', 'codecTag', 'profile', 'level', 'format', 'bitRate', 'bitsPerCodedSample'];
  return (
    timeBase.num > 0 &&
    timeBase.den > 0 &&
    typeof parameters['codec'] === 'string' &&
    (extradata === null || extradata instanceof Uint8Array) &&
    areNumbers(parameters, [...numbers, 'bitsPerRawSample']) &&
    (kind === 'video' ? isVideo(video) && audio === null : kind === 'audio' && isAudio(audio) && video === null)
  );
}

function isVideo(value: unknown): boolean {
  const numbers = ['width', 'height', 'colorRange', 'colorPrimaries', 'colorTrc', 'colorSpace', 'chromaLocation'];
  return (
    isRecord(value) &&
    areNumbers(value, [...numbers, 'fieldOrder', 'videoDelay']) &&
    isRatio(value['sampleAspectRatio']) &&
    isRatio(value['frameRate'])
  );
}

function isAudio(value: unknown): boolean {
  const numbers = ['sampleRateHz', 'channels', 'channelOrder', 'blockAlign', 'frameSize', 'initialPadding'];
  return (
    isRecord(value) &&
    areNumbers(value, numbers) &&
    typeof value['channelMask'] === 'string' &&
    /^\d{1,20}$/.test(value['channelMask'])
  );
}

function isRatio(value: unknown): value is Ratio {
  return isRecord(value) && areNumbers(value, ['num', 'den']);
}

function areNumbers(value: Record<string, unknown>, names: readonly string[]): boolean {
  return names.every((name) => Number.isSafeInteger(value[name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function damaged(what: string, cause?: unknown): ZoetropeError {
  const message = `A packet file cannot be read: ${what}. Split its source again.`;
  return new ZoetropeError('corrupt_media', message, cause === undefined ? {} : { cause });
}
