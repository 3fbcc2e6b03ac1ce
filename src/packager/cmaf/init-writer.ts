import { ZoetropeError } from '../../base/errors.ts';
import { parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { BoxWriter } from './box-writer.ts';
import type { InitTrack } from './init-track.ts';
import { writeSampleEntry } from './sample-entry-writer.ts';

/** Ticks a second of every video init segment at speed 1. */
export const TIMESCALE = 90_000;

/** The only track of a CMAF file; the first of a file with more. */
export const TRACK_ID = 1;

/**
 * Writes a CMAF header: `ftyp` and `moov` of one fragmented track (ISO/IEC 23000-19 §7.3.1, ISO/IEC 14496-12).
 * The same track gives the same bytes. @throws invalid_argument on an impossible size, corrupt_media on bad codec headers.
 */
export function writeInitSegment(track: InitTrack): Uint8Array {
  return writeMovieInit([track]);
}

/** Writes `ftyp` and `moov` of fragmented tracks, whose numbers are 1, 2, … as they stand. @throws as {@link writeInitSegment} */
export function writeMovieInit(tracks: readonly InitTrack[]): Uint8Array {
  const shapes = tracks.map((track) => ({ track, shape: shapeOf(track) }));
  const out = new BoxWriter();
  writeFileType(out, tracks.length);
  out.box('moov', () => {
    writeMovieHeader(out, tracks.length);
    for (const [index, { track, shape }] of shapes.entries()) {
      out.box('trak', () => {
        writeTrackHeader(out, shape, TRACK_ID + index);
        if (shape.mediaTime > 0) writeEditList(out, shape.mediaTime);
        out.box('mdia', () => writeMedia(out, track, shape));
      });
    }
    writeTrackDefaults(out, tracks.length);
  });
  return out.finish();
}

/** `ftyp`. A CMAF track file holds one track and no more (ISO/IEC 23000-19 §7.3.1), so only such a one has the brand. */
export function writeFileType(out: BoxWriter, trackCount: number): void {
  out.box('ftyp', () => {
    out.text('iso6');
    out.u32(0);
    out.text(trackCount === 1 ? 'iso6cmfcmp41' : 'iso6mp41');
  });
}

/** `mvex` without defaults worth the name: fragments say everything themselves. */
export function writeTrackDefaults(out: BoxWriter, trackCount: number): void {
  out.box('mvex', () => {
    for (let index = 0; index < trackCount; index++) {
      out.fullBox('trex', 0, 0, () => {
        out.u32(TRACK_ID + index);
        out.u32(1);
        out.zeros(12);
      });
    }
  });
}

/** What the boxes around the sample entry say. */
interface TrackShape {
  readonly isAudio: boolean;
  readonly width: number;
  readonly height: number;
  readonly timescale: number;
  /** Ticks of media before the first that is presented. */
  readonly mediaTime: number;
}

function shapeOf(track: InitTrack): TrackShape {
  if (track.codec === 'mp4a') {
    const timescale = checkTimescale(parseAudioSpecificConfig(track.audioConfig).sampleRateHz);
    const mediaTime = track.primingSamples;
    if (!Number.isInteger(mediaTime) || mediaTime < 0 || mediaTime > 0x7fff_ffff) {
      throw new ZoetropeError('invalid_argument', `Priming must be a whole number of samples. Got ${mediaTime}.`);
    }
    return { isAudio: true, width: 0, height: 0, timescale, mediaTime };
  }
  const { width, height } = track;
  if (!isSize(width) || !isSize(height)) {
    throw new ZoetropeError(
      'invalid_argument',
      `Width and height must be whole numbers from 1 to 65535. Got ${width}×${height}.`,
    );
  }
  return { isAudio: false, width, height, timescale: checkTimescale(track.timescale ?? TIMESCALE), mediaTime: 0 };
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

function writeMovieHeader(out: BoxWriter, trackCount: number): void {
  out.fullBox('mvhd', 0, 0, () => {
    out.zeros(8);
    out.u32(TIMESCALE);
    out.u32(0);
    out.u32(0x10000);
    out.u16(0x100);
    out.zeros(10);
    writeMatrix(out);
    out.zeros(24);
    out.u32(TRACK_ID + trackCount);
  });
}

function writeTrackHeader(out: BoxWriter, { isAudio, width, height }: TrackShape, trackId: number): void {
  const enabledInMovieAndPreview = 7;
  out.fullBox('tkhd', 0, enabledInMovieAndPreview, () => {
    out.zeros(8);
    out.u32(trackId);
    out.zeros(4 + 4 + 8 + 2 + 2);
    out.u16(isAudio ? 0x100 : 0);
    out.zeros(2);
    writeMatrix(out);
    out.u32(width * 0x10000);
    out.u32(height * 0x10000);
  });
}

/** One edit from `mediaTime` to wherever the fragments end: duration 0 (ISO/IEC 14496-12 §8.6.6). */
function writeEditList(out: BoxWriter, mediaTime: number): void {
  out.box('edts', () =>
    out.fullBox('elst', 0, 0, () => {
      out.u32(1);
      out.u32(0);
      out.i32(mediaTime);
      out.u32(0x10000);
    }),
  );
}

function writeMedia(out: BoxWriter, track: InitTrack, { isAudio, timescale }: TrackShape): void {
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
    out.text(isAudio ? 'soun' : 'vide');
    out.zeros(12);
    out.text(isAudio ? 'SoundHandler\0' : 'VideoHandler\0');
  });
  out.box('minf', () => {
    if (isAudio) out.fullBox('smhd', 0, 0, () => out.zeros(4));
    else out.fullBox('vmhd', 0, 1, () => out.zeros(8));
    out.box('dinf', () =>
      out.fullBox('dref', 0, 0, () => {
        out.u32(1);
        out.fullBox('url ', 0, 1, () => undefined);
      }),
    );
    out.box('stbl', () => {
      out.fullBox('stsd', 0, 0, () => {
        out.u32(1);
        writeSampleEntry(out, track);
      });
      out.fullBox('stts', 0, 0, () => out.u32(0));
      out.fullBox('stsc', 0, 0, () => out.u32(0));
      out.fullBox('stsz', 0, 0, () => out.zeros(8));
      out.fullBox('stco', 0, 0, () => out.u32(0));
    });
  });
}
