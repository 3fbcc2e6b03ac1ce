import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import { DEMUX_LIMITS, type DemuxedMedia, type DemuxedVideo, type DemuxLimits } from '../demuxed/demuxed-media.ts';
import { FaultLog } from '../demuxed/fault-log.ts';
import { unwrap90k } from '../demuxed/media-clock.ts';
import { PictureCollector } from '../demuxed/picture-collector.ts';
import { splitAnnexB } from '../h264/nal.ts';
import { AudioPesCollector } from './audio-pes-collector.ts';
import { transportPackets } from './packet-reader.ts';
import { PesReader, type ReadPes } from './pes-reader.ts';
import { STREAM_TYPE } from './program-tables.ts';
import { TableReader, type NamedStream } from './table-reader.ts';

/**
 * Takes an MPEG-TS segment apart (ISO/IEC 13818-1): the first programme's first H.264 or HEVC stream and first AAC stream in ADTS frames; others
 * are passed over. A PES packet is a picture, and one without time stamps goes on with the picture before it. Damage is survived where something
 * is left, and said. @throws payload_too_large beyond the limits, unsupported_media when no stream is of these codecs, corrupt_media when there
 * is no table, no media or no parameter set
 */
export function readTransportStream(bytes: Uint8Array, limits: DemuxLimits = DEMUX_LIMITS): DemuxedMedia {
  if (bytes.length > limits.maxBytes) {
    throw new ZoetropeError(
      'payload_too_large',
      `A segment may have ${limits.maxBytes} bytes. Got ${bytes.length}; cut shorter segments.`,
    );
  }
  const streams = readProgram(bytes);
  const pictures = streams.find(({ streamType }) => streamType === STREAM_TYPE.h264 || streamType === STREAM_TYPE.hevc);
  const sound = streams.find(({ streamType }) => streamType === STREAM_TYPE.adts);
  if (pictures === undefined && sound === undefined) {
    throw unsupported(streams.map(({ streamType }) => nameOf(streamType)));
  }
  const faults = new FaultLog();
  for (const stream of streams) {
    if (stream === pictures || stream === sound || !isMedia(stream.streamType)) continue;
    faults.note(`stream ${stream.streamType}`, `PID ${stream.pid}, ${nameOf(stream.streamType)}, was passed over.`);
  }
  const clock = new StampClock();
  const video = pictures === undefined ? null : new VideoPes(pictures, { faults, clock, limits });
  const audio = sound === undefined ? null : new AudioPesCollector(faults, (stamp) => clock.unwrap(stamp), limits);
  const audioReader = sound === undefined ? null : new PesReader(sound.pid, faults);
  for (const packet of transportPackets(bytes, faults)) {
    if (packet.pid === pictures?.pid) video?.take(video.reader.push(packet));
    if (packet.pid === sound?.pid) audio?.take(audioReader?.push(packet) ?? null);
  }
  video?.take(video.reader.finish());
  audio?.take(audioReader?.finish() ?? null);
  const readVideo = video?.finish() ?? null;
  let readAudio = null;
  try {
    readAudio = audio?.finish() ?? null;
  } catch (error) {
    if (readVideo === null || !isZoetropeError(error, 'unsupported_media')) throw error;
    faults.note('sound', `The sound is left out: ${error.message}`);
  }
  for (const [stream, read] of [
    [pictures, readVideo],
    [sound, readAudio],
  ] as const) {
    if (stream === undefined || read !== null) continue;
    faults.note(`empty ${stream.pid}`, `The tables name PID ${stream.pid}, of which the segment holds nothing whole.`);
  }
  if (readVideo === null && readAudio === null) {
    throw new ZoetropeError(
      'corrupt_media',
      `There is no picture and no sound in ${bytes.length} bytes of MPEG-TS. Send the segment again.`,
    );
  }
  return { video: readVideo, audio: readAudio, faults: faults.lines() };
}

/** The tables stand before the media as a rule, yet the media is read from its start wherever they are. */
function readProgram(bytes: Uint8Array): readonly NamedStream[] {
  const faults = new FaultLog();
  const tables = new TableReader(faults);
  for (const packet of transportPackets(bytes, faults)) {
    const streams = tables.push(packet);
    if (streams !== null) return streams;
  }
  const why = faults.lines()[0] ?? 'No table was found.';
  throw new ZoetropeError(
    'corrupt_media',
    `${bytes.length} bytes are no MPEG-TS segment with its tables. ${why} Let the encoder begin each segment with PAT and PMT.`,
  );
}

