import { ZoetropeError } from '../../base/errors.ts';
import { joinLengthPrefixed, splitAnnexB } from '../h264/nal.ts';

/** `nal_unit_type` of HEVC (ITU-T H.265 table 7-1), as far as packaging looks at it. */
export const HEVC_NAL = { firstIrap: 16, lastIrap: 23, vps: 32, sps: 33, pps: 34, aud: 35, filler: 38 } as const;

/** NAL units that an `hvc1` sample must not or need not carry: parameter sets stand in the init segment (ISO/IEC 14496-15 §8.4). */
export const HEVC_OUT_OF_BAND_NALS: ReadonlySet<number> = new Set([
  HEVC_NAL.vps,
  HEVC_NAL.sps,
  HEVC_NAL.pps,
  HEVC_NAL.aud,
  HEVC_NAL.filler,
]);

/** Video, sequence and picture parameter set, without start code or length. */
export interface HevcParameterSets {
  readonly vps: Uint8Array;
  readonly sps: Uint8Array;
  readonly pps: Uint8Array;
}

/** The type of a NAL unit (ITU-T H.265 §7.3.1.2). */
export function hevcNalType(nal: Uint8Array): number {
  return ((nal[0] ?? 0) >> 1) & 0x3f;
}

/** Whether a NAL unit belongs to a picture at which decoding can begin. */
export function isIrap(nal: Uint8Array): boolean {
  const type = hevcNalType(nal);
  return type >= HEVC_NAL.firstIrap && type <= HEVC_NAL.lastIrap;
}

/** An Annex B access unit as a sample of an `hvc1` track. @throws corrupt_media when nothing remains */
export function hevcAnnexBToSample(accessUnit: Uint8Array): Uint8Array {
  const units = splitAnnexB(accessUnit).filter((unit) => !HEVC_OUT_OF_BAND_NALS.has(hevcNalType(unit)));
  if (units.length === 0) throw corruptHevc(`An access unit of ${accessUnit.length} bytes holds no picture.`);
  return joinLengthPrefixed(units);
}

/**
 * The first parameter set of each kind in an encoder's extradata (`hvcC` or Annex B) or in an access unit.
 * @throws corrupt_media when one is missing
 */
export function hevcParameterSetsOf(bytes: Uint8Array): HevcParameterSets {
  const units = bytes[0] === 1 ? readHevcConfiguration(bytes) : splitAnnexB(bytes);
  const find = (type: number, name: string): Uint8Array => {
    const found = units.find((unit) => hevcNalType(unit) === type);
    if (found === undefined) throw corruptHevc(`There is no ${name} in ${bytes.length} bytes of HEVC parameters.`);
    return found;
  };
  return { vps: find(HEVC_NAL.vps, 'VPS'), sps: find(HEVC_NAL.sps, 'SPS'), pps: find(HEVC_NAL.pps, 'PPS') };
}

/** The NAL units in an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1). @throws corrupt_media */
export function readHevcConfiguration(record: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const need = (end: number): void => {
    if (end > record.length) throw corruptHevc(`The hvcC record of ${record.length} bytes is cut off.`);
  };
  need(23);
  const lengthBytes = (view.getUint8(21) & 3) + 1;
  if (lengthBytes !== 4) {
    throw new ZoetropeError(
      'unsupported_media',
      `NAL lengths must take 4 bytes. Got ${lengthBytes}; repackage the media.`,
    );
  }
  const units: Uint8Array[] = [];
  let at = 23;
  for (let array = view.getUint8(22); array > 0; array--) {
    need(at + 3);
    const count = view.getUint16(at + 1);
    at += 3;
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

function corruptHevc(message: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `${message} Encode or fetch the media again.`);
}
