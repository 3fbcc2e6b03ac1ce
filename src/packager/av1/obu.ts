import { ZoetropeError } from '../../base/errors.ts';

/** `obu_type` of AV1 (AV1 specification §6.2.2), as far as packaging looks at it. */
export const OBU = { sequenceHeader: 1, temporalDelimiter: 2, tileList: 8, padding: 15 } as const;

/** An open bitstream unit. */
export interface Obu {
  readonly type: number;
  /** With its header. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
}

/** The units of a temporal unit in the low-overhead format, as views (AV1 specification §5.3). @throws corrupt_media */
export function splitObus(bytes: Uint8Array): readonly Obu[] {
  const units: Obu[] = [];
  let at = 0;
  while (at < bytes.length) {
    const header = bytes[at] ?? 0;
    if ((header & 0x80) !== 0) throw corruptAv1(`the forbidden bit is set at byte ${at}`);
    let payloadAt = at + ((header & 0x04) === 0 ? 1 : 2);
    let end = bytes.length;
    if ((header & 0x02) !== 0) {
      const size = leb128(bytes, payloadAt);
      payloadAt = size.end;
      end = payloadAt + size.value;
    }
    if (end > bytes.length || payloadAt > end) {
      throw corruptAv1(`a unit at byte ${at} ends at ${end}; ${bytes.length} bytes are there`);
    }
    units.push({ type: (header >> 3) & 15, bytes: bytes.subarray(at, end), payload: bytes.subarray(payloadAt, end) });
    at = end;
  }
  return units;
}

/**
 * An encoder's temporal unit as a sample of an `av01` track: without temporal delimiters, padding and tile lists
 * (AV1 Codec ISO Media File Format Binding §2.4). @throws corrupt_media when nothing remains
 */
export function av1Sample(temporalUnit: Uint8Array): Uint8Array {
  const kept = splitObus(temporalUnit).filter((unit) => !LEFT_OUT.has(unit.type));
  if (kept.length === 0) throw corruptAv1(`a temporal unit of ${temporalUnit.length} bytes holds no frame`);
  return Buffer.concat(kept.map((unit) => unit.bytes));
}

/** The sequence header unit in an encoder's extradata (`av1C` or plain units) or in a temporal unit. @throws corrupt_media without one */
export function sequenceHeaderOf(bytes: Uint8Array): Obu {
  const configurationMark = 0x81;
  const units = splitObus(bytes[0] === configurationMark ? bytes.subarray(4) : bytes);
  const found = units.find((unit) => unit.type === OBU.sequenceHeader);
  if (found === undefined) throw corruptAv1(`there is no sequence header in ${bytes.length} bytes`);
  return found;
}

/** Says that bytes are no valid AV1. */
export function corruptAv1(why: string): ZoetropeError {
  return new ZoetropeError('corrupt_media', `The AV1 stream is not valid: ${why}. Encode the media again.`);
}

const LEFT_OUT: ReadonlySet<number> = new Set([OBU.temporalDelimiter, OBU.tileList, OBU.padding]);

function leb128(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) throw corruptAv1('a size is cut off');
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return { value, end: start + index + 1 };
  }
  throw corruptAv1('a size takes more than 8 bytes');
}