/** Unwraps time stamps of all streams against each other. */
class StampClock {
  #near: number | null = null;

  unwrap(stamp: number): number {
    this.#near = unwrap90k(stamp, this.#near ?? stamp);
    return this.#near;
  }
}

interface VideoContext {
  readonly faults: FaultLog;
  readonly clock: StampClock;
  readonly limits: DemuxLimits;
}

interface OpenPicture {
  readonly pts90k: number;
  readonly dts90k: number;
  readonly isRandomAccess: boolean;
  readonly parts: Uint8Array[];
}

/** Makes pictures of PES packets. */
class VideoPes {
  readonly reader: PesReader;
  readonly #context: VideoContext;
  readonly #pictures: PictureCollector;
  #open: OpenPicture | null = null;

  constructor({ pid, streamType }: NamedStream, context: VideoContext) {
    this.#context = context;
    this.reader = new PesReader(pid, context.faults);
    const codec = streamType === STREAM_TYPE.h264 ? 'h264' : 'hevc';
    this.#pictures = new PictureCollector(codec, context.faults, context.limits.maxPictures);
  }

  take(pes: ReadPes | null): void {
    if (pes === null) return;
    if (pes.pts === null) {
      if (this.#open === null) {
        this.#context.faults.note(
          'no time',
          `The PES packet at offset ${pes.offset} has no time stamp, and is the first.`,
        );
      } else {
        this.#open.parts.push(pes.data);
      }
      return;
    }
    this.#close();
    const dts90k = this.#context.clock.unwrap(pes.dts ?? pes.pts);
    const pts90k = unwrap90k(pes.pts, dts90k);
    this.#open = { pts90k, dts90k, isRandomAccess: pes.isRandomAccess, parts: [pes.data] };
  }

  finish(): DemuxedVideo | null {
    this.#close();
    return this.#pictures.finish(null);
  }

  #close(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const [only] = open.parts;
    const data = open.parts.length === 1 && only !== undefined ? only : Buffer.concat(open.parts);
    const { pts90k, dts90k, isRandomAccess } = open;
    if (!hasStartCode(data)) {
      this.#context.faults.note('no picture', `The PES packet for ${pts90k} holds no picture and was left out.`);
      return;
    }
    this.#pictures.add({ units: splitAnnexB(data), pts90k, dts90k, claimsSync: isRandomAccess });
  }
}

function hasStartCode(data: Uint8Array): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(Buffer.of(0, 0, 1));
}

function unsupported(names: readonly string[]): ZoetropeError {
  const listed = names.length === 0 ? 'no stream' : [...new Set(names)].join(', ');
  return new ZoetropeError(
    'unsupported_media',
    `MPEG-TS must carry H.264, HEVC, or AAC in ADTS frames. Got ${listed}; set the encoder to one of these.`,
  );
}

/** Private data and timed metadata come with many streams and nobody misses them. */
function isMedia(streamType: number): boolean {
  return streamType !== 0x06 && streamType !== 0x15 && STREAM_NAMES.has(streamType);
}

function hexName(streamType: number): string {
  return `stream type 0x${streamType.toString(16).padStart(2, '0')}`;
}

function nameOf(streamType: number): string {
  return STREAM_NAMES.get(streamType) ?? hexName(streamType);
}

/** ISO/IEC 13818-1 table 2-34, and what ATSC and Apple added. */
const STREAM_NAMES: ReadonlyMap<number, string> = new Map([
  [0x01, 'MPEG-1 video'],
  [0x02, 'MPEG-2 video'],
  [0x03, 'MPEG-1 audio'],
  [0x04, 'MPEG-2 audio'],
  [0x06, 'private data'],
  [0x0f, 'another AAC stream'],
  [0x10, 'MPEG-4 Part 2 video'],
  [0x11, 'AAC in LATM'],
  [0x15, 'timed metadata'],
  [0x1b, 'another H.264 stream'],
  [0x24, 'another HEVC stream'],
  [0x33, 'VVC'],
  [0x81, 'AC-3'],
  [0x87, 'E-AC-3'],
  [0xcf, 'encrypted AAC'],
  [0xdb, 'encrypted H.264'],
]);
