/** A transport packet, in bytes. */
export const TS_PACKET_BYTES = 188;

/** Time stamps and the clock have 33 bits (ISO/IEC 13818-1 §2.4.3.7); they wrap after 26.5 hours. */
export const TS_CLOCK_MODULUS = 2 ** 33;

/** Presentation times start here and the clock at 0, so that no clock reference comes after its picture. The same for all tracks. */
export const TS_LEAD_90K = 126_000;

/** A PES packet and what its first transport packet says of it. */
export interface PesPacket {
  readonly bytes: Uint8Array;
  /** Decoding can begin here. */
  readonly isRandomAccess: boolean;
  /** Null where another stream carries the programme's clock. */
  readonly clock90k: number | null;
  /** Ticks from the epoch's start: the order in which packets of several streams are sent. */
  readonly decoding90k: number;
}

/** What a PES packet carries, in ticks from the epoch's start. */
export interface PesContent {
  readonly kind: 'video' | 'audio';
  readonly presentation90k: number;
  readonly decoding90k: number;
  readonly isRandomAccess: boolean;
  readonly payload: readonly Uint8Array[];
}

/** ISO/IEC 13818-1 §2.4.3.6. The length is left open for video alone, which may. */
export function pesPacket(content: PesContent): PesPacket {
  const { kind, presentation90k, decoding90k, payload, isRandomAccess } = content;
  const pts = stamp(presentation90k + TS_LEAD_90K);
  const dts = stamp(decoding90k + TS_LEAD_90K);
  const stamps = pts === dts ? timeStamp(2, pts) : [...timeStamp(3, pts), ...timeStamp(1, dts)];
  const streamId = kind === 'video' ? 0xe0 : 0xc0;
  const alignedData = 0x84;
  const whichStamps = pts === dts ? 0x80 : 0xc0;
  const bytes = Buffer.concat([
    Uint8Array.of(0, 0, 1, streamId, 0, 0, alignedData, whichStamps, stamps.length, ...stamps),
    ...payload,
  ]);
  const bytesBeforeLength = 6;
  if (kind === 'audio') bytes.writeUInt16BE(bytes.length - bytesBeforeLength, 4);
  // Priming lies before time 0, where the clock has not begun to run.
  return { bytes, isRandomAccess, clock90k: stamp(Math.max(0, decoding90k)), decoding90k };
}

function stamp(ticks: number): number {
  return ((ticks % TS_CLOCK_MODULUS) + TS_CLOCK_MODULUS) % TS_CLOCK_MODULUS;
}

/** 33 bits in five bytes with marker bits. */
function timeStamp(prefix: number, ticks: number): readonly number[] {
  const high = Math.floor(ticks / 2 ** 30) & 7;
  const middle = Math.floor(ticks / 2 ** 15) & 0x7fff;
  const low = ticks & 0x7fff;
  return [(prefix << 4) | (high << 1) | 1, middle >> 7, ((middle & 0x7f) << 1) | 1, low >> 7, ((low & 0x7f) << 1) | 1];
}
