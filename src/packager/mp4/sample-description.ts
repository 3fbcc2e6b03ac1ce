import { BoxCursor, corruptBoxes, findBox, readBoxes, type Box } from '../cmaf/box-reader.ts';
import { BoxWriter } from '../cmaf/box-writer.ts';
import { nalType, NAL } from '../h264/nal.ts';

/** The sample entry of an init segment: a whole box. @throws corrupt_media without one */
export function sampleEntryOf(init: Uint8Array): Uint8Array {
  const stsd = findBox(init, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']);
  const cursor = new BoxCursor(init, stsd);
  cursor.versionAndFlags();
  cursor.u32();
  const entry = readBoxes(init, cursor.offset, stsd.end)[0];
  if (entry === undefined) throw corruptBoxes('The stsd box has no sample entry.');
  return init.subarray(entry.start, entry.end);
}

/** A box within a visual sample entry (ISO/IEC 14496-12 §12.1.3), such as `avcC`: its payload. @throws corrupt_media without it */
export function configurationOf(entry: Uint8Array, type: string): Uint8Array {
  const box = childrenOf(entry).find((child) => child.type === type);
  if (box === undefined) throw corruptBoxes(`The sample entry has no ${type} box.`);
  return entry.subarray(box.bodyStart, box.end);
}

/**
 * An `avc1` sample entry that holds these parameter sets besides its own (AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1). Sets are told
 * apart by their ids, so pictures of several encoders can share one entry. The level is the highest of all; the profile must be one.
 */
export function withParameterSets(entry: Uint8Array, added: readonly Uint8Array[]): Uint8Array {
  const record = configurationOf(entry, 'avcC');
  const own = readSets(record);
  const sps = [...own.sps, ...added.filter((unit) => nalType(unit) === NAL.sps)];
  const pps = [...own.pps, ...added.filter((unit) => nalType(unit) === NAL.pps)];
  const out = new BoxWriter(entry.length + 1024);
  const children = childrenOf(entry);
  out.box(typeOf(entry), () => {
    out.bytes(entry.subarray(8, children[0]?.start ?? entry.length));
    for (const child of children) {
      if (child.type !== 'avcC') {
        out.bytes(entry.subarray(child.start, child.end));
        continue;
      }
      out.box('avcC', () => {
        out.bytes(record.subarray(0, 3));
        out.u8(Math.max(...sps.map((unit) => unit[3] ?? 0)));
        out.u8(record[4] ?? 0xff);
        out.u8(0xe0 | sps.length);
        for (const unit of sps) writeSet(out, unit);
        out.u8(pps.length);
        for (const unit of pps) writeSet(out, unit);
        out.bytes(record.subarray(own.end));
      });
    }
  });
  return out.finish();
}

function writeSet(out: BoxWriter, unit: Uint8Array): void {
  out.u16(unit.length);
  out.bytes(unit);
}

interface Sets {
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
  /** Where the extension of the high profiles begins. */
  readonly end: number;
}

function readSets(record: Uint8Array): Sets {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const lists: Uint8Array[][] = [];
  let at = 5;
  const need = (end: number): void => {
    if (end > record.length) throw corruptBoxes(`The avcC record of ${record.length} bytes is cut off.`);
  };
  for (const mask of [0x1f, 0xff]) {
    need(at + 1);
    const units: Uint8Array[] = [];
    for (let left = (record[at++] ?? 0) & mask; left > 0; left--) {
      need(at + 2);
      const size = view.getUint16(at);
      need(at + 2 + size);
      units.push(record.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
    lists.push(units);
  }
  const [sps = [], pps = []] = lists;
  return { sps, pps, end: at };
}

/** Where the boxes of a visual sample entry begin. */
const VISUAL_FIELDS = 8 + 78;

function childrenOf(entry: Uint8Array): readonly Box[] {
  return readBoxes(entry, Math.min(VISUAL_FIELDS, entry.length), entry.length);
}

function typeOf(entry: Uint8Array): string {
  return Buffer.from(entry.buffer, entry.byteOffset + 4, 4).toString('latin1');
}

/** Width and height that a visual sample entry states. @throws corrupt_media when it is cut off */
export function visualSizeOf(entry: Uint8Array): { readonly width: number; readonly height: number } {
  if (entry.length < VISUAL_FIELDS) throw corruptBoxes('The sample entry is cut off.');
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  return { width: view.getUint16(32), height: view.getUint16(34) };
}
