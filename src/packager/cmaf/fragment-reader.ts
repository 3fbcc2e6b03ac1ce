import { BoxCursor, corruptBoxes, readBoxes, type Box } from './box-reader.ts';
import { TFHD_DEFAULT_BASE_IS_MOOF, TFHD_DURATION, TFHD_FLAGS, TRUN_COMPOSITION_OFFSET } from './media-writer.ts';
import { TRUN_DATA_OFFSET, TRUN_DURATION, TRUN_FIRST_SAMPLE_FLAGS, TRUN_FLAGS, TRUN_SIZE } from './media-writer.ts';

/** A sample as it lies in a segment. Times are in the init segment's timescale (90 kHz for Zoetrope's own pictures). */
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

/** What an init segment's `trex` says of samples of which a fragment says nothing (ISO/IEC 14496-12 §8.8.3). */
export interface SampleDefaults {
  /** Null: not said. */
  readonly duration: number | null;
  /** Null: not said. */
  readonly size: number | null;
  readonly flags: number;
}

/** One `traf` box: samples of one track that follow each other in time. */
export interface TrackFragment {
  /** Which `moof` it is from. */
  readonly moofStart: number;
  readonly trackId: number;
  /** Decoding time of the first sample. */
  readonly baseMediaDecodeTime: number;
  readonly samples: readonly ReadSample[];
}

/** Each costs some hundred bytes of memory. */
const MAX_SAMPLES = 200_000;

/**
 * Reads all track fragments of a media segment, as they lie in it; boxes other than `moof` and `mdat` are passed over. `defaultsOf` answers
 * what the init segment says of a track; left out, the segment must say everything itself.
 * @throws corrupt_media when anything in it is malformed or reaches outside.
 */
export function readFragments(
  bytes: Uint8Array,
  defaultsOf: (trackId: number) => SampleDefaults = () => NO_DEFAULTS,
): readonly TrackFragment[] {
  const boxes = readBoxes(bytes, 0, bytes.length);
  const mdats = boxes.filter((box) => box.type === 'mdat');
  const fragments: TrackFragment[] = [];
  const room: Room = { samples: MAX_SAMPLES, bytes: bytes.length };
  for (const moof of boxes) {
    if (moof.type !== 'moof') continue;
    // Without a base of its own, a fragment's data follow those of the fragment before it (ISO/IEC 14496-12 §8.8.7).
    let dataEnd = moof.start;
    for (const traf of readBoxes(bytes, moof.bodyStart, moof.end)) {
      if (traf.type !== 'traf') continue;
      const reader = new FragmentReader({ bytes, moof, traf, mdats, dataEnd, room });
      const fragment = reader.read(defaultsOf);
      dataEnd = reader.dataEnd;
      fragments.push(fragment);
    }
  }
  if (!boxes.some((box) => box.type === 'moof')) throw corruptBoxes(`There is no moof box in ${bytes.length} bytes.`);
  return fragments;
}

const NO_DEFAULTS: SampleDefaults = { duration: null, size: null, flags: 0 };

/** What samples may still take up. Runs can name the same bytes again and again, so their place is no bound. */
interface Room {
  samples: number;
  bytes: number;
}

interface FragmentPlace {
  readonly bytes: Uint8Array;
  readonly moof: Box;
  readonly traf: Box;
  /** In order. */
  readonly mdats: readonly Box[];
  /** Where data of the fragment before end. */
  readonly dataEnd: number;
  /** Shared by all fragments of the segment. */
  readonly room: Room;
}

interface FragmentHeader extends SampleDefaults {
  readonly trackId: number;
  /** What data offsets count from. */
  readonly base: number;
}

class FragmentReader {
  readonly #place: FragmentPlace;
  readonly #samples: ReadSample[] = [];
  #dataEnd: number;

  constructor(place: FragmentPlace) {
    this.#place = place;
    this.#dataEnd = place.dataEnd;
  }

  /** Where the last sample's data end. */
  get dataEnd(): number {
    return this.#dataEnd;
  }

