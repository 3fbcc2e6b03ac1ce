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

/**
 * Tells a container by its first bytes, never by a name, so that nothing else than the demuxer for it is ever tried: text that FFmpeg would take
 * for a playlist and follow is refused here. @throws unsupported_media with what the bytes look like
 */
export function sniffContainer(head: Uint8Array): SniffedContainer {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const at = (offset: number, text: string): boolean => bytes.toString('latin1', offset, offset + text.length) === text;
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return { name: 'jpeg', demuxer: null };
  if (at(4, 'ftyp')) return { name: 'mp4', demuxer: 'mov,mp4,m4a,3gp,3g2,mj2' };
  if (bytes.length >= 4 && bytes.readUInt32BE(0) === 0x1a45dfa3) return { name: 'matroska', demuxer: 'matroska,webm' };
  if ([0, 1, 2].every((packet) => bytes[packet * TS_PACKET] === 0x47)) return { name: 'mpegts', demuxer: 'mpegts' };
  if (at(0, 'RIFF') && at(8, 'AVI ')) return { name: 'avi', demuxer: 'avi' };
  if (at(0, 'RIFF') && at(8, 'WAVE')) return { name: 'wav', demuxer: 'wav' };
  if (at(0, 'FLV\u0001')) return { name: 'flv', demuxer: 'flv' };
  if (at(0, 'OggS')) return { name: 'ogg', demuxer: 'ogg' };
  throw new ZoetropeError(
    'unsupported_media',
    `The file is ${describe(bytes)}; send JPEG, MP4, MPEG-TS, Matroska, AVI, FLV, Ogg or WAV.`,
  );
}

function describe(bytes: Buffer): string {
  if (bytes.length === 0) return 'empty';
  const start = bytes.toString('latin1', 0, 256);
  if (start.startsWith('#EXTM3U') || start.startsWith('ffconcat'))
    return 'a playlist, which names other files and is not followed';
  if (/^\s*<(\?xml|MPD|!doctype|html|svg)/i.test(start)) return 'a markup document';
  return `of no known kind (it begins with ${bytes.toString('hex', 0, 8)})`;
}
