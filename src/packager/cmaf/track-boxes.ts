import { BoxCursor, corruptBoxes, findBox, readBoxes, type Box } from './box-reader.ts';
import type { SampleDefaults } from './fragment-reader.ts';

/** Pictures or sound. */
export type TrackKind = 'video' | 'audio';

/** A track of an init segment. */
export interface TrackBox {
  /** The `trak` box. */
  readonly box: Box;
  readonly id: number;
  /** Where `tkhd` has the id (ISO/IEC 14496-12 §8.3.2). */
  readonly idOffset: number;
  /** Null for captions, metadata and the like. */
  readonly kind: TrackKind | null;
  /** From the track's `trex` box. */
  readonly defaults: SampleDefaults;
}

/** The tracks of an init segment, as they stand. @throws corrupt_media when it is malformed or has none */
export function trackBoxes(init: Uint8Array): readonly TrackBox[] {
  const moov = findBox(init, ['moov']);
  const children = readBoxes(init, moov.bodyStart, moov.end);
  const traks = children.filter((box) => box.type === 'trak');
  if (traks.length === 0) throw corruptBoxes('The init segment has no trak box.');
  if (traks.length > MAX_TRACKS) throw corruptBoxes(`The init segment has ${traks.length} tracks.`);
  const mvex = children.find((box) => box.type === 'mvex');
  const trexes = mvex === undefined ? [] : readBoxes(init, mvex.bodyStart, mvex.end);
  const defaults = new Map(
    trexes.filter((box) => box.type === 'trex').map((box) => readDefaults(new BoxCursor(init, box))),
  );
  return traks.map((box) => {
    const header = new BoxCursor(init, findBox(init, ['tkhd'], box));
    header.skip(header.versionAndFlags().version === 1 ? 16 : 8);
    const idOffset = header.offset;
    const id = header.u32();
    const handler = new BoxCursor(init, findBox(init, ['mdia', 'hdlr'], box));
    handler.skip(8);
    const kind = KINDS.get(handler.u32()) ?? null;
    return { box, id, idOffset, kind, defaults: defaults.get(id) ?? NO_DEFAULTS };
  });
}

/** `trex` (ISO/IEC 14496-12 §8.8.3): the track it is about, and what it says. 0 means that it does not say. */
function readDefaults(cursor: BoxCursor): readonly [number, SampleDefaults] {
  cursor.versionAndFlags();
  const trackId = cursor.u32();
  cursor.skip(4);
  const [duration, size, flags] = [cursor.u32(), cursor.u32(), cursor.u32()];
  return [trackId, { duration: duration === 0 ? null : duration, size: size === 0 ? null : size, flags }];
}

const MAX_TRACKS = 64;
const NO_DEFAULTS: SampleDefaults = { duration: null, size: null, flags: 0 };
/** `handler_type` (ISO/IEC 14496-12 §12.1.1, §12.2.1): `vide` and `soun`. */
const KINDS: ReadonlyMap<number, TrackKind> = new Map([
  [0x7669_6465, 'video'],
  [0x736f_756e, 'audio'],
]);