  read(defaultsOf: (trackId: number) => SampleDefaults): TrackFragment {
    const { bytes, moof, traf } = this.#place;
    const children = readBoxes(bytes, traf.bodyStart, traf.end);
    const tfhd = children.find((box) => box.type === 'tfhd');
    const tfdt = children.find((box) => box.type === 'tfdt');
    if (tfhd === undefined || tfdt === undefined) {
      throw corruptBoxes(`The traf box at offset ${traf.start} lacks ${tfhd === undefined ? 'tfhd' : 'tfdt'}.`);
    }
    const header = this.#readHeader(tfhd, defaultsOf);
    const time = new BoxCursor(bytes, tfdt);
    const baseMediaDecodeTime = time.versionAndFlags().version === 1 ? time.u64() : time.u32();
    this.#dataEnd = header.base;
    for (const box of children) if (box.type === 'trun') this.#readRun(box, header);
    return { moofStart: moof.start, trackId: header.trackId, baseMediaDecodeTime, samples: this.#samples };
  }

  /** `tfhd` (ISO/IEC 14496-12 §8.8.7). */
  #readHeader(tfhd: Box, defaultsOf: (trackId: number) => SampleDefaults): FragmentHeader {
    const { bytes, moof, dataEnd } = this.#place;
    const cursor = new BoxCursor(bytes, tfhd);
    const { flags } = cursor.versionAndFlags();
    const trackId = cursor.u32();
    const defaults = defaultsOf(trackId);
    const explicitBase = (flags & TFHD_BASE_DATA_OFFSET) !== 0 ? cursor.u64() : null;
    if ((flags & TFHD_SAMPLE_DESCRIPTION) !== 0) cursor.u32();
    const duration = (flags & TFHD_DURATION) !== 0 ? cursor.u32() : defaults.duration;
    const size = (flags & TFHD_SIZE) !== 0 ? cursor.u32() : defaults.size;
    const sampleFlags = (flags & TFHD_FLAGS) !== 0 ? cursor.u32() : defaults.flags;
    const impliedBase = (flags & TFHD_DEFAULT_BASE_IS_MOOF) !== 0 ? moof.start : dataEnd;
    // It counts from the start of what the encoder wrote; a segment cut out of that begins elsewhere, and is then counted from its own box.
    const base = explicitBase === null ? impliedBase : explicitBase <= moof.start ? explicitBase : moof.start;
    return { trackId, base, duration, size, flags: sampleFlags };
  }

  /** `trun` (ISO/IEC 14496-12 §8.8.8). */
  #readRun(trun: Box, header: FragmentHeader): void {
    const { bytes, room } = this.#place;
    const cursor = new BoxCursor(bytes, trun);
    const { version, flags } = cursor.versionAndFlags();
    const count = cursor.u32();
    let at = (flags & TRUN_DATA_OFFSET) !== 0 ? header.base + cursor.i32() : this.#dataEnd;
    const firstFlags = (flags & TRUN_FIRST_SAMPLE_FLAGS) !== 0 ? cursor.u32() : null;
    for (let index = 0; index < count; index++) {
      const duration = (flags & TRUN_DURATION) !== 0 ? cursor.u32() : header.duration;
      const size = (flags & TRUN_SIZE) !== 0 ? cursor.u32() : header.size;
      const ownFlags = (flags & TRUN_FLAGS) !== 0 ? cursor.u32() : header.flags;
      const sampleFlags = index === 0 && firstFlags !== null ? firstFlags : ownFlags;
      let compositionOffset = 0;
      if ((flags & TRUN_COMPOSITION_OFFSET) !== 0) compositionOffset = version === 0 ? cursor.u32() : cursor.i32();
      if (duration === null || size === null) {
        throw corruptBoxes(`The trun box at offset ${trun.start} states no ${size === null ? 'size' : 'duration'}.`);
      }
      const place = this.#samples.length;
      // An empty sample would let a short box claim billions of them.
      if (size === 0) throw corruptBoxes(`Sample ${place} of the segment is empty.`);
      room.samples -= 1;
      room.bytes -= size;
      if (room.samples < 0) throw corruptBoxes(`The segment claims more than ${MAX_SAMPLES} samples.`);
      if (room.bytes < 0) throw corruptBoxes(`The segment claims more than its ${bytes.length} bytes for samples.`);
      const [from, to] = [at, at + size];
      if (!this.#isMediaData(from, to)) {
        throw corruptBoxes(`Sample ${place} (bytes ${from} to ${to}) does not lie inside an mdat box.`);
      }
      const isSync = (sampleFlags & SAMPLE_IS_NON_SYNC) === 0;
      this.#samples.push({ data: bytes.subarray(from, to), offset: from, size, duration, isSync, compositionOffset });
      at = to;
    }
    this.#dataEnd = at;
  }

  /** Whether a range lies inside one `mdat` box: the last that begins before it. */
  #isMediaData(from: number, to: number): boolean {
    const { mdats } = this.#place;
    let [low, high] = [0, mdats.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((mdats[middle]?.bodyStart ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    const mdat = mdats[low - 1];
    return mdat !== undefined && to <= mdat.end;
  }
}

/** `tf_flags` that only others write (ISO/IEC 14496-12 §8.8.7). */
const TFHD_BASE_DATA_OFFSET = 0x1;
const TFHD_SAMPLE_DESCRIPTION = 0x2;
const TFHD_SIZE = 0x10;
/** `sample_is_non_sync_sample` (ISO/IEC 14496-12 §8.8.3.1). */
const SAMPLE_IS_NON_SYNC = 0x10000;
