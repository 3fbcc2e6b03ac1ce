import { ZoetropeError } from '../../base/errors.ts';

/** `nal_unit_type` of H.264 (ITU-T H.264 table 7-1), as far as packaging looks at it. */
export const NAL = { idr: 5, sei: 6, sps: 7, pps: 8, aud: 9, filler: 12 } as const;

/** NAL units that an `avc1` sample must not or need not carry: parameter sets stand in the init segment (ISO/IEC 14496-15 §5.3.2). */
export const OUT_OF_BAND_NALS: ReadonlySet<number> = new Set([NAL.sps, NAL.pps, NAL.aud, NAL.filler]);

/** Sequence and picture parameter set, without start code or length. */
export interface ParameterSets {
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
}

/** The type of a NAL unit (its first byte's low five bits). */
export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}

/** The NAL units of an Annex B byte stream, as views (ITU-T H.264 B.1.1). @throws corrupt_media when there is no start code. */
export function splitAnnexB(bytes: Uint8Array): readonly Uint8Array[] {
  const units: Uint8Array[] = [];
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let code = source.indexOf(START_CODE);
  if (code === -1) throw corruptNal(`There is no Annex B start code in ${bytes.length} bytes.`);
  while (code !== -1) {
    const start = code + START_CODE.length;
    const next = source.indexOf(START_CODE, start);
    let end = next === -1 ? bytes.length : next;
    // trailing_zero_8bits and the fourth byte of the next start code belong to no NAL unit.
    while (end > start && bytes[end - 1] === 0) end--;
    if (end > start) units.push(bytes.subarray(start, end));
    if (units.length > MAX_UNITS) throw corruptNal(`There are more than ${MAX_UNITS} NAL units in one picture.`);
    code = next;
  }
  return units;
}

/** The NAL units of a sample whose lengths take four bytes, as views. @throws corrupt_media when one reaches outside. */
export function splitLengthPrefixed(sample: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(sample.buffer, sample.byteOffset, sample.byteLength);
  const units: Uint8Array[] = [];
  let at = 0;
  while (at < sample.length) {
    if (sample.length - at < 4) throw corruptNal(`A NAL unit's length is cut off at byte ${at} of the sample.`);
    const size = view.getUint32(at);
    at += 4;
    if (size === 0 || size > sample.length - at) {
      throw corruptNal(`A NAL unit at byte ${at} claims ${size} bytes; ${sample.length - at} are there.`);
    }
    units.push(sample.subarray(at, at + size));
    if (units.length > MAX_UNITS) throw corruptNal(`There are more than ${MAX_UNITS} NAL units in one picture.`);
    at += size;
  }
  return units;
}

/** NAL units, each after its length in four bytes. */
export function joinLengthPrefixed(units: readonly Uint8Array[]): Uint8Array {
  const joined = Buffer.allocUnsafe(units.reduce((sum, unit) => sum + 4 + unit.length, 0));
  let at = 0;
  for (const unit of units) {
    joined.writeUInt32BE(unit.length, at);
    joined.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return joined;
}

/** An Annex B access unit as a CMAF sample; NAL units of the `drop` types are left out. @throws corrupt_media when nothing remains. */
export function annexBToLengthPrefixed(
  accessUnit: Uint8Array,
  drop: ReadonlySet<number> = OUT_OF_BAND_NALS,
): Uint8Array {
  const units = splitAnnexB(accessUnit).filter((unit) => !drop.has(nalType(unit)));
  if (units.length === 0) throw corruptNal(`An access unit of ${accessUnit.length} bytes holds no picture.`);
  return joinLengthPrefixed(units);
}

/** A CMAF sample as an Annex B access unit. */
export function lengthPrefixedToAnnexB(sample: Uint8Array): Uint8Array {
  return joinAnnexB(splitLengthPrefixed(sample));
}

/** NAL units, each after a start code of four bytes. */
export function joinAnnexB(units: readonly Uint8Array[]): Uint8Array {
  const joined = Buffer.allocUnsafe(units.reduce((sum, unit) => sum + 4 + unit.length, 0));
  let at = 0;
  for (const unit of units) {
    joined.writeUInt32BE(1, at);
    joined.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return joined;
}

/**
 * The first SPS and PPS of an encoder's extradata (`avcC` or Annex B) or of an access unit.
 * @throws corrupt_media when one is missing.
 */
export function parameterSetsOf(bytes: Uint8Array): ParameterSets {
  const units = bytes[0] === 1 ? readAvcConfiguration(bytes) : splitAnnexB(bytes);
  const sps = units.find((unit) => nalType(unit) === NAL.sps);
  const pps = units.find((unit) => nalType(unit) === NAL.pps);
  if (sps === undefined || pps === undefined) {
    throw corruptNal(`There is no ${sps === undefined ? 'SPS' : 'PPS'} in ${bytes.length} bytes of H.264 parameters.`);
  }
  return { sps, pps };
}

/** The parameter sets in an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1). @throws corrupt_media */
export function readAvcConfiguration(record: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const need = (end: number): void => {
    if (end > record.length) throw corruptNal(`The avcC record of ${record.length} bytes is cut off.`);
  };
  need(7);
  if (((record[4] ?? 0) & 3) !== 3) {
    throw new ZoetropeError(
      'unsupported_media',
      `NAL lengths must take 4 bytes. Got ${((record[4] ?? 0) & 3) + 1}; repackage the media.`,
    );
  }
  const units: Uint8Array[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    need(at + 1);
    const count = (record[at] ?? 0) & mask;
    at += 1;
    for (let index = 0; index < count; index++) {
      need(at + 2);
      const size = view.getUint16(at);
      need(at + 2 + size);
      units.push(record.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
  }
  return units;
}

/** More than any picture has slices; a unit of one byte takes fifty times that in memory. */
const MAX_UNITS = 20_000;

const START_CODE = Buffer.from([0, 0, 1]);

function corruptNal(message: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `${message} Encode or fetch the media again.`);
}
