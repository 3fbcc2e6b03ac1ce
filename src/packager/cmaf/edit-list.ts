import { BoxCursor, readBoxes, type Box } from './box-reader.ts';

/** Where a track's presentation begins (ISO/IEC 14496-12 §8.6.6). */
export interface EditList {
  /** Ticks of media before the first that is presented, of the track's timescale. */
  readonly mediaTime: number;
  /** How long nothing is presented before that, in ticks of the movie's timescale. */
  readonly emptyDuration: number;
}

/** Reads a track's edit list up to its first edit that is not empty; zeros without one. @throws corrupt_media when it is cut off */
export function readEditList(bytes: Uint8Array, trak: Box): EditList {
  const edts = readBoxes(bytes, trak.bodyStart, trak.end).find((box) => box.type === 'edts');
  const elst =
    edts === undefined ? undefined : readBoxes(bytes, edts.bodyStart, edts.end).find((box) => box.type === 'elst');
  if (elst === undefined) return { mediaTime: 0, emptyDuration: 0 };
  const cursor = new BoxCursor(bytes, elst);
  const isWide = cursor.versionAndFlags().version === 1;
  let emptyDuration = 0;
  for (let entries = cursor.u32(); entries > 0; entries--) {
    const duration = isWide ? cursor.u64() : cursor.u32();
    const high = isWide ? cursor.u32() : 0;
    const low = cursor.u32();
    cursor.skip(4);
    const isEmpty = low === 0xffff_ffff && (!isWide || high === 0xffff_ffff);
    if (!isEmpty) return { mediaTime: high * 2 ** 32 + low, emptyDuration };
    emptyDuration += duration;
  }
  return { mediaTime: 0, emptyDuration };
}
