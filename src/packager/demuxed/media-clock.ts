import type { DemuxedMedia, DemuxedVideo } from './demuxed-media.ts';

/** Time stamps of MPEG-TS have 33 bits (ISO/IEC 13818-1 §2.4.3.7). */
const WRAP_90K = 2 ** 33;

/** The time with the same low 33 bits that lies nearest to another: it goes on where a time stamp wraps, forwards or back. */
export function unwrap90k(stamp: number, near: number): number {
  const ahead = (((stamp - near) % WRAP_90K) + WRAP_90K) % WRAP_90K;
  return near + (ahead >= WRAP_90K / 2 ? ahead - WRAP_90K : ahead);
}

/** Presentation time of the first picture; of the first sound where there is none. */
export function firstPts90k({ video, audio }: DemuxedMedia): number {
  if (video === null) return Math.round(audio?.frames[0]?.pts90k ?? 0);
  return video.samples.reduce((least, { pts90k }) => Math.min(least, pts90k), Number.POSITIVE_INFINITY);
}

/** The same media with times that go on from `near90k`, such as where the segment before ended, as {@link unwrap90k} does. */
export function unwrapMedia(media: DemuxedMedia, near90k: number): DemuxedMedia {
  const first = firstPts90k(media);
  const shift = unwrap90k(first, near90k) - first;
  if (shift === 0) return media;
  const { video, audio } = media;
  return {
    ...media,
    video: video === null ? null : shiftVideo(video, shift),
    audio:
      audio === null
        ? null
        : { ...audio, frames: audio.frames.map((frame) => ({ ...frame, pts90k: frame.pts90k + shift })) },
  };
}

function shiftVideo(video: DemuxedVideo, shift: number): DemuxedVideo {
  const samples = video.samples.map((sample) => {
    return { ...sample, pts90k: sample.pts90k + shift, dts90k: sample.dts90k + shift };
  });
  return { ...video, samples, end90k: video.end90k === null ? null : video.end90k + shift };
}
