import { BoxCursor, findBox, readBoxes, type Box } from '../cmaf/box-reader.ts';
import { BoxWriter } from '../cmaf/box-writer.ts';
import type { LaidOutTrack } from './movie-track.ts';

/** Ticks a second of the movie's own clock. */
const MOVIE_TIMESCALE = 90_000;

/** A movie's boxes up to the first byte of its samples, with places for what is not known yet. */
export interface MovieHeader {
  readonly out: BoxWriter;
  /** By track: where its chunk offsets stand. */
  readonly offsetsAt: readonly number[];
}

/** Whether chunk offsets take 64 bits. */
export interface HeaderOptions {
  readonly isLarge: boolean;
}

/**
 * Writes `ftyp` and `moov` with all sample tables (ISO/IEC 14496-12 §6.2). Sample descriptions and handlers are the init segments' own, whatever
 * the codec; durations have 64 bits. Chunk offsets are 0 and to be filled in.
 */
export function writeMovieHeader(tracks: readonly LaidOutTrack[], { isLarge }: HeaderOptions): MovieHeader {
  const sampleCount = tracks.reduce((sum, track) => sum + track.samples.length, 0);
  const out = new BoxWriter(4096 + sampleCount * 20);
  out.box('ftyp', () => {
    out.text('isom');
    out.u32(0x200);
    out.text('isomiso2mp41');
  });
  const offsetsAt: number[] = [];
  out.box('moov', () => {
    writeMovieBox(out, tracks);
    for (const [index, track] of tracks.entries()) {
      const writer = new TrackWriter(out, track, { trackId: index + 1, isLarge });
      writer.write();
      offsetsAt.push(writer.offsetsAt);
    }
  });
  return { out, offsetsAt };
}

/** How long a track is presented, in ticks of the movie. */
function presentedTicks({ duration, startMediaTime, timescale }: LaidOutTrack): number {
  return Math.max(0, Math.round(((duration - startMediaTime) * MOVIE_TIMESCALE) / timescale));
}

/** `mvhd` (§8.2.2). */
function writeMovieBox(out: BoxWriter, tracks: readonly LaidOutTrack[]): void {
  out.fullBox('mvhd', 1, 0, () => {
    out.zeros(16);
    out.u32(MOVIE_TIMESCALE);
    out.u64(Math.max(...tracks.map(presentedTicks)));
    out.u32(0x10000);
    out.u16(0x100);
    out.zeros(10);
    for (const value of [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000]) out.u32(value);
    out.zeros(24);
    out.u32(tracks.length + 1);
  });
}

class TrackWriter {
  /** Where the chunk offsets stand, once written. */
  offsetsAt = 0;
  readonly #out: BoxWriter;
  readonly #track: LaidOutTrack;
  readonly #trackId: number;
  readonly #isLarge: boolean;

  constructor(out: BoxWriter, track: LaidOutTrack, options: HeaderOptions & { readonly trackId: number }) {
    this.#out = out;
    this.#track = track;
    this.#trackId = options.trackId;
    this.#isLarge = options.isLarge;
  }

  write(): void {
    this.#container(findBox(this.#track.init, ['moov', 'trak']));
  }

