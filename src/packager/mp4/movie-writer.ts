import { ZoetropeError } from '../../base/errors.ts';
import { writeMovieHeader } from './movie-header.ts';
import { layOutTracks, type LaidOutTrack, type MovieChunk, type MovieTrack, type SampleEntry } from './movie-track.ts';

/** A sample to be put in a movie; times are in the init segment's timescale. */
export interface MovieSample {
  readonly data: Uint8Array;
  readonly duration: number;
  readonly isSync: boolean;
  readonly compositionOffset: number;
}

/** A movie to be written. */
export interface Movie {
  /** `ftyp` and `moov` of the one track that the samples belong to. */
  readonly init: Uint8Array;
  /** Runs of samples that lie together, in decoding order. */
  readonly chunks: readonly (readonly MovieSample[])[];
}

/** A movie of which all is known but the bytes of its samples. */
export interface MoviePlan {
  /** All before the first sample's bytes: `ftyp`, `moov`, and the head of `mdat`. */
  readonly header: Uint8Array;
  /** What follows the header, in this order. */
  readonly chunks: readonly MovieChunk[];
  /** Of the whole file. */
  readonly sizeBytes: number;
  /** Of the longest track. */
  readonly durationMs: number;
}

/**
 * Plans a plain MP4 (ISO/IEC 14496-12 §6.2: `ftyp`, `moov` with all sample tables, `mdat`), which every player and editor can seek in and which
 * plays while it is still arriving. Tracks are interleaved by the second. Only tables are held: the bytes are copied chunk by chunk
 * afterwards, from the segments that the tables were read from. Beyond 4 GiB, offsets have 64 bits.
 * @throws as {@link layOutTracks}
 */
export function planMovie(tracks: readonly MovieTrack[]): MoviePlan {
  if (tracks.length === 0) throw new ZoetropeError('invalid_argument', 'A movie needs at least one track. Got none.');
  const laidOut = layOutTracks(tracks);
  const chunks = laidOut.flatMap((track) => track.chunks).sort((a, b) => a.startS - b.startS || a.track - b.track);
  const dataBytes = chunks.reduce((sum, chunk) => sum + storedBytes(chunk), 0);
  const small = writeMovieHeader(laidOut, { isLarge: false });
  const isLarge = small.out.length + LARGE_MDAT_HEAD_BYTES + dataBytes > 0xffff_ffff;
  const { out, offsetsAt } = isLarge ? writeMovieHeader(laidOut, { isLarge }) : small;
  out.u32(isLarge ? 1 : dataBytes + MDAT_HEAD_BYTES);
  out.text('mdat');
  if (isLarge) out.u64(dataBytes + LARGE_MDAT_HEAD_BYTES);
  const next = [...offsetsAt];
  let at = out.length;
  for (const chunk of chunks) {
    const { track } = chunk;
    const place = next[track] ?? 0;
    if (isLarge) out.patchU32(place, Math.floor(at / 2 ** 32));
    out.patchU32(isLarge ? place + 4 : place, at % 2 ** 32);
    next[track] = place + (isLarge ? 8 : 4);
    at += storedBytes(chunk);
  }
  return { header: out.finish(), chunks, sizeBytes: at, durationMs: Math.max(...laidOut.map(presentedMs)) };
}

/**
 * Writes a plain MP4 of one track in one piece: see {@link planMovie}.
 * @throws corrupt_media on a bad init segment, payload_too_large beyond 4 GiB, invalid_argument without samples
 */
export function writeMovie(movie: Movie): Uint8Array {
  const samples = movie.chunks.flat();
  let dataBytes = 0;
  const entries = samples.map(({ data, duration, isSync, compositionOffset }): SampleEntry => {
    const offset = dataBytes;
    dataBytes += data.length;
    return { offset, size: data.length, duration, isSync, compositionOffset };
  });
  if (dataBytes > MAX_MOVIE_BYTES) {
    throw new ZoetropeError(
      'payload_too_large',
      `A movie in one piece can hold 4 GiB of samples. Got ${dataBytes} bytes.`,
    );
  }
  const { header } = planMovie([{ init: movie.init, segments: [{ baseMediaDecodeTime: 0, samples: entries }] }]);
  return Buffer.concat([header, ...samples.map((sample) => sample.data)]);
}

const MAX_MOVIE_BYTES = 0xffff_fff0;
const MDAT_HEAD_BYTES = 8;
const LARGE_MDAT_HEAD_BYTES = 16;

/** What a chunk takes in the file. */
function storedBytes({ size, prefix }: MovieChunk): number {
  return size + (prefix?.length ?? 0);
}

function presentedMs({ duration, startMediaTime, timescale }: LaidOutTrack): number {
  return ((duration - startMediaTime) / timescale) * 1000;
}
