import { ZoetropeError } from '../base/errors.ts';
import type {
  AssetRequest,
  AudioSpec,
  OutputSpec,
  StoryboardSpec,
  SubtitlesSpec,
  VideoCodec,
  VideoRequest,
  VideoSpec,
} from '../timeline/asset.ts';
import type { AudioTrack, MediaDescription, VideoTrack } from '../timeline/media-description.ts';

/** An output to be made, without its id. A download refers to others by name. */
export interface PlannedOutput {
  readonly name: string;
  readonly spec: Exclude<OutputSpec, { kind: 'download' }> | PlannedDownload;
}

/** A download before the outputs that it is put together from have ids. */
export interface PlannedDownload {
  readonly kind: 'download';
  readonly videoName: string;
  readonly audioName: string | null;
}

/** Facts that only the split knows. */
export interface SplitFacts {
  readonly durationMs: number;
  /** Pictures a second. */
  readonly frameRate: number;
}

/** Short sides of the default ladder with the ceiling of the bit rate for H.264, bits a second. */
export const DEFAULT_RUNGS: readonly (readonly [heightPx: number, maxBitsPerS: number])[] = [
  [144, 200_000],
  [240, 400_000],
  [360, 800_000],
  [480, 1_400_000],
  [720, 2_800_000],
  [1080, 5_000_000],
  [1440, 9_000_000],
  [2160, 16_000_000],
];

interface CodecDefaults {
  readonly crf: number;
  readonly preset: string;
  /** What it needs of H.264's bits for the same look. */
  readonly bitsRatio: number;
}

const CODEC_DEFAULTS: Readonly<Record<VideoCodec, CodecDefaults>> = {
  h264: { crf: 23, preset: 'veryfast', bitsRatio: 1 },
  hevc: { crf: 26, preset: 'veryfast', bitsRatio: 0.65 },
  vp9: { crf: 33, preset: '5', bitsRatio: 0.7 },
  av1: { crf: 35, preset: '9', bitsRatio: 0.55 },
};

/** Sampling frequencies that AAC has, up to the highest that is of use (ISO/IEC 14496-3 table 1.18). */
const AAC_RATES = new Set([8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]);
/** A source that is so much larger than the largest rung gets a rung of its own size. */
const WORTH_A_RUNG = 1.1;
const SMALLEST_SIDE = 16;
/** Encoders know no slower clock. Pictures keep their true times all the same. */
const SLOWEST_RATE = 0.1;
const POSTER_WIDTH = 1280;
const TILE_WIDTH = 160;
const STORYBOARD_TILES = 120;

/**
 * What is made from a file: every output of the request with its size, rate and codec settled. Nothing is scaled up: a rung above the source becomes the
 * source's size, and of several that fall together one remains. @throws unsupported_media when nothing can be made of the file
 */
export function planOutputs(
  media: MediaDescription,
  request: AssetRequest,
  facts: SplitFacts,
): readonly PlannedOutput[] {
  const track = media.video[0];
  const video = track === undefined ? [] : planVideo(track, request.video, facts.frameRate);
  const audio = media.audio.map((source, index) => planAudio(source, index, media.audio, request.audioBitrateKbps));
  if (video.length === 0 && audio.length === 0) {
    throw new ZoetropeError('unsupported_media', 'The file has neither pictures nor sound that can be played.');
  }
  const captions = request.captions ? planCaptions(media) : [];
  const pictures = track === undefined ? [] : planPictures(track, request, facts.durationMs);
  const download = request.download ? planDownload(video, audio) : [];
  return named([...video, ...audio, ...captions, ...pictures, ...download]);
}

function planVideo(
  track: VideoTrack,
  requests: readonly VideoRequest[] | null,
  frameRate: number,
): readonly { readonly name: string; readonly spec: VideoSpec }[] {
  const short = Math.min(track.width, track.height);
  const wanted = requests ?? defaultHeights(short).map((heightPx) => ({ heightPx }));
  const planned = wanted.map((request) => planRung(track, request, frameRate));
  // Several rungs that were capped to the source's size are one.
  const distinct = new Map(planned.map((output) => [JSON.stringify(output.spec), output]));
  return [...distinct.values()].toSorted((a, b) => pixels(b) - pixels(a));
}

function pixels({ spec }: { readonly spec: VideoSpec }): number {
  return spec.width * spec.height;
}

function defaultHeights(short: number): readonly number[] {
  const fitting = DEFAULT_RUNGS.map(([height]) => height).filter((height) => height <= short);
  const largest = fitting.at(-1);
  const isBetween = largest === undefined || (short < 2160 && short > largest * WORTH_A_RUNG);
  return isBetween ? [...fitting, short] : fitting;
}

/** One rung with its size, rate and quality settled; none is larger than the source. `track` is the source as it is seen. */
export function planRung(
  track: Pick<VideoTrack, 'width' | 'height'>,
  request: VideoRequest,
  frameRate: number,
): { readonly name: string; readonly spec: VideoSpec } {
  const codec = request.codec ?? 'h264';
  const defaults = CODEC_DEFAULTS[codec];
  const short = Math.min(track.width, track.height);
  const heightPx = Math.min(request.heightPx ?? short, short);
  const { width, height } = fitTo(track, heightPx);
  const bitsPerS = request.bitrateKbps === undefined ? null : request.bitrateKbps * 1000;
  const isDefaultQuality = bitsPerS === null && request.crf === undefined;
  const ceiling = Math.round(ceilingFor(heightPx) * defaults.bitsRatio * rateFactor(frameRate));
  return {
    name: codec === 'h264' ? `${heightPx}p` : `${heightPx}p-${codec}`,
    spec: {
      kind: 'video',
      codec,
      width,
      height,
      crf: bitsPerS === null ? (request.crf ?? defaults.crf) : null,
      bitsPerS,
      maxBitsPerS: isDefaultQuality ? ceiling : bitsPerS === null ? null : Math.round(bitsPerS * 1.5),
      preset: request.preset ?? defaults.preset,
      frameRate: Math.max(SLOWEST_RATE, frameRate),
    },
  };
}

