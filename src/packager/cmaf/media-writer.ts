import { ZoetropeError } from '../../base/errors.ts';
import { BoxWriter } from './box-writer.ts';
import { TRACK_ID } from './init-writer.ts';

/** A sample to be written: one access unit as its codec's mapping to ISO base media wants it. Times are in ticks of the init segment's timescale. */
export interface Sample {
  readonly data: Uint8Array;
  readonly duration: number;
  readonly isSync: boolean;
  /** Presentation minus decoding time, also below 0; left out: 0 (no reordering). */
  readonly compositionOffset?: number;
}

/** What a segment holds of one track. */
export interface TrackSamples {
  /** `tfdt`: decoding time of the first sample since the epoch's start. */
  readonly baseMediaDecodeTime: number;
  readonly samples: readonly Sample[];
}

/** A media segment to be written. */
export interface MediaSegment extends TrackSamples {
  /** `mfhd` sequence number, from 0; only its low 32 bits are kept. */
  readonly sequenceNumber: number;
}

/**
 * Writes a CMAF segment of one chunk: `styp`, `moof` and `mdat` (ISO/IEC 23000-19 §7.3.2). Every sample's duration, size and flags are in it,
 * so that it can be read without its init segment. @throws invalid_argument on times that cannot be written.
 */
export function writeMediaSegment(segment: MediaSegment): Uint8Array {
  return writeMovieFragment(segment.sequenceNumber, [segment]);
}

/**
 * Writes a media segment of no samples, for a track of which there is nothing just then: what asks for it by its playlist gets a file that players take, and
 * go on. @throws as {@link writeMediaSegment}
 */
export function writeEmptySegment(place: Pick<MediaSegment, 'sequenceNumber' | 'baseMediaDecodeTime'>): Uint8Array {
  checkStart(place.baseMediaDecodeTime);
  return writeFragment(place.sequenceNumber, [{ ...place, samples: [] }]);
}

/** Writes `styp`, `moof` and `mdat` of tracks that {@link writeMovieInit} describes, in the same order. @throws as {@link writeMediaSegment} */
export function writeMovieFragment(sequenceNumber: number, tracks: readonly TrackSamples[]): Uint8Array {
  for (const track of tracks) checkTrack(track);
  return writeFragment(sequenceNumber, tracks);
}

function writeFragment(sequenceNumber: number, tracks: readonly TrackSamples[]): Uint8Array {
  const sizes = tracks.map(({ samples }) => samples.reduce((sum, sample) => sum + sample.data.length, 0));
  const mediaBytes = sizes.reduce((sum, size) => sum + size, 0);
  if (mediaBytes > 0xffff_fff0) {
    throw new ZoetropeError('payload_too_large', `A segment can hold 4 GiB of samples. Got ${mediaBytes} bytes.`);
  }
  const sampleCount = tracks.reduce((sum, { samples }) => sum + samples.length, 0);
  const out = new BoxWriter(80 + tracks.length * 80 + sampleCount * 16 + mediaBytes);
  out.box('styp', () => {
    out.text('msdh');
    out.u32(0);
    out.text(tracks.length === 1 ? 'msdhcmfsiso6' : 'msdhiso6');
  });
  const moofStart = out.length;
  const dataOffsetsAt: number[] = [];
  out.box('moof', () => {
    out.fullBox('mfhd', 0, 0, () => out.u32(sequenceNumber >>> 0));
    for (const [index, track] of tracks.entries()) {
      out.box('traf', () => dataOffsetsAt.push(writeTrackFragment(out, track, TRACK_ID + index)));
    }
  });
  const mdatHeaderBytes = 8;
  let dataOffset = out.length - moofStart + mdatHeaderBytes;
  for (const [index, at] of dataOffsetsAt.entries()) {
    out.patchU32(at, dataOffset);
    dataOffset += sizes[index] ?? 0;
  }
  out.box('mdat', () => {
    for (const { samples } of tracks) for (const sample of samples) out.bytes(sample.data);
  });
  return out.finish();
}

