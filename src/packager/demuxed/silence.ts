import { AAC_PACKET_SAMPLES, parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { silentPacket } from '../aac/silent-packet.ts';
import type { DemuxedAudio, DemuxedFrame, DemuxedMedia } from './demuxed-media.ts';
import { firstPts90k } from './media-clock.ts';

/** A shorter hole is left to the packet before it. */
const LEAST_HOLE_90K = 9000;
/** A longer one is filled from where the pictures begin. */
const LONGEST_HOLE_90K = 10 * 90_000;
/** Of the last picture of a segment that says nothing. */
const USUAL_FRAME_90K = 3600;

/** How the sound of an epoch goes on. */
export interface ExpectedSound {
  readonly audioSpecificConfig: Uint8Array;
  /** Where a packet of it ends or begins, on the media's clock. */
  readonly gridPts90k: number;
  /** All of it up to there is there. */
  readonly isEnd: boolean;
}

/**
 * Fills what a segment with pictures lacks of the sound that its epoch has: all of it, or what is missing before its first packet. Players that keep both
 * tracks in one buffer have nothing to play where one of them is missing; silence they play. Media stays as it is where nothing is missing.
 */
export function fillWithSilence(media: DemuxedMedia, expected: ExpectedSound): DemuxedMedia {
  const { video, audio } = media;
  if (video === null) return media;
  const config = parseAudioSpecificConfig(expected.audioSpecificConfig);
  const packet = silentPacket(config);
  if (packet === null) return media;
  const step90k = (AAC_PACKET_SAMPLES * 90_000) / config.sampleRateHz;
  const last90k = video.samples.reduce((latest, { pts90k }) => Math.max(latest, pts90k), 0);
  const toPts90k = audio?.frames[0]?.pts90k ?? video.end90k ?? last90k + USUAL_FRAME_90K;
  const start90k = firstPts90k(media);
  let at = expected.gridPts90k;
  if (audio !== null && (!expected.isEnd || toPts90k - at < LEAST_HOLE_90K)) return media;
  // On the grid of its packets, whatever is left out.
  if (!expected.isEnd || start90k - at > LONGEST_HOLE_90K) at += Math.ceil((start90k - at) / step90k) * step90k;
  const silence: DemuxedFrame[] = [];
  // Up to the end of the pictures, or as far as there is room before the first packet.
  const room90k = audio === null ? 1 : step90k;
  for (; at + room90k <= toPts90k; at += step90k) silence.push({ data: packet, pts90k: at });
  if (silence.length === 0) return media;
  const { audioSpecificConfig } = expected;
  const { sampleRateHz, channels } = config;
  const filled: DemuxedAudio = {
    codec: 'aac',
    ...(audio ?? { audioSpecificConfig, sampleRateHz, channels }),
    frames: [...silence, ...(audio?.frames ?? [])],
  };
  const faults = [...media.faults, `${silence.length} packets of sound were missing; silence stands for them.`];
  return { ...media, audio: filled, faults };
}
