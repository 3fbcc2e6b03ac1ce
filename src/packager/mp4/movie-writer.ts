import { ZoetropeError } from '../../base/errors.ts';
import { BoxCursor, findBox, readBoxes, type Box } from '../cmaf/box-reader.ts';
import { BoxWriter } from '../cmaf/box-writer.ts';
import { timescaleOffset } from '../cmaf/init-reader.ts';

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

const MAX_MOVIE_BYTES = 0xffff_fff0;

/**
 * Writes a plain MP4 (ISO/IEC 14496-12 §6.2: `ftyp`, `moov` with all sample tables, `mdat`), which every player and editor can seek in and which
 * plays while it is still arriving. The sample description is the init segment's own, whatever the codec.
 * @throws corrupt_media on a bad init segment, payload_too_large beyond 4 GiB, invalid_argument without samples
 */
export function writeMovie(movie: Movie): Uint8Array {
  const samples = movie.chunks.flat();
  if (samples.length === 0) throw new ZoetropeError('invalid_argument', 'A movie needs at least one sample. Got none.');
  const dataBytes = samples.reduce((sum, sample) => sum + sample.data.length, 0);
  if (dataBytes > MAX_MOVIE_BYTES) {
    throw new ZoetropeError('payload_too_large', `A movie can hold 4 GiB of samples. Got ${dataBytes} bytes.`);
  }
  const writer = new MovieWriter(movie, samples, dataBytes);
  return writer.write();
}

class MovieWriter {
  readonly #init: Uint8Array;
  readonly #chunks: Movie['chunks'];
  readonly #samples: readonly MovieSample[];
  readonly #out: BoxWriter;
  readonly #mediaTimescale: number;
  readonly #mediaDuration: number;
  #movieTimescale = 0;
  #chunkOffsetsAt = 0;

  constructor(movie: Movie, samples: readonly MovieSample[], dataBytes: number) {
    this.#init = movie.init;
    this.#chunks = movie.chunks;
    this.#samples = samples;
    this.#out = new BoxWriter(4096 + samples.length * 24 + dataBytes);
    this.#mediaTimescale = new DataView(movie.init.buffer, movie.init.byteOffset).getUint32(
      timescaleOffset(movie.init),
    );
    this.#mediaDuration = samples.reduce((sum, sample) => sum + sample.duration, 0);
  }

  write(): Uint8Array {
    const out = this.#out;
    out.box('ftyp', () => {
      out.text('isom');
      out.u32(0x200);
      out.text('isomiso2avc1mp41');
    });
    this.#container(findBox(this.#init, ['moov']));
    out.box('mdat', () => {
      for (const [index, chunk] of this.#chunks.entries()) {
        out.patchU32(this.#chunkOffsetsAt + 4 * index, out.length);
        for (const sample of chunk) out.bytes(sample.data);
      }
    });
    return out.finish();
  }

  /** Copies a box and what is in it, with true durations and sample tables in place of the fragmented file's empty ones. */
  #container(box: Box): void {
    this.#out.box(box.type, () => {
      for (const child of readBoxes(this.#init, box.bodyStart, box.end)) this.#child(child);
    });
  }

  #child(box: Box): void {
    switch (box.type) {
      case 'trak':
      case 'mdia':
      case 'minf':
        return this.#container(box);
      case 'mvhd':
        return this.#header(box, 'timescale');
      case 'mdhd':
        return this.#header(box, 'mediaTimescale');
      case 'tkhd':
        return this.#header(box, 'track');
      case 'stbl':
        return this.#sampleTables(box);
      case 'mvex':
        return;
      default:
        return this.#out.bytes(this.#init.subarray(box.start, box.end));
    }
  }

  /** `mvhd`, `mdhd` and `tkhd` (§8.2.2, §8.4.2, §8.3.2) in version 1, whose durations have 64 bits. */
  #header(box: Box, kind: 'timescale' | 'mediaTimescale' | 'track'): void {
    const cursor = new BoxCursor(this.#init, box);
    const { version, flags } = cursor.versionAndFlags();
    const wide = version === 1;
    cursor.skip(wide ? 16 : 8);
    const idOrTimescale = cursor.u32();
    if (kind === 'timescale') this.#movieTimescale = idOrTimescale;
    cursor.skip((kind === 'track' ? 4 : 0) + (wide ? 8 : 4));
    const timescale = kind === 'mediaTimescale' ? this.#mediaTimescale : this.#movieTimescale;
    this.#out.fullBox(box.type, 1, flags, () => {
      this.#out.zeros(16);
      this.#out.u32(idOrTimescale);
      if (kind === 'track') this.#out.zeros(4);
      this.#out.u64(Math.round((this.#mediaDuration * timescale) / this.#mediaTimescale));
      this.#out.bytes(this.#init.subarray(cursor.offset, box.end));
    });
  }

  #sampleTables(box: Box): void {
    const out = this.#out;
    const samples = this.#samples;
    const description = readBoxes(this.#init, box.bodyStart, box.end).find((child) => child.type === 'stsd');
    out.box('stbl', () => {
      if (description !== undefined) out.bytes(this.#init.subarray(description.start, description.end));
      this.#runs(
        'stts',
        0,
        samples.map((sample) => sample.duration),
      );
      if (samples.some((sample) => sample.compositionOffset !== 0)) {
        this.#runs(
          'ctts',
          1,
          samples.map((sample) => sample.compositionOffset),
        );
      }
      const syncs = samples.flatMap((sample, index) => (sample.isSync ? [index + 1] : []));
      if (syncs.length < samples.length) this.#list('stss', syncs);
      this.#chunkRuns();
      out.fullBox('stsz', 0, 0, () => {
        out.u32(0);
        out.u32(samples.length);
        for (const sample of samples) out.u32(sample.data.length);
      });
      this.#chunkOffsetsAt = out.length + 16;
      this.#list(
        'stco',
        this.#chunks.map(() => 0),
      );
    });
  }

  /** A table of values with how often each repeats (§8.6.1.2, §8.6.1.3). */
  #runs(type: string, version: number, values: readonly number[]): void {
    const runs: { count: number; readonly value: number }[] = [];
    for (const value of values) {
      const last = runs.at(-1);
      if (last?.value === value) last.count += 1;
      else runs.push({ count: 1, value });
    }
    this.#out.fullBox(type, version, 0, () => {
      this.#out.u32(runs.length);
      for (const { count, value } of runs) {
        this.#out.u32(count);
        this.#out.i32(value | 0);
      }
    });
  }

  /** `stsc` (§8.7.4): from which chunk on how many samples a chunk holds. */
  #chunkRuns(): void {
    const runs = this.#chunks.flatMap((chunk, index) =>
      chunk.length === this.#chunks[index - 1]?.length ? [] : [{ first: index + 1, count: chunk.length }],
    );
    this.#out.fullBox('stsc', 0, 0, () => {
      this.#out.u32(runs.length);
      for (const { first, count } of runs) {
        this.#out.u32(first);
        this.#out.u32(count);
        this.#out.u32(1);
      }
    });
  }

  #list(type: string, values: readonly number[]): void {
    this.#out.fullBox(type, 0, 0, () => {
      this.#out.u32(values.length);
      for (const value of values) this.#out.u32(value);
    });
  }
}
