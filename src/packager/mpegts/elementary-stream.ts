import { ZoetropeError } from '../../base/errors.ts';
import { adtsHeader } from '../aac/adts.ts';
import { AAC_PACKET_SAMPLES, parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { decodeOrderSamples } from '../cmaf/decode-order.ts';
import type { InitInfo } from '../cmaf/init-reader.ts';
import { joinAnnexB, NAL, nalType, splitLengthPrefixed } from '../h264/nal.ts';
import { HEVC_NAL, hevcNalType, isIrap } from '../hevc/nal.ts';
import { pesPacket, type PesPacket } from './pes.ts';
import { AUDIO_PID, STREAM_TYPE, VIDEO_PID } from './program-tables.ts';

/** A sample to be carried; as the CMAF reader gives it. */
export interface TsSample {
  readonly data: Uint8Array;
  /** Ticks of the track's timescale. */
  readonly duration: number;
  readonly isSync: boolean;
  readonly compositionOffset?: number;
}

/** Samples to be carried, and when. */
export interface TsContent {
  /** What the init segment says. */
  readonly track: InitInfo;
  /** Decoding time of the first sample since the epoch's start, in ticks of the track's timescale. */
  readonly baseTime: number;
  readonly samples: readonly TsSample[];
  /** Times are divided by it. */
  readonly speed: number;
}

/** A track as MPEG-TS carries it. */
export interface ElementaryStream {
  readonly pid: number;
  readonly streamType: number;
  readonly packets: readonly PesPacket[];
}

/** One PES packet a picture, or a few packets of audio. @throws corrupt_media on a bad sample, unsupported_media for VP9 and AV1 */
export function elementaryStream(content: TsContent): ElementaryStream {
  const { track } = content;
  switch (track.codec) {
    case 'avc1': {
      const head = [Uint8Array.of(NAL.aud, 0xf0)];
      const sets = [track.sps, track.pps];
      const packets = picturePackets(content, (sample) => {
        const units = splitLengthPrefixed(sample.data).filter(
          (unit) => nalType(unit) !== NAL.aud && nalType(unit) !== NAL.filler && !isOneOf(unit, sets),
        );
        const isStart = sample.isSync || units.some((unit) => nalType(unit) === NAL.idr);
        return { isStart, units: isStart ? [...head, ...sets, ...units] : [...head, ...units] };
      });
      return { pid: VIDEO_PID, streamType: STREAM_TYPE.h264, packets };
    }
    case 'hvc1': {
      const head = [Uint8Array.of(0x46, 1, 0x50)];
      const sets = [track.vps, track.sps, track.pps];
      const packets = picturePackets(content, (sample) => {
        const units = splitLengthPrefixed(sample.data).filter(
          (unit) => hevcNalType(unit) !== HEVC_NAL.aud && hevcNalType(unit) !== HEVC_NAL.filler && !isOneOf(unit, sets),
        );
        const isStart = sample.isSync || units.some(isIrap);
        return { isStart, units: isStart ? [...head, ...sets, ...units] : [...head, ...units] };
      });
      return { pid: VIDEO_PID, streamType: STREAM_TYPE.hevc, packets };
    }
    case 'mp4a':
      return { pid: AUDIO_PID, streamType: STREAM_TYPE.adts, packets: audioPackets(content, track.audioConfig) };
    case 'vp09':
    case 'av01':
      throw new ZoetropeError(
        'unsupported_media',
        `MPEG-TS has no place for ${track.codecs}. Leave the container out: fMP4 has.`,
      );
  }
}

/** Further parameter sets of a kind lie in the samples: they are carried where they are. */
function isOneOf(unit: Uint8Array, sets: readonly Uint8Array[]): boolean {
  return sets.some((set) => Buffer.compare(set, unit) === 0);
}

/** An access unit as MPEG-TS wants it: with a delimiter, and parameter sets where decoding can begin. */
interface AccessUnit {
  readonly isStart: boolean;
  readonly units: readonly Uint8Array[];
}

function picturePackets(content: TsContent, toAccessUnit: (sample: TsSample) => AccessUnit): readonly PesPacket[] {
  const clock = clockOf(content);
  const { baseTime, samples } = withoutNegativeOffsets(content);
  let decoding = baseTime;
  return samples.map((sample) => {
    const at = decoding;
    decoding += sample.duration;
    const { isStart, units } = toAccessUnit(sample);
    return pesPacket({
      kind: 'video',
      presentation90k: clock(at + (sample.compositionOffset ?? 0)),
      decoding90k: clock(at),
      isRandomAccess: isStart,
      payload: [joinAnnexB(units)],
    });
  });
}

/** MPEG-TS has no decoding behind presentation; where a file has (`trun` version 1), decoding times are given anew. */
function withoutNegativeOffsets({ baseTime, samples }: TsContent): Pick<TsContent, 'baseTime' | 'samples'> {
  if (samples.every((sample) => (sample.compositionOffset ?? 0) >= 0)) return { baseTime, samples };
  let decoding = baseTime;
  const packets = samples.map(({ data, isSync, duration, compositionOffset = 0 }) => {
    const pts = decoding + compositionOffset;
    decoding += duration;
    return { data, isSync, pts };
  });
  const timed = decodeOrderSamples(packets, decoding);
  return { baseTime: timed.baseMediaDecodeTime, samples: timed.samples };
}

/** As many packets together as last a tenth of a second, the longest distance of clock references (ISO/IEC 13818-1 §2.7.2). */
function audioPackets(content: TsContent, audioConfig: Uint8Array): readonly PesPacket[] {
  const config = parseAudioSpecificConfig(audioConfig);
  const clock = clockOf(content);
  const perPes = Math.max(1, Math.floor(config.sampleRateHz / 10 / AAC_PACKET_SAMPLES));
  const packets: PesPacket[] = [];
  let decoding = content.baseTime;
  for (let from = 0; from < content.samples.length; from += perPes) {
    const group = content.samples.slice(from, from + perPes);
    const at = clock(decoding);
    decoding += group.reduce((sum, sample) => sum + sample.duration, 0);
    packets.push(
      pesPacket({
        kind: 'audio',
        presentation90k: at,
        decoding90k: at,
        isRandomAccess: true,
        payload: group.flatMap(({ data }) => [adtsHeader(config, data.length), data]),
      }),
    );
  }
  return packets;
}

/** From ticks of the track's media to ticks of 1/90,000 s as played, rounded from the epoch's start and never summed. */
function clockOf({ track, speed }: TsContent): (ticks: number) => number {
  const to90k = 90_000 / track.timescale;
  return (ticks) => Math.round(((ticks - track.mediaTime) * to90k) / speed);
}