/** The size at which the short side has so many pixels; both sides even, as 4:2:0 wants, and rounded down at the source's own size. */
function fitTo(
  track: Pick<VideoTrack, 'width' | 'height'>,
  shortPx: number,
): { readonly width: number; readonly height: number } {
  const short = Math.min(track.width, track.height);
  const scale = shortPx / short;
  const even = (side: number, atMost: number): number => {
    const rounded = Math.round((side * scale) / 2) * 2;
    return Math.max(SMALLEST_SIDE, Math.min(rounded, atMost - (atMost % 2)));
  };
  return { width: even(track.width, track.width), height: even(track.height, track.height) };
}

/** Between two rungs, in proportion to the height. */
function ceilingFor(heightPx: number): number {
  const above = DEFAULT_RUNGS.findIndex(([height]) => height >= heightPx);
  const [upperHeight, upperBits] = DEFAULT_RUNGS[above] ?? [2160, 16_000_000];
  const [lowerHeight, lowerBits] = DEFAULT_RUNGS[above - 1] ?? [0, 100_000];
  return lowerBits + ((upperBits - lowerBits) * (heightPx - lowerHeight)) / (upperHeight - lowerHeight);
}

/** 50 and 60 pictures a second take about half as much again as 25 and 30. */
function rateFactor(frameRate: number): number {
  return frameRate > 32 ? 1.5 : 1;
}

function planAudio(
  track: AudioTrack,
  index: number,
  all: readonly AudioTrack[],
  bitrateKbps: number | null,
): { readonly name: string; readonly spec: AudioSpec } {
  const channels = track.channels === 1 ? 1 : 2;
  const markedDefault = all.findIndex((other) => other.isDefault);
  return {
    name: all.length === 1 ? 'audio' : `audio-${track.language ?? String(index + 1)}`,
    spec: {
      kind: 'audio',
      codec: 'aac',
      track: track.index,
      bitsPerS: bitrateKbps === null ? (channels === 1 ? 80_000 : 128_000) : bitrateKbps * 1000,
      channels,
      sampleRateHz: AAC_RATES.has(track.sampleRateHz) ? track.sampleRateHz : 48_000,
      language: track.language,
      title: track.title,
      isDefault: index === Math.max(0, markedDefault),
    },
  };
}

function planCaptions(media: MediaDescription): readonly { readonly name: string; readonly spec: SubtitlesSpec }[] {
  return media.subtitles
    .filter((track) => track.isText)
    .map((track, index) => ({
      name: `captions-${track.language ?? String(index + 1)}`,
      spec: {
        kind: 'subtitles',
        track: track.index,
        language: track.language,
        title: track.title,
        isDefault: track.isDefault,
        isForced: track.isForced,
      },
    }));
}

function planPictures(track: VideoTrack, request: AssetRequest, durationMs: number): readonly PlannedOutput[] {
  const planned: PlannedOutput[] = [];
  if (request.poster) {
    planned.push(still('poster', track, [Math.round(durationMs / 10)], POSTER_WIDTH));
  }
  for (const { timesSeconds, widthPx } of request.thumbnails) {
    const timesMs = timesSeconds.map((time) => Math.min(Math.round(time * 1000), Math.floor(durationMs)));
    planned.push(still('thumbnails', track, timesMs, widthPx ?? track.width));
  }
  if (request.storyboard) planned.push({ name: 'storyboard', spec: planStoryboard(track, durationMs) });
  return planned;
}

function still(name: string, track: VideoTrack, timesMs: readonly number[], wantedPx: number): PlannedOutput {
  const widthPx = Math.min(wantedPx, track.width);
  const heightPx = Math.max(1, Math.round((track.height * widthPx) / track.width));
  return { name, spec: { kind: 'thumbnails', timesMs, widthPx, heightPx } };
}

function planStoryboard(track: VideoTrack, durationMs: number): StoryboardSpec {
  const tileWidthPx = Math.min(TILE_WIDTH, track.width - (track.width % 2) || 2);
  const tileHeightPx = Math.max(2, Math.round((track.height * tileWidthPx) / track.width / 2) * 2);
  const intervalMs = Math.min(10_000, Math.max(1000, Math.ceil(durationMs / STORYBOARD_TILES / 500) * 500));
  return { kind: 'storyboard', intervalMs, columns: 10, rows: 10, tileWidthPx, tileHeightPx };
}

function planDownload(
  video: readonly { readonly name: string; readonly spec: VideoSpec }[],
  audio: readonly { readonly name: string; readonly spec: AudioSpec }[],
): readonly PlannedOutput[] {
  const best = video.find(({ spec }) => spec.codec === 'h264') ?? video[0];
  if (best === undefined) return [];
  const sound = audio.find(({ spec }) => spec.isDefault);
  return [{ name: 'download', spec: { kind: 'download', videoName: best.name, audioName: sound?.name ?? null } }];
}

/** Names told apart by a number: `audio-eng`, `audio-eng-2`. Downloads come last, so what they refer to keeps the first name. */
function named(outputs: readonly PlannedOutput[]): readonly PlannedOutput[] {
  const counts = new Map<string, number>();
  return outputs.map((output) => {
    const count = (counts.get(output.name) ?? 0) + 1;
    counts.set(output.name, count);
    return count === 1 ? output : { ...output, name: `${output.name}-${count}` };
  });
}
