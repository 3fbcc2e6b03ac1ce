import { BitReader, withoutEmulation } from '../../../packager/bits/bit-reader.ts';
import { corruptBoxes } from '../../../packager/cmaf/box-reader.ts';
import { joinLengthPrefixed, NAL, nalType, readAvcConfiguration } from '../../../packager/h264/nal.ts';
import { readHevcConfiguration } from '../../../packager/hevc/nal.ts';
import { configurationOf, visualSizeOf, withParameterSets } from '../../../packager/mp4/sample-description.ts';

/** The sample descriptions of a clip, and how each sample finds the right one. */
export interface Descriptions {
  readonly entries: readonly Uint8Array[];
  /** By number as {@link DescriptionList.add} gave it. */
  readonly places: readonly {
    readonly entry: number;
    /** Parameter sets to stand before each keyframe; undefined: none needed. */
    readonly prefix: Uint8Array | undefined;
  }[];
}

/**
 * Collects the sample entries of pictures that are to be in one track.
 *
 * H.264 parameter sets are told apart by their ids: as long as ids do not clash, and profile and size are one, all sets stand in one entry and every
 * player finds the right one. Else there is an entry for each, as ISO/IEC 14496-12 §8.5.2 has it, and keyframes carry their parameter sets besides:
 * Chromium reads the first entry alone.
 */
export class DescriptionList {
  readonly #codec: string;
  readonly #entries: { readonly bytes: Uint8Array; readonly sets: readonly Uint8Array[] }[] = [];

  constructor(codec: string) {
    this.#codec = codec;
  }

  /** Adds an entry; the same bytes again are the same. Answers its number. */
  add(bytes: Uint8Array): number {
    const known = this.#entries.findIndex((entry) => Buffer.compare(entry.bytes, bytes) === 0);
    if (known !== -1) return known;
    return this.#entries.push({ bytes, sets: setsOf(this.#codec, bytes) }) - 1;
  }

  finish(): Descriptions {
    const merged = this.#merged();
    if (merged !== null)
      return { entries: [merged], places: this.#entries.map(() => ({ entry: 0, prefix: undefined })) };
    return {
      entries: this.#entries.map(({ bytes }) => bytes),
      places: this.#entries.map(({ sets }, entry) => ({
        entry,
        prefix: sets.length === 0 ? undefined : joinLengthPrefixed(sets),
      })),
    };
  }

  /** One entry for all; null where they cannot share one. */
  #merged(): Uint8Array | null {
    const [first, ...others] = this.#entries;
    if (first === undefined || others.length === 0) return first?.bytes ?? null;
    if (this.#codec !== 'avc1') return null;
    const byId = new Map(first.sets.map((set) => [setKey(set), set]));
    const added: Uint8Array[] = [];
    for (const { bytes, sets } of others) {
      if (!isAlike(first.bytes, bytes)) return null;
      for (const set of sets) {
        const known = byId.get(setKey(set));
        if (known === undefined) {
          byId.set(setKey(set), set);
          added.push(set);
        } else if (Buffer.compare(known, set) !== 0) {
          return null;
        }
      }
    }
    if (byId.size > MOST_SETS) return null;
    return added.length === 0 ? first.bytes : withParameterSets(first.bytes, added);
  }
}

/** An SPS takes one of 32 ids; an `avcC` counts up to 31 of them. */
const MOST_SETS = 32;

/** An id for parameter sets that none of these H.264 sample entries use. */
export function unusedSetId(entries: readonly Uint8Array[]): number {
  const used = new Set(entries.flatMap((entry) => setsOf('avc1', entry).map(setId)));
  for (let id = 31; id > 0; id--) if (!used.has(id)) return id;
  return 0;
}

function setsOf(codec: string, entry: Uint8Array): readonly Uint8Array[] {
  switch (codec) {
    case 'avc1':
      return readAvcConfiguration(configurationOf(entry, 'avcC'));
    case 'hvc1':
      return readHevcConfiguration(configurationOf(entry, 'hvcC'));
    default:
      return [];
  }
}

function isAlike(a: Uint8Array, b: Uint8Array): boolean {
  const size = [visualSizeOf(a), visualSizeOf(b)] as const;
  const profile = [configurationOf(a, 'avcC'), configurationOf(b, 'avcC')] as const;
  return size[0].width === size[1].width && size[0].height === size[1].height && profile[0][1] === profile[1][1];
}

function setKey(set: Uint8Array): string {
  return `${nalType(set)} ${setId(set)}`;
}

/** `seq_parameter_set_id` or `pic_parameter_set_id` (ITU-T H.264 §7.3.2.1.1, §7.3.2.2). */
function setId(set: Uint8Array): number {
  const bits = new BitReader(withoutEmulation(set.subarray(1)), (why) =>
    corruptBoxes(`An H.264 parameter set is not valid: ${why}.`),
  );
  if (nalType(set) === NAL.sps) bits.u(24);
  return bits.ue();
}
