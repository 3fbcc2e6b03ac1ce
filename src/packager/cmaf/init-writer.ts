import { ZoetropeError } from '../../base/errors.ts';
import { hasChromaFormat, parseSps, type Colour } from '../h264/sps.ts';
import { BoxWriter } from './box-writer.ts';

/** Ticks a second of every init segment at speed 1. */
export const TIMESCALE = 90_000;

/** The only track of a CMAF file. */
export const TRACK_ID = 1;

/** An H.264 track. */
export interface AvcTrack {
  readonly codec: 'avc1';
  /** NAL units without start code or length. */
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Written as `colr`; left out: taken from the SPS if it says anything. */
  readonly colour?: Colour;
  /** Ticks a second; left out: {@link TIMESCALE}. */
  readonly timescale?: number;
}

/** A track that an init segment can describe. Audio and other video codecs join this union. */
export type InitTrack = AvcTrack;

/**
 * Writes a CMAF header: `ftyp` and `moov` of one fragmented track (ISO/IEC 23000-19 §7.3.1, ISO/IEC 14496-12).
 * The same track gives the same bytes. @throws invalid_argument on an impossible size, corrupt_media on a bad SPS.
 */
export function writeInitSegment(track: InitTrack): Uint8Array {
  if (!isSize(track.width) || !isSize(track.height)) {
    throw new ZoetropeError(
      'invalid_argument',
      `Width and height must be whole numbers from 1 to 65535. Got ${track.width}×${track.height}.`,
    );
  }
  const timescale = checkTimescale(track.timescale ?? TIMESCALE);
  const out = new BoxWriter();
  out.box('ftyp', () => {
    out.text('iso6');
    out.u32(0);
    out.text('iso6cmfcmp41');
  });
  out.box('moov', () => {
    writeMovieHeader(out);
    out.box('trak', () => {
      writeTrackHeader(out, track.width, track.height);
      out.box('mdia', () => writeMedia(out, track, timescale));
    });
    out.box('mvex', () =>
      out.fullBox('trex', 0, 0, () => {
        out.u32(TRACK_ID);
        out.u32(1);
        out.zeros(12);
      }),
    );
  });
  return out.finish();
}

/** Passes a timescale on. @throws out_of_range unless it is a whole number that fits 32 bits. */
export function checkTimescale(timescale: number): number {
  if (!Number.isInteger(timescale) || timescale < 1 || timescale > 0xffff_ffff) {
    throw new ZoetropeError('out_of_range', `A timescale must be a whole number from 1 to 2³²−1. Got ${timescale}.`);
  }
  return timescale;
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= 65_535;
}

function writeMatrix(out: BoxWriter): void {
  for (const value of [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000]) out.u32(value);
}

function writeMovieHeader(out: BoxWriter): void {
  out.fullBox('mvhd', 0, 0, () => {
    out.zeros(8);
    out.u32(TIMESCALE);
    out.u32(0);
    out.u32(0x10000);
    out.u16(0x100);
    out.zeros(10);
    writeMatrix(out);
    out.zeros(24);
    out.u32(TRACK_ID + 1);
  });
}

function writeTrackHeader(out: BoxWriter, width: number, height: number): void {
  const enabledInMovieAndPreview = 7;
  out.fullBox('tkhd', 0, enabledInMovieAndPreview, () => {
    out.zeros(8);
    out.u32(TRACK_ID);
    out.zeros(4 + 4 + 8 + 2 + 2 + 2 + 2);
    writeMatrix(out);
    out.u32(width * 0x10000);
    out.u32(height * 0x10000);
  });
}

function writeMedia(out: BoxWriter, track: InitTrack, timescale: number): void {
  const undeterminedLanguage = 0x55c4;
  out.fullBox('mdhd', 0, 0, () => {
    out.zeros(8);
    out.u32(timescale);
    out.u32(0);
    out.u16(undeterminedLanguage);
    out.u16(0);
  });
  out.fullBox('hdlr', 0, 0, () => {
    out.u32(0);
    out.text('vide');
    out.zeros(12);
    out.text('VideoHandler\0');
  });
  out.box('minf', () => {
    out.fullBox('vmhd', 0, 1, () => out.zeros(8));
    out.box('dinf', () =>
      out.fullBox('dref', 0, 0, () => {
        out.u32(1);
        out.fullBox('url ', 0, 1, () => undefined);
      }),
    );
    out.box('stbl', () => {
      out.fullBox('stsd', 0, 0, () => {
        out.u32(1);
        writeAvcSampleEntry(out, track);
      });
      out.fullBox('stts', 0, 0, () => out.u32(0));
      out.fullBox('stsc', 0, 0, () => out.u32(0));
      out.fullBox('stsz', 0, 0, () => out.zeros(8));
      out.fullBox('stco', 0, 0, () => out.u32(0));
    });
  });
}

function writeAvcSampleEntry(out: BoxWriter, track: AvcTrack): void {
  const info = parseSps(track.sps);
  const colour = track.colour ?? info.colour;
  out.box('avc1', () => {
    out.zeros(6);
    out.u16(1);
    out.zeros(16);
    out.u16(track.width);
    out.u16(track.height);
    out.u32(0x480000);
    out.u32(0x480000);
    out.u32(0);
    out.u16(1);
    out.zeros(32);
    out.u16(24);
    out.u16(0xffff);
    out.box('avcC', () => {
      out.u8(1);
      out.bytes(track.sps.subarray(1, 4));
      out.u8(0xff);
      out.u8(0xe1);
      out.u16(track.sps.length);
      out.bytes(track.sps);
      out.u8(1);
      out.u16(track.pps.length);
      out.bytes(track.pps);
      if (hasChromaFormat(info.profileIdc)) {
        out.u8(0xfc | info.chromaFormatIdc);
        out.u8(0xf8 | (info.bitDepthLuma - 8));
        out.u8(0xf8 | (info.bitDepthChroma - 8));
        out.u8(0);
      }
    });
    if (colour !== null) {
      out.box('colr', () => {
        out.text('nclx');
        out.u16(colour.primaries);
        out.u16(colour.transfer);
        out.u16(colour.matrix);
        out.u8(colour.fullRange ? 0x80 : 0);
      });
    }
    out.box('pasp', () => {
      out.u32(1);
      out.u32(1);
    });
  });
}
