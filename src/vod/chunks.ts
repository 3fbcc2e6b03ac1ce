import { pts90k, TICKS_PER_MS, type Pts90k } from '../base/time.ts';
import type { AudioPart, SplitAudio, SplitVideo } from '../engine/transcoder.ts';

/** Lengths aimed at, in milliseconds. */
export interface ChunkRule {
  readonly segmentMs: number;
  readonly chunkMs: number;
}

/** A stretch of video that one task encodes. */
export interface VideoChunk {
  readonly from90k: Pts90k;
  /** Null in the last. */
  readonly to90k: Pts90k | null;
  readonly segmentStarts90k: readonly Pts90k[];
  /** Keys of the parts to be read. */
  readonly parts: readonly string[];
  readonly expectedFrames: number;
  readonly seconds: number;
}

/** A stretch of audio that one task encodes. */
export interface AudioChunk {
  readonly fromSample: number;
  readonly toSample: number;
  readonly segmentStarts: readonly number[];
  readonly parts: readonly AudioPart[];
  readonly startSeconds: number;
  readonly seconds: number;
}

const CHUNKS_OF_SHORT_FILMS = 12;
const AAC_FRAME = 1024;
/** Audio is cheap: a task does so many times a video chunk's length. */
const AUDIO_CHUNK_FACTOR = 3;
/** The encoder is warmed up for two seconds, the decoder before it for half a one. */
const AUDIO_MARGIN_S = 2.6;

/**
 * Cuts a video into chunks at keyframes. The first two are about one segment long, so that something plays soon and goes on; the next doubles that, and so on
 * up to about `chunkMs`, or a twelfth of a short film. A group of pictures that is much longer than a chunk is cut inside, at a picture's time, unless its
 * chunks would decode too much in vain.
 */
export function planVideoChunks(video: SplitVideo, rule: ChunkRule): readonly VideoChunk[] {
  // A short film in few long chunks would leave all workers but one idle at its end.
  const fullLength = Math.min(
    rule.chunkMs,
    Math.max(rule.segmentMs * 1.5, video.end90k / TICKS_PER_MS / CHUNKS_OF_SHORT_FILMS),
  );
  const boundaries = [0];
  let at = 0;
  for (;;) {
    const aimed = Math.min(fullLength, rule.segmentMs * 2 ** Math.max(0, boundaries.length - 2)) * TICKS_PER_MS;
    // To begin at a keyframe is worth a longer chunk, but for the first, which somebody waits for.
    const longest = at === 0 ? aimed * 1.5 : Math.max(aimed * 1.5, rule.chunkMs * TICKS_PER_MS);
    const next = nextBoundary(video, at, aimed, longest);
    if (next === null) break;
    boundaries.push(next);
    at = next;
  }
  return boundaries.map((from, index) => {
    const to = boundaries[index + 1] ?? null;
    return videoChunk(video, from, to, rule.segmentMs * TICKS_PER_MS);
  });
}

/** Where the chunk that begins at `from` ends; null: at the end. */
function nextBoundary(video: SplitVideo, from: number, aimed: number, longest: number): number | null {
  const { parts, end90k } = video;
  if (end90k - from <= aimed * 1.5) return null;
  const target = from + aimed;
  const far = from + longest;
  const begin = lastWhere(parts, (part) => part.from90k <= from + aimed / 2) + 1;
  const near = parts.slice(begin, lastWhere(parts, (part) => part.from90k <= far) + 1).map((part) => part.from90k);
  const closest = closestTo(target, near);
  // A rest too small for a task of its own belongs to the last chunk.
  if (closest !== undefined) return end90k - closest < aimed / 2 ? null : closest;
  const inside = parts[lastWhere(parts, (part) => part.from90k <= target)];
  const cuts = inside?.cuts90k.filter((cut) => cut > from + aimed / 2) ?? [];
  return closestTo(target, cuts) ?? parts[begin]?.from90k ?? null;
}

function closestTo(target: number, times: readonly number[]): number | undefined {
  return times.toSorted((a, b) => Math.abs(a - target) - Math.abs(b - target))[0];
}

/** The last of the first items for which `holds`, −1 for none: files of many hours have tens of thousands of parts, and thousands of chunks look for theirs. */
function lastWhere<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function videoChunk(video: SplitVideo, from: number, to: number | null, segment90k: number): VideoChunk {
  const end = to ?? video.end90k;
  const count = Math.max(1, Math.round((end - from) / segment90k));
  const segmentStarts90k = Array.from({ length: count }, (_, index) =>
    pts90k(Math.round(from + ((end - from) * index) / count)),
  );
  const { parts } = video;
  const first = Math.max(
    0,
    lastWhere(parts, (part) => part.from90k <= from),
  );
  let last = lastWhere(parts, (part) => part.from90k < end);
  if (parts[last + 1]?.hasLeading === true || to !== null) last += 1;
  const seconds = (end - from) / TICKS_PER_MS / 1000;
  return {
    from90k: pts90k(from),
    to90k: to === null ? null : pts90k(to),
    segmentStarts90k,
    parts: parts.slice(first, last + 1).map((part) => part.key),
    expectedFrames: Math.max(1, Math.round(seconds * video.frameRate)),
    seconds,
  };
}

/** Cuts an audio track on the grid of AAC frames; the first chunk is one segment long. */
export function planAudioChunks(audio: SplitAudio, sampleRateHz: number, rule: ChunkRule): readonly AudioChunk[] {
  const end = Math.max(1, Math.round((audio.endSample * sampleRateHz) / audio.sampleRateHz));
  const segmentStart = (index: number): number =>
    Math.round((index * rule.segmentMs * sampleRateHz) / 1000 / AAC_FRAME) * AAC_FRAME;
  // A last segment shorter than half the others joins the one before it.
  const half = segmentStart(1) / 2;
  const starts: number[] = [0];
  for (let index = 1; segmentStart(index) < end - half; index++) starts.push(segmentStart(index));
  const perChunk = Math.max(1, Math.round((rule.chunkMs * AUDIO_CHUNK_FACTOR) / rule.segmentMs));
  const groups = [starts.slice(0, 1)];
  for (let index = 1; index < starts.length; index += perChunk) groups.push(starts.slice(index, index + perChunk));
  return groups.map((segmentStarts, index) => {
    const fromSample = segmentStarts[0] ?? 0;
    const toSample = groups[index + 1]?.[0] ?? end;
    return {
      fromSample,
      toSample,
      segmentStarts,
      parts: partsAround(audio, fromSample / sampleRateHz, toSample / sampleRateHz),
      startSeconds: fromSample / sampleRateHz,
      seconds: (toSample - fromSample) / sampleRateHz,
    };
  });
}

function partsAround(audio: SplitAudio, fromS: number, toS: number): readonly AudioPart[] {
  const from = (fromS - AUDIO_MARGIN_S) * audio.sampleRateHz;
  const to = (toS + AUDIO_MARGIN_S) * audio.sampleRateHz;
  const first = Math.max(
    0,
    lastWhere(audio.parts, (part) => part.fromSample <= from),
  );
  const last = lastWhere(audio.parts, (part) => part.fromSample < to);
  return audio.parts.slice(first, Math.max(first, last) + 1);
}
