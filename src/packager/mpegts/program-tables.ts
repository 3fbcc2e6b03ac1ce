/** Where the tables are carried. */
export const TABLE_PID = { pat: 0, pmt: 0x1000 } as const;

/** Where pictures are carried. */
export const VIDEO_PID = 0x100;

/** Where sound is carried. */
export const AUDIO_PID = 0x101;

/** `stream_type` (ISO/IEC 13818-1 table 2-34). */
export const STREAM_TYPE = { adts: 0x0f, h264: 0x1b, hevc: 0x24 } as const;

/** Program association section: programme 1 is described on its own PID (ISO/IEC 13818-1 §2.4.4.3). */
export const PAT_SECTION: Uint8Array = section(0x00, 1, [
  0x00,
  0x01,
  0xe0 | (TABLE_PID.pmt >> 8),
  TABLE_PID.pmt & 0xff,
]);

/** Programme map section: elementary streams, the first of which carries the clock (ISO/IEC 13818-1 §2.4.4.8). */
export function pmtSection(streams: readonly { readonly pid: number; readonly streamType: number }[]): Uint8Array {
  const noDescriptors = [0xf0, 0x00];
  const reservedAndPid = (pid: number): readonly number[] => [0xe0 | (pid >> 8), pid & 0xff];
  return section(0x02, 1, [
    ...reservedAndPid(streams[0]?.pid ?? NO_CLOCK_PID),
    ...noDescriptors,
    ...streams.flatMap(({ pid, streamType }) => [streamType, ...reservedAndPid(pid), ...noDescriptors]),
  ]);
}

const NO_CLOCK_PID = 0x1fff;

function section(tableId: number, tableIdExtension: number, body: readonly number[]): Uint8Array {
  const bytesAfterLength = 5 + body.length + 4;
  const versionZeroCurrent = 0xc1;
  const content = Uint8Array.from([
    tableId,
    0xb0 | (bytesAfterLength >> 8),
    bytesAfterLength & 0xff,
    tableIdExtension >> 8,
    tableIdExtension & 0xff,
    versionZeroCurrent,
    0,
    0,
    ...body,
    0,
    0,
    0,
    0,
  ]);
  new DataView(content.buffer).setUint32(content.length - 4, crc32Mpeg(content.subarray(0, -4)));
  return content;
}

/** The CRC of ISO/IEC 13818-1 annex A: polynomial 0x04C11DB7, not reflected, starting at all ones; 0 over a section with its own. */
export function crc32Mpeg(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 || crc >= 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  return crc >>> 0;
}
