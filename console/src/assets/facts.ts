import type {
  AssetJson,
  AudioTrackJson,
  MediaJson,
  OutputJson,
  SubtitleTrackJson,
  VideoTrackJson,
} from '../api/asset-types.ts';
import { duration } from '../time/format.ts';
import { bitRate, bytes } from './quantities.ts';

const CODEC_NAMES: Readonly<Record<string, string>> = {
  h264: 'H.264',
  hevc: 'HEVC',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  mpeg4: 'MPEG-4 Visual',
  mpeg2video: 'MPEG-2',
  prores: 'ProRes',
  mjpeg: 'Motion JPEG',
  aac: 'AAC',
  mp3: 'MP3',
  opus: 'Opus',
  vorbis: 'Vorbis',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
  flac: 'FLAC',
  mov_text: 'Timed text',
  subrip: 'SubRip',
  webvtt: 'WebVTT',
  ass: 'ASS',
};

/** A codec's name as people write it. */
export function codecName(codec: string): string {
  return CODEC_NAMES[codec] ?? codec;
}

/** A frame rate without needless digits: `24`, `29.97`. */
export function frameRateText(rate: number): string {
  return String(Math.round(rate * 100) / 100);
}

/** The name of a language for people; the tag itself where the browser knows none. */
export function languageName(tag: string | null): string | null {
  if (tag === null || tag === 'und') return null;
  try {
    return new Intl.DisplayNames(undefined, { type: 'language', fallback: 'code' }).of(tag) ?? tag;
  } catch {
    // Not a tag of any language: a file may say anything.
    return tag;
  }
}

const CHANNELS: Readonly<Record<number, string>> = { 1: 'mono', 2: 'stereo', 6: '5.1', 8: '7.1' };

/** Channels as they are called: `stereo`, `5.1`. */
export function channelsText(count: number): string {
  return CHANNELS[count] ?? `${count} channels`;
}

/** A video track in a line: `H.264 · 1920×1080 · 25 fps`. */
export function videoText(track: VideoTrackJson): string {
  const { width, height, codedWidth, codedHeight, rotation, frameRate, bitDepth, hdr, isInterlaced, bitsPerS } = track;
  const isOther = rotation !== 0 || codedWidth !== width || codedHeight !== height;
  return [
    codecName(track.codec),
    `${width}×${height}`,
    isOther && `coded ${codedWidth}×${codedHeight}`,
    rotation !== 0 && `turned ${rotation}°`,
    frameRate !== null && `${frameRateText(frameRate)} fps`,
    isInterlaced && 'interlaced',
    bitDepth > 8 && `${bitDepth} bit`,
    hdr !== null && `HDR (${hdr.toUpperCase()})`,
    bitsPerS !== null && bitRate(bitsPerS),
  ]
    .filter((part) => part !== false)
    .join(' · ');
}

/** An audio track in a line: `AAC · 5.1 · 48 kHz · English`. */
export function audioText(track: AudioTrackJson): string {
  return [
    codecName(track.codec),
    channelsText(track.channels),
    `${track.sampleRateHz / 1000} kHz`,
    track.title ?? languageName(track.language),
    track.bitsPerS !== null && bitRate(track.bitsPerS),
  ]
    .filter((part) => part !== false && part !== null)
    .join(' · ');
}

/** A subtitle track in a line. */
export function subtitleText(track: SubtitleTrackJson): string {
  return [
    codecName(track.codec),
    track.title ?? languageName(track.language),
    !track.isText && 'pictures, cannot become WebVTT',
  ]
    .filter((part) => part !== false && part !== null)
    .join(' · ');
}

/** What the file holds in a line, or what is known so far: `854×480 · 24 fps · 30 s · 4.14 MB`. */
export function mediaLine(asset: Pick<AssetJson, 'media' | 'source' | 'durationMs'>): string {
  const { media, source, durationMs } = asset;
  if (media === null) {
    if (source.kind === 'upload') return bytes(source.sizeBytes);
    return source.kind === 'url' ? (URL.parse(source.url)?.host ?? source.url) : source.objectKey;
  }
  const video = media.video[0];
  const audio = media.audio[0];
  return [
    video === undefined ? audio !== undefined && codecName(audio.codec) : `${video.width}×${video.height}`,
    video?.frameRate !== undefined && video.frameRate !== null && `${frameRateText(video.frameRate)} fps`,
    durationMs !== null && duration(durationMs),
    bytes(media.sizeBytes),
  ]
    .filter((part) => part !== false)
    .join(' · ');
}

/** Rows of facts about a file. */
export function factsOf(media: MediaJson): readonly (readonly [string, string])[] {
  return [
    ['Container', media.container],
    ['Size', bytes(media.sizeBytes)],
    ...(media.durationMs === null ? [] : [['Length', duration(media.durationMs)] as const]),
    ...media.video.map((track) => ['Video', videoText(track)] as const),
    ...media.audio.map((track) => ['Audio', audioText(track)] as const),
    ...media.subtitles.map((track) => ['Captions', subtitleText(track)] as const),
  ];
}

/** How an output is made, in a line: `H.264 · 854×480 · ≤ 1.4 Mbit/s`. */
export function outputText({ kind, spec }: Pick<OutputJson, 'kind' | 'spec'>): string {
  const limit = spec.bitsPerS ?? spec.maxBitsPerS ?? null;
  switch (kind) {
    case 'video':
      return [
        codecName(spec.codec ?? ''),
        `${spec.width ?? 0}×${spec.height ?? 0}`,
        limit !== null && `${spec.bitsPerS === null ? '≤ ' : ''}${bitRate(limit)}`,
      ]
        .filter((part) => part !== false)
        .join(' · ');
    case 'audio':
      return [
        'AAC',
        channelsText(spec.channels ?? 2),
        limit !== null && bitRate(limit),
        spec.title ?? languageName(spec.language ?? null),
      ]
        .filter((part) => part !== false && part !== null)
        .join(' · ');
    case 'subtitles':
      return ['WebVTT', spec.title ?? languageName(spec.language ?? null)].filter((part) => part !== null).join(' · ');
    case 'thumbnails': {
      const count = spec.timesMs?.length ?? 0;
      return `${count} picture${count === 1 ? '' : 's'} · ${spec.widthPx ?? 0}×${spec.heightPx ?? 0}`;
    }
    case 'storyboard':
      return `a picture every ${duration(spec.intervalMs ?? 0)}`;
    case 'download':
      return 'MP4';
  }
}

/** Media seconds made a second, while it was worked on; null before there is anything to say. */
export function outputSpeed(output: OutputJson, durationMs: number | null, nowMs: number): number | null {
  if (durationMs === null || output.startedAt === null || output.progress === 0) return null;
  const endMs = output.endedAt === null ? nowMs : Date.parse(output.endedAt);
  const tookMs = endMs - Date.parse(output.startedAt);
  return tookMs < 500 ? null : (output.progress * durationMs) / tookMs;
}
