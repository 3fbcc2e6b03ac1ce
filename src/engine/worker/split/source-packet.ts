import type { Packet, Stream } from 'node-av/lib';
import {
  AV_NOPTS_VALUE,
  AV_PKT_DATA_NEW_EXTRADATA,
  AV_PKT_DATA_PALETTE,
  AV_PKT_DATA_PARAM_CHANGE,
  AV_PKT_DATA_SKIP_SAMPLES,
} from 'node-av/constants';
import type { PacketSideData } from '../../packets/packet-file.ts';

/** Side data that a decoder needs. */
const KEPT_SIDE_DATA = [
  AV_PKT_DATA_NEW_EXTRADATA,
  AV_PKT_DATA_PARAM_CHANGE,
  AV_PKT_DATA_SKIP_SAMPLES,
  AV_PKT_DATA_PALETTE,
];

/** Three thousand years: what lies beyond is noise, and says nothing. */
const MAX_TIME_90K = 2 ** 53;

/** A packet as the demuxer gave it, its times on the file's own clock in 90 kHz ticks with fractions. Its bytes are its own. */
export interface SourcePacket {
  readonly pts90k: number | null;
  readonly dts90k: number | null;
  /** 0 where unknown. */
  readonly duration90k: number;
  readonly flags: number;
  readonly isKey: boolean;
  readonly data: Uint8Array;
  readonly sideData: readonly PacketSideData[];
  /** The file's clock begins anew with it. */
  readonly isNewClock?: boolean;
}

/** Copies what matters of a native packet; null when it holds nothing. */
export function takePacket(packet: Packet, { timeBase }: Stream): SourcePacket | null {
  const { data } = packet;
  if (data === null || data.length === 0) return null;
  const to90k = (90_000 * timeBase.num) / timeBase.den;
  const time = (value: bigint): number | null => {
    const time90k = Number(value) * to90k;
    return value === AV_NOPTS_VALUE || Math.abs(time90k) > MAX_TIME_90K ? null : time90k;
  };
  const duration90k = Number(packet.duration) * to90k;
  return {
    pts90k: time(packet.pts),
    dts90k: time(packet.dts),
    duration90k: duration90k > MAX_TIME_90K ? 0 : Math.max(0, duration90k),
    flags: packet.flags,
    isKey: packet.isKeyframe,
    data: new Uint8Array(data),
    sideData: KEPT_SIDE_DATA.flatMap((type) => {
      const side = packet.getSideData(type);
      return side === null ? [] : [{ type, data: new Uint8Array(side) }];
    }),
  };
}
