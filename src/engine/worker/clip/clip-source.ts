import { ZoetropeError } from '../../../base/errors.ts';
import { TICKS_PER_MS } from '../../../base/time.ts';
import type { ObjectStore } from '../../../objects/object-store.ts';
import { NAL, nalType, splitLengthPrefixed } from '../../../packager/h264/nal.ts';
import { hevcNalType, isIrap } from '../../../packager/hevc/nal.ts';
import type { ReadSample } from '../../../packager/cmaf/fragment-reader.ts';
import type { ReadMediaSegment } from '../../../packager/cmaf/media-reader.ts';
import type { CutClipRequest } from '../../transcoder.ts';
import type { Progress } from '../transcode-context.ts';
import type { ClipTracks } from './clip-tracks.ts';

/** Times within a clip's source: ticks of 1/90,000 s of wall time, counted from where the clip was asked to begin. */
type Ticks = number;

/** A coded picture, where it lies, without its bytes. */
export interface SourcePicture {
  /** Place of its segment in the request. */
  readonly segment: number;
  readonly offset: number;
  readonly size: number;
  /** When it is shown. */
  readonly at: Ticks;
  readonly isSync: boolean;
}

/** A picture that refers to none before it, and what follows it up to the next such. */
export interface PictureGroup {
  /** Place of its init segment in the request. */
  readonly init: number;
  /** In decoding order; the first is the keyframe. */
  readonly pictures: readonly SourcePicture[];
  /** When the first of its pictures is shown. */
  readonly start: Ticks;
  /** When the last is shown no more. */
  readonly end: Ticks;
  /** Decoders begin anew at its keyframe, and none of its pictures needs what is before it. */
  readonly isClosed: boolean;
}

/** A packet of sound. */
export interface SourceSound {
  readonly segment: number;
  readonly offset: number;
  readonly size: number;
  readonly init: number;
  /** When it is heard. */
  readonly at: Ticks;
  /** How long, in its samples. */
  readonly samples: number;
}

/** A segment taken apart. */
export interface SourceSegment {
  readonly start: Ticks;
  readonly end: Ticks;
  /** When its last picture begins to be shown. */
  readonly lastAt: Ticks;
  readonly init: number;
  /** Whose media time {@link SourceSegment.mediaStart} and `mediaEnd` are. */
  readonly clock: number;
  readonly mediaStart: number;
  readonly mediaEnd: number;
  readonly groups: readonly PictureGroup[];
  readonly sounds: readonly SourceSound[];
}

/** Samples of all kinds in one clip: the tables of more would not fit into the memory of a process. */
const MAX_SAMPLES = 3_000_000;
/** Segments that are read ahead or kept. */
const KEPT_OBJECTS = 4;

/** The objects of segments, each read once for neighbours that need it. */
export class SegmentBytes {
  readonly #objects: ObjectStore;
  readonly #keys: readonly string[];
  readonly #kept = new Map<number, Promise<Uint8Array>>();

  constructor(objects: ObjectStore, keys: readonly string[]) {
    this.#objects = objects;
    this.#keys = keys;
  }

  /** @throws missing_input */
  get(segment: number): Promise<Uint8Array> {
    const known = this.#kept.get(segment);
    if (known !== undefined) return known;
    const bytes = this.#objects.get(this.#keys[segment] ?? '');
    // Whoever asks is told of a failure; one that was read ahead for nobody is no fault.
    bytes.catch(() => undefined);
    this.#kept.set(segment, bytes);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_OBJECTS && oldest !== undefined) this.#kept.delete(oldest);
    return bytes;
  }

