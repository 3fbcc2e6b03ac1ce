import { BoxCursor, corruptBoxes, readBoxes, type Box } from './box-reader.ts';
import { TFHD_DEFAULT_BASE_IS_MOOF, TFHD_DURATION, TFHD_FLAGS, TRUN_COMPOSITION_OFFSET } from './media-writer.ts';
import { TRUN_DATA_OFFSET, TRUN_DURATION, TRUN_FIRST_SAMPLE_FLAGS, TRUN_FLAGS, TRUN_SIZE } from './media-writer.ts';

/** A sample as it lies in a segment. Times are in the init segment's timescale (90 kHz for Zoetrope's own). */
export interface ReadSample {
  /** A view of the segment's bytes. */
  readonly data: Uint8Array;
  /** Where the data begin in the segment. */
  readonly offset: number;
  readonly size: number;
  readonly duration: number;
  readonly isSync: boolean;
  /** Presentation minus decoding time; below 0 where a picture is shown before its place in decoding order. */
  readonly compositionOffset: number;
}

/** What a media segment holds. */
export interface ReadMediaSegment {
  /** Decoding time of the first sample. */
  readonly baseMediaDecodeTime: number;
  readonly samples: readonly ReadSample[];
}

/**
 * Reads a media segment of one track: one or more `moof` + `mdat` pairs that follow each other in time.
 * @throws corrupt_media when anything in it is malformed or reaches outside.
 */
export function readMediaSegment(bytes: Uint8Array): ReadMediaSegment {
  const boxes = readBoxes(bytes, 0, bytes.length);
  const mdats = boxes.filter((box) => box.type === 'mdat');
  const samples: ReadSample[] = [];
  let baseMediaDecodeTime: number | undefined;
  for (const moof of boxes) {
    if (moof.type !== 'moof') continue;
    const trafs = readBoxes(bytes, moof.bodyStart, moof.end).filter((box) => box.type === 'traf');
    const traf = trafs[0];
    if (traf === undefined || trafs.length > 1) {
      throw corruptBoxes(`The moof box at offset ${moof.start} must have one traf box. Got ${trafs.length}.`);
    }
    const run = readTrackFragment(bytes, moof, traf, mdats);
    baseMediaDecodeTime ??= run.baseMediaDecodeTime;
    for (const sample of run.samples) samples.push(sample);
  }
  if (baseMediaDecodeTime === undefined) throw corruptBoxes(`There is no moof box in ${bytes.length} bytes.`);
  if (samples.length === 0) throw corruptBoxes('The media segment holds no sample.');
  return { baseMediaDecodeTime, samples };
}

/**
 * Bytes from a media segment's start that hold its header and its first sample: what an I-frame playlist lists of it.
 * @throws corrupt_media as {@link readMediaSegment}
 */
export function firstSampleEnd(bytes: Uint8Array): number {
  const [first] = readMediaSegment(bytes).samples;
  return first === undefined ? bytes.length : first.offset + first.size;
}

interface Defaults {
  readonly base: number;
  readonly duration: number | null;
  readonly size: number | null;
  readonly flags: number;
}

function readTrackFragment(bytes: Uint8Array, moof: Box, traf: Box, mdats: readonly Box[]): ReadMediaSegment {
  const children = readBoxes(bytes, traf.bodyStart, traf.end);
  const tfhd = children.find((box) => box.type === 'tfhd');
  const tfdt = children.find((box) => box.type === 'tfdt');
  if (tfhd === undefined || tfdt === undefined) {
    throw corruptBoxes(`The traf box at offset ${traf.start} lacks ${tfhd === undefined ? 'tfhd' : 'tfdt'}.`);
  }
  const defaults = readDefaults(bytes, tfhd, moof.start);
  const time = new BoxCursor(bytes, tfdt);
  const baseMediaDecodeTime = time.versionAndFlags().version === 1 ? time.u64() : time.u32();
  const samples: ReadSample[] = [];
  let dataAt = defaults.base;
  for (const box of children) {
    if (box.type === 'trun') dataAt = readRun(bytes, box, defaults, dataAt, mdats, samples);
  }
  return { baseMediaDecodeTime, samples };
}

/** `tfhd` (ISO/IEC 14496-12 §8.8.7). */
function readDefaults(bytes: Uint8Array, tfhd: Box, moofStart: number): Defaults {
  const cursor = new BoxCursor(bytes, tfhd);
  const { flags } = cursor.versionAndFlags();
  cursor.u32();
  const explicitBase = (flags & 0x1) !== 0 ? cursor.u64() : null;
  if ((flags & 0x2) !== 0) cursor.u32();
  const duration = (flags & TFHD_DURATION) !== 0 ? cursor.u32() : null;
  const size = (flags & 0x10) !== 0 ? cursor.u32() : null;
  const sampleFlags = (flags & TFHD_FLAGS) !== 0 ? cursor.u32() : 0;
  const base = (flags & TFHD_DEFAULT_BASE_IS_MOOF) === 0 && explicitBase !== null ? explicitBase : moofStart;
  return { base, duration, size, flags: sampleFlags };
}

/** `trun` (ISO/IEC 14496-12 §8.8.8). Answers where the next run's data begin unless it says so itself. */
function readRun(
  bytes: Uint8Array,
  trun: Box,
  defaults: Defaults,
  dataStart: number,
  mdats: readonly Box[],
  into: ReadSample[],
): number {
  const cursor = new BoxCursor(bytes, trun);
  const { version, flags } = cursor.versionAndFlags();
  const count = cursor.u32();
  let at = (flags & TRUN_DATA_OFFSET) !== 0 ? defaults.base + cursor.i32() : dataStart;
  const firstFlags = (flags & TRUN_FIRST_SAMPLE_FLAGS) !== 0 ? cursor.u32() : null;
  for (let index = 0; index < count; index++) {
    const duration = (flags & TRUN_DURATION) !== 0 ? cursor.u32() : defaults.duration;
    const size = (flags & TRUN_SIZE) !== 0 ? cursor.u32() : defaults.size;
    const ownFlags = (flags & TRUN_FLAGS) !== 0 ? cursor.u32() : defaults.flags;
    const sampleFlags = index === 0 && firstFlags !== null ? firstFlags : ownFlags;
    let compositionOffset = 0;
    if ((flags & TRUN_COMPOSITION_OFFSET) !== 0) compositionOffset = version === 0 ? cursor.u32() : cursor.i32();
    if (duration === null || size === null) {
      throw corruptBoxes(`The trun box at offset ${trun.start} states no ${size === null ? 'size' : 'duration'}.`);
    }
    // An empty sample would let a short box claim billions of them.
    if (size === 0) throw corruptBoxes(`Sample ${into.length} of the segment is empty.`);
    const [from, to] = [at, at + size];
    if (!mdats.some((mdat) => mdat.bodyStart <= from && to <= mdat.end)) {
      throw corruptBoxes(`Sample ${into.length} (bytes ${from} to ${to}) does not lie inside an mdat box.`);
    }
    const isSync = (sampleFlags & 0x10000) === 0;
    into.push({ data: bytes.subarray(from, to), offset: from, size, duration, isSync, compositionOffset });
    at = to;
  }
  return at;
}
