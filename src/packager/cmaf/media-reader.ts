import { corruptBoxes } from './box-reader.ts';
import { readFragments, type ReadSample, type TrackFragment } from './fragment-reader.ts';

/** What a media segment holds of one track. */
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
  const fragments = readFragments(bytes);
  for (const [index, { moofStart }] of fragments.entries()) {
    if (fragments[index + 1]?.moofStart === moofStart) {
      throw corruptBoxes(`The moof box at offset ${moofStart} must have one traf box. Got more.`);
    }
  }
  return joinFragments(fragments);
}

/** Fragments of one track as one stretch; each goes on where the one before it ends. @throws corrupt_media when there is no sample */
export function joinFragments(fragments: readonly TrackFragment[]): ReadMediaSegment {
  const [first] = fragments;
  const samples = fragments.flatMap((fragment) => fragment.samples);
  if (first === undefined || samples.length === 0) throw corruptBoxes('The media segment holds no sample.');
  return { baseMediaDecodeTime: first.baseMediaDecodeTime, samples };
}

/**
 * Bytes from a media segment's start that hold its header and its first sample: what an I-frame playlist lists of it.
 * @throws corrupt_media as {@link readMediaSegment}
 */
export function firstSampleEnd(bytes: Uint8Array): number {
  const [first] = readMediaSegment(bytes).samples;
  return first === undefined ? bytes.length : first.offset + first.size;
}