  /** Begins to read a segment that is needed next. */
  readAhead(segment: number): void {
    if (segment < this.#keys.length) void this.get(segment);
  }

  /** The bytes of one coded picture or packet. */
  async sample({ segment, offset, size }: Pick<SourcePicture, 'segment' | 'offset' | 'size'>): Promise<Uint8Array> {
    return (await this.get(segment)).subarray(offset, offset + size);
  }
}

/** Reads the tables of all segments, ordered by when they are shown. @throws payload_too_large, corrupt_media, unsupported_media, missing_input */
export async function readSource(
  request: Pick<CutClipRequest, 'segments' | 'fromMs'>,
  tracks: ClipTracks,
  bytes: SegmentBytes,
  progress: { readonly progress: Progress; readonly part: number },
): Promise<readonly SourceSegment[]> {
  const { segments, fromMs } = request;
  const read: SourceSegment[] = [];
  let samples = 0;
  for (const [number, segment] of segments.entries()) {
    bytes.readAhead(number + 1);
    const { video, audio } = tracks.read(segment.init, await bytes.get(number));
    samples += (video?.samples.length ?? 0) + (audio?.samples.length ?? 0);
    if (samples > MAX_SAMPLES) {
      throw new ZoetropeError(
        'payload_too_large',
        `A clip can hold ${MAX_SAMPLES} pictures and packets of sound; these ${segments.length} segments have more. Ask for a shorter stretch.`,
      );
    }
    const offset = Math.round((segment.startMs - fromMs) * TICKS_PER_MS) - segment.mediaStart90k;
    const end = offset + segment.mediaStart90k + segment.duration90k;
    const context = { number, init: segment.init, offset, end, tracks };
    const groups = video === null ? [] : groupsOf(video, context);
    const shown = groups.flatMap((group) => group.pictures.map(({ at }) => at));
    const start = shown.reduce((least, at) => Math.min(least, at), end);
    const lastAt = shown.reduce((most, at) => Math.max(most, at), start);
    const sounds = audio === null ? [] : soundsOf(audio, context);
    const { init, clock, mediaStart90k: mediaStart, duration90k } = segment;
    const mediaEnd = mediaStart + duration90k;
    read.push({ start, end: Math.max(end, lastAt + 1), lastAt, init, clock, mediaStart, mediaEnd, groups, sounds });
    await progress.progress.at(((number + 1) / segments.length) * progress.part);
  }
  return read.sort((a, b) => a.start - b.start);
}

interface Context {
  readonly number: number;
  readonly init: number;
  /** From media time to ticks of the clip. */
  readonly offset: Ticks;
  readonly end: Ticks;
  readonly tracks: ClipTracks;
}

function groupsOf(segment: ReadMediaSegment, { number, init, offset, end, tracks }: Context): readonly PictureGroup[] {
  const { timescale, mediaTime, codec } = tracks.video(init);
  const toTicks = (time: number): Ticks => Math.round(((time - mediaTime) * 90_000) / timescale) + offset;
  const groups: { readonly pictures: SourcePicture[]; readonly beginsAnew: boolean }[] = [];
  let decoding = segment.baseMediaDecodeTime;
  for (const sample of segment.samples) {
    const at = toTicks(decoding + sample.compositionOffset);
    decoding += sample.duration;
    if (sample.isSync) groups.push({ pictures: [], beginsAnew: beginsAnew(codec, sample) });
    // What lies before the first keyframe cannot be decoded.
    const { offset: place, size, isSync } = sample;
    groups.at(-1)?.pictures.push({ segment: number, offset: place, size, at, isSync });
  }
  const starts = groups.map(({ pictures }) => pictures.reduce((least, { at }) => Math.min(least, at), end));
  return groups.map(({ pictures, beginsAnew: isNew }, index) => ({
    init,
    pictures,
    start: starts[index] ?? end,
    end: starts[index + 1] ?? end,
    isClosed: isNew && starts[index] === pictures[0]?.at,
  }));
}

/** Whether a decoder forgets all pictures at this one: an IDR picture, and what is like it in other codecs. */
function beginsAnew(codec: string, { data }: ReadSample): boolean {
  switch (codec) {
    case 'avc1':
      return splitLengthPrefixed(data).some((unit) => nalType(unit) === NAL.idr);
    case 'hvc1':
      return splitLengthPrefixed(data).some((unit) => isIrap(unit) && hevcNalType(unit) <= LAST_IDR);
    default:
      return true;
  }
}

/** Broken link and IDR pictures are 16 to 20; 21 is a clean random access picture (ITU-T H.265 table 7-1). */
const LAST_IDR = 20;

function soundsOf(segment: ReadMediaSegment, { number, init, offset, tracks }: Context): readonly SourceSound[] {
  const { timescale, mediaTime, sampleRateHz } = tracks.audio(init);
  let decoding = segment.baseMediaDecodeTime - mediaTime;
  return segment.samples.map((sample) => {
    const at = (decoding * 90_000) / timescale + offset;
    decoding += sample.duration;
    const samples = Math.round((sample.duration * sampleRateHz) / timescale);
    return { segment: number, offset: sample.offset, size: sample.size, init, at, samples };
  });
}