  /** Copies a box and what is in it, with true durations and sample tables in place of the fragmented file's empty ones. */
  #container(box: Box): void {
    const { init } = this.#track;
    this.#out.box(box.type, () => {
      for (const child of readBoxes(init, box.bodyStart, box.end)) this.#child(child);
    });
  }

  #child(box: Box): void {
    const { duration, init, timescale } = this.#track;
    switch (box.type) {
      case 'mdia':
      case 'minf':
        return this.#container(box);
      case 'tkhd':
        this.#header(box, (cursor) => {
          cursor.skip(8);
          this.#out.u32(this.#trackId);
          this.#out.zeros(4);
          return presentedTicks(this.#track);
        });
        return this.#edits();
      case 'mdhd':
        return this.#header(box, (cursor) => {
          cursor.skip(4);
          this.#out.u32(timescale);
          return duration;
        });
      case 'stbl':
        return this.#sampleTables(box);
      case 'edts':
        return;
      default:
        return this.#out.bytes(init.subarray(box.start, box.end));
    }
  }

  /** `mdhd` and `tkhd` (§8.4.2, §8.3.2) in version 1, whose durations have 64 bits; `identity` writes what stands before the duration. */
  #header(box: Box, identity: (cursor: BoxCursor) => number): void {
    const { init } = this.#track;
    const cursor = new BoxCursor(init, box);
    const { version, flags } = cursor.versionAndFlags();
    const isWide = version === 1;
    cursor.skip(isWide ? 16 : 8);
    this.#out.fullBox(box.type, 1, flags, () => {
      this.#out.zeros(16);
      this.#out.u64(identity(cursor));
      cursor.skip(isWide ? 8 : 4);
      this.#out.bytes(init.subarray(cursor.offset, box.end));
    });
  }

  /** `elst` (§8.6.6): what comes before the movie's start is skipped, or waited for. */
  #edits(): void {
    const { startMediaTime, timescale } = this.#track;
    if (startMediaTime === 0) return;
    const waitTicks = Math.max(0, Math.round((-startMediaTime * MOVIE_TIMESCALE) / timescale));
    const emptyEdit = 2 ** 64 - 1;
    const edits = [
      ...(waitTicks > 0 ? [{ ticks: waitTicks, mediaTime: emptyEdit }] : []),
      { ticks: presentedTicks(this.#track) - waitTicks, mediaTime: Math.max(0, startMediaTime) },
    ];
    const out = this.#out;
    out.box('edts', () =>
      out.fullBox('elst', 1, 0, () => {
        out.u32(edits.length);
        for (const { ticks, mediaTime } of edits) {
          out.u64(ticks);
          if (mediaTime === emptyEdit) out.bytes(new Uint8Array(8).fill(0xff));
          else out.u64(mediaTime);
          out.u32(0x10000);
        }
      }),
    );
  }

  #sampleTables(box: Box): void {
    const out = this.#out;
    const { samples, chunks } = this.#track;
    out.box('stbl', () => {
      this.#descriptions(box);
      this.#runs('stts', 0, (sample) => sample.duration);
      if (samples.some((sample) => sample.compositionOffset !== 0)) {
        const isSigned = samples.some((sample) => sample.compositionOffset < 0);
        this.#runs('ctts', isSigned ? 1 : 0, (sample) => sample.compositionOffset);
      }
      const syncs = samples.flatMap((sample, index) => (sample.isSync ? [index + 1] : []));
      if (syncs.length < samples.length) this.#list('stss', syncs);
      this.#chunkRuns();
      out.fullBox('stsz', 0, 0, () => {
        out.u32(0);
        out.u32(samples.length);
        for (const { size, prefix } of samples) out.u32(size + (prefix?.length ?? 0));
      });
      out.fullBox(this.#isLarge ? 'co64' : 'stco', 0, 0, () => {
        out.u32(chunks.length);
        this.offsetsAt = out.length;
        out.zeros(chunks.length * (this.#isLarge ? 8 : 4));
      });
    });
  }

  /** `stsd` (§8.5.2). */
  #descriptions(stbl: Box): void {
    const { init, descriptions } = this.#track;
    if (descriptions !== null) {
      this.#out.fullBox('stsd', 0, 0, () => {
        this.#out.u32(descriptions.length);
        for (const entry of descriptions) this.#out.bytes(entry);
      });
      return;
    }
    const own = readBoxes(init, stbl.bodyStart, stbl.end).find((child) => child.type === 'stsd');
    if (own !== undefined) this.#out.bytes(init.subarray(own.start, own.end));
  }

  /** A table of values with how often each repeats (§8.6.1.2, §8.6.1.3). */
  #runs(type: string, version: number, valueOf: (sample: LaidOutTrack['samples'][number]) => number): void {
    const runs: { count: number; readonly value: number }[] = [];
    for (const sample of this.#track.samples) {
      const value = valueOf(sample);
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

  /** `stsc` (§8.7.4): from which chunk on how many samples a chunk holds, of which description. */
  #chunkRuns(): void {
    const { chunks } = this.#track;
    const runs = chunks.flatMap(({ sampleCount, description }, index) => {
      const before = chunks[index - 1];
      const goesOn = sampleCount === before?.sampleCount && description === before.description;
      return goesOn ? [] : [{ first: index + 1, sampleCount, description }];
    });
    this.#out.fullBox('stsc', 0, 0, () => {
      this.#out.u32(runs.length);
      for (const { first, sampleCount, description } of runs) {
        this.#out.u32(first);
        this.#out.u32(sampleCount);
        this.#out.u32(description + 1);
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