/** `tfhd`, `tfdt` and `trun` (ISO/IEC 14496-12 §8.8.7, §8.8.12, §8.8.8). Answers where the data offset is to be put. */
function writeTrackFragment(out: BoxWriter, { samples, baseMediaDecodeTime }: TrackSamples, trackId: number): number {
  const hasOffsets = samples.some((sample) => (sample.compositionOffset ?? 0) !== 0);
  const uniform = uniformDuration(samples);
  if (uniform === null) {
    out.fullBox('tfhd', 0, TFHD_DEFAULT_BASE_IS_MOOF, () => out.u32(trackId));
  } else {
    out.fullBox('tfhd', 0, TFHD_DEFAULT_BASE_IS_MOOF | TFHD_DURATION | TFHD_FLAGS, () => {
      out.u32(trackId);
      out.u32(uniform);
      out.u32(SYNC_SAMPLE);
    });
  }
  out.fullBox('tfdt', 1, 0, () => out.u64(baseMediaDecodeTime));
  let flags = TRUN_DATA_OFFSET | TRUN_SIZE;
  if (uniform === null) flags |= TRUN_DURATION | TRUN_FLAGS;
  if (hasOffsets) flags |= TRUN_COMPOSITION_OFFSET;
  let dataOffsetAt = 0;
  out.fullBox('trun', hasOffsets ? 1 : 0, flags, () => {
    out.u32(samples.length);
    dataOffsetAt = out.length;
    out.u32(0);
    for (const sample of samples) {
      if (uniform === null) out.u32(sample.duration);
      out.u32(sample.data.length);
      if (uniform === null) out.u32(sample.isSync ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
      if (hasOffsets) out.i32(sample.compositionOffset ?? 0);
    }
  });
  return dataOffsetAt;
}

/** The duration of all samples, when they differ in size alone and are many, as in audio. */
function uniformDuration(samples: readonly Sample[]): number | null {
  const duration = samples[0]?.duration ?? 0;
  const isUniform = samples.every((sample) => sample.isSync && sample.duration === duration);
  return samples.length > 1 && isUniform ? duration : null;
}

/** Offsets count from the `moof` box (`tf_flags`, ISO/IEC 14496-12 §8.8.7). */
export const TFHD_DEFAULT_BASE_IS_MOOF = 0x020000;
/** The fragment states the duration of samples (`tf_flags`, ISO/IEC 14496-12 §8.8.7). */
export const TFHD_DURATION = 0x8;
/** The fragment states the flags of samples (`tf_flags`, ISO/IEC 14496-12 §8.8.7). */
export const TFHD_FLAGS = 0x20;
/** The run says where its data begin (`tr_flags`, ISO/IEC 14496-12 §8.8.8). */
export const TRUN_DATA_OFFSET = 0x1;
/** The first sample has flags of its own (`tr_flags`, ISO/IEC 14496-12 §8.8.8). */
export const TRUN_FIRST_SAMPLE_FLAGS = 0x4;
/** Each sample has its duration (`tr_flags`, ISO/IEC 14496-12 §8.8.8). */
export const TRUN_DURATION = 0x100;
/** Each sample has its size (`tr_flags`, ISO/IEC 14496-12 §8.8.8). */
export const TRUN_SIZE = 0x200;
/** Each sample has its flags (`tr_flags`, ISO/IEC 14496-12 §8.8.8). */
export const TRUN_FLAGS = 0x400;
/** Each sample has its composition offset (`tr_flags`, ISO/IEC 14496-12 §8.8.8). */
export const TRUN_COMPOSITION_OFFSET = 0x800;
/** `sample_depends_on` 2: an I-picture. */
export const SYNC_SAMPLE = 0x02000000;
/** `sample_depends_on` 1 and `sample_is_non_sync_sample`. */
export const NON_SYNC_SAMPLE = 0x01010000;

function checkTrack(segment: TrackSamples): void {
  if (segment.samples.length === 0) {
    throw new ZoetropeError('invalid_argument', 'A media segment needs at least one sample. Got none.');
  }
  checkStart(segment.baseMediaDecodeTime);
  segment.samples.forEach((sample, index) => {
    if (!Number.isInteger(sample.duration) || sample.duration < 0 || sample.duration > 0xffff_ffff) {
      throw new ZoetropeError(
        'invalid_argument',
        `A sample's duration must be a whole number of ticks from 0 to 2³²−1. Got ${sample.duration} for sample ${index}.`,
      );
    }
    const offset = sample.compositionOffset ?? 0;
    if (offset !== (offset | 0)) {
      throw new ZoetropeError(
        'invalid_argument',
        `A sample's composition offset must be a whole number of ticks in 32 bits. Got ${offset} for sample ${index}.`,
      );
    }
    if (sample.data.length === 0) {
      throw new ZoetropeError('invalid_argument', `A sample must hold at least one byte. Sample ${index} is empty.`);
    }
  });
}

function checkStart(baseMediaDecodeTime: number): void {
  if (Number.isSafeInteger(baseMediaDecodeTime) && baseMediaDecodeTime >= 0) return;
  throw new ZoetropeError(
    'invalid_argument',
    `A media segment's start must be a whole number of ticks from 0. Got ${baseMediaDecodeTime}.`,
  );
}
