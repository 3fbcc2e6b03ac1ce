import { ZoetropeError } from '../../base/errors.ts';

/** A container that is recognised, and FFmpeg's demuxer for it. */
export interface SniffedContainer {
  readonly name: string;
  /** Null: read without FFmpeg. */
  readonly demuxer: string | null;
}

/** How many bytes from the start {@link sniffContainer} wants: room for three transport packets. */
export const SNIFF_BYTES = 600;

const TS_PACKET = 188;
/** Blu-ray and AVCHD put four bytes of time before each packet. */
const M2TS_PACKET = 192;
const MOV_DEMUXER = 'mov,mp4,m4a,3gp,3g2,mj2';
/** What QuickTime files without `ftyp` begin with. */
const MOV_BOXES = new Set(['moov', 'mdat', 'wide', 'free', 'skip', 'pnot']);
/** Major brands (ISO/IEC 23008-12) of files with pictures in place of a film. */
const PICTURE_BRANDS = new Set(['mif1', 'heic', 'heix', 'avif']);
const ASF_GUID = '3026b2758e66cf11';

/**
 * Tells a container by its first bytes, never by a name, so that nothing else than the demuxer for it is ever tried: text that FFmpeg would take
 * for a playlist and follow is refused here. @throws unsupported_media with what the bytes look like
 */
export function sniffContainer(head: Uint8Array): SniffedContainer {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const found = sniffMarked(bytes) ?? sniffAudioFrames(bytes);
  if (found !== null) return found;
  throw new ZoetropeError(
    'unsupported_media',
    `The file is ${describe(bytes)}; send JPEG, MP4, MOV, Matroska, WebM, MPEG-TS, MPEG-PS, AVI, FLV, ASF, Ogg, WAV, FLAC, MP3 or AAC.`,
  );
}

function sniffMarked(bytes: Buffer): SniffedContainer | null {
  const at = (offset: number, text: string): boolean => bytes.toString('latin1', offset, offset + text.length) === text;
  const box = bytes.toString('latin1', 4, 8);
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return { name: 'jpeg', demuxer: null };
  if (box === 'ftyp' && !PICTURE_BRANDS.has(bytes.toString('latin1', 8, 12)))
    return { name: at(8, 'qt  ') ? 'mov' : 'mp4', demuxer: MOV_DEMUXER };
  if (bytes.length >= 12 && bytes[0] === 0 && MOV_BOXES.has(box)) return { name: 'mov', demuxer: MOV_DEMUXER };
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0x1a45dfa3) return { name: 'matroska', demuxer: 'matroska,webm' };
  if (isTransportStream(bytes)) return { name: 'mpegts', demuxer: 'mpegts' };
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0x1ba) return { name: 'mpegps', demuxer: 'mpeg' };
  if (at(0, 'RIFF') && at(8, 'AVI ')) return { name: 'avi', demuxer: 'avi' };
  if ((at(0, 'RIFF') || at(0, 'RF64')) && at(8, 'WAVE')) return { name: 'wav', demuxer: 'wav' };
  if (at(0, 'FLV\u0001')) return { name: 'flv', demuxer: 'flv' };
  if (at(0, 'OggS')) return { name: 'ogg', demuxer: 'ogg' };
  if (at(0, 'fLaC')) return { name: 'flac', demuxer: 'flac' };
  if (bytes.toString('hex', 0, 8) === ASF_GUID) return { name: 'asf', demuxer: 'asf' };
  return null;
}

/** MPEG audio has no mark of its own but the first bits of each frame (ISO/IEC 11172-3 §2.4.1.3, ISO/IEC 14496-3 §1.A.2), often behind an ID3 tag. */
function sniffAudioFrames(bytes: Buffer): SniffedContainer | null {
  if (bytes.toString('latin1', 0, 3) === 'ID3') return { name: 'mp3', demuxer: 'mp3' };
  const [first = 0, second = 0] = bytes;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return null;
  const layer = (second >> 1) & 3;
  if (layer !== 0) return { name: 'mp3', demuxer: 'mp3' };
  return (second & 0xf0) === 0xf0 ? { name: 'aac', demuxer: 'aac' } : null;
}

/** Each packet begins with 0x47 (ISO/IEC 13818-1 §2.4.3.2); a recording may begin inside one. */
function isTransportStream(bytes: Buffer): boolean {
  for (let first = 0; first < TS_PACKET; first++) if (repeats(bytes, first, TS_PACKET)) return true;
  return repeats(bytes, 4, M2TS_PACKET);
}

function repeats(bytes: Buffer, first: number, every: number): boolean {
  return [0, 1, 2].every((packet) => bytes[first + packet * every] === 0x47);
}

function describe(bytes: Buffer): string {
  if (bytes.length === 0) return 'empty';
  const start = bytes.toString('latin1', 0, 256);
  if (start.startsWith('#EXTM3U') || start.startsWith('ffconcat'))
    return 'a playlist, which names other files and is not followed';
  if (/^\s*<(\?xml|MPD|!doctype|html|svg)/i.test(start)) return 'a markup document';
  if (start.slice(4, 8) === 'ftyp') return 'a still picture';
  return `of no known kind (it begins with ${bytes.toString('hex', 0, 8)})`;
}
