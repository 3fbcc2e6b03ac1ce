import type { Pts90k } from '../base/time.ts';
import type { AudioPart, SplitAudio, SplitSubtitles, VideoPart, EncodedRendition } from '../engine/transcoder.ts';
import type { OutputFile } from '../timeline/asset.ts';
import type { Task } from '../timeline/task.ts';

/** What a `video` task needs to know. */
export interface VideoTaskInput {
  readonly chunk: number;
  readonly parts: readonly string[];
  readonly from90k: Pts90k;
  readonly to90k: Pts90k | null;
  readonly end90k: Pts90k;
  readonly segmentStarts90k: readonly Pts90k[];
  readonly expectedFrames: number;
}

/** What an `audio` task needs to know. */
export interface AudioTaskInput {
  readonly chunk: number;
  /** With the parts around the stretch alone. */
  readonly source: SplitAudio & { readonly parts: readonly AudioPart[] };
  readonly fromSample: number;
  readonly toSample: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly segmentStarts: readonly number[];
}

/** What a `subtitles` task needs to know. Its cues come from the split. */
export interface SubtitlesTaskInput {
  readonly chunk: 0;
  readonly cues: SplitSubtitles['cues'];
  readonly durationMs: number;
}

/** What a `pictures` task needs to know. */
export interface PicturesTaskInput {
  readonly parts: readonly VideoPart[];
  readonly end90k: Pts90k;
}

/** What a `download` task needs to know: the segments of both renditions, in order. */
export interface DownloadTaskInput {
  readonly outputIds: readonly string[];
}

/** What each kind of task takes. */
export interface TaskInputs {
  readonly fetch: null;
  readonly split: null;
  readonly video: VideoTaskInput;
  readonly audio: AudioTaskInput;
  readonly subtitles: SubtitlesTaskInput;
  readonly pictures: PicturesTaskInput;
  readonly download: DownloadTaskInput;
}

/** What a `video`, `audio` or `subtitles` task leaves behind: segments by output. */
export interface SegmentsResult {
  readonly renditions: readonly EncodedRendition[];
  /** Files besides, by output. */
  readonly files?: Readonly<Record<string, readonly OutputFile[]>>;
}

/** What a `pictures` or `download` task leaves behind: files by output. */
export interface FilesResult {
  readonly files: Readonly<Record<string, readonly OutputFile[]>>;
}

/** A task's input as the kind that it is: whoever made the row wrote it so. */
export function inputOf<K extends keyof TaskInputs>(task: Task, _kind: K): TaskInputs[K] {
  return task.input as TaskInputs[K];
}

/** The chunk that a task works on; undefined for tasks that have none. */
export function chunkOf(task: Task): number | undefined {
  switch (task.kind) {
    case 'video':
    case 'audio':
    case 'subtitles':
      return inputOf(task, task.kind).chunk;
    case 'fetch':
    case 'split':
    case 'pictures':
    case 'download':
    case 'clip':
      return undefined;
  }
}
