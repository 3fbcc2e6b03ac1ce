import type { IdSource } from '../base/ids.ts';
import { pts90k, TICKS_PER_MS } from '../base/time.ts';
import type { NewOutput, NewTask } from '../catalog/asset-store.ts';
import type { SplitResult } from '../engine/transcoder.ts';
import type { Asset, OutputSpec } from '../timeline/asset.ts';
import type { MediaDescription } from '../timeline/media-description.ts';
import { planAudioChunks, planVideoChunks, type ChunkRule } from './chunks.ts';
import { planOutputs, type PlannedOutput } from './ladder.ts';
import type { AudioTaskInput, PicturesTaskInput, SubtitlesTaskInput, VideoTaskInput } from './task-input.ts';

/** What waits for nothing but a worker: playing (0), the bulk (1), extras (2). */
export const RANK = { playing: 0, bulk: 1, extras: 2 } as const;

/** Work of a second of audio next to that of a 720p picture second; for progress alone. */
const AUDIO_WEIGHT = 0.05;
const SMALL_WEIGHT = 1;
const PIXELS_OF_720P = 1280 * 720;

/** What a split leads to. */
export interface Plan {
  readonly outputs: readonly NewOutput[];
  readonly tasks: readonly NewTask[];
}

/** What a plan is made with. */
export interface PlanRules extends ChunkRule {
  readonly ids: IdSource;
  readonly maxAttempts: number;
}

type Made = NewOutput & { readonly spec: OutputSpec };

/** The outputs of an asset and the tasks that make them. @throws unsupported_media when there is nothing to make */
export function planTasks(asset: Asset, media: MediaDescription, split: SplitResult, rules: PlanRules): Plan {
  const planned = planOutputs(tracksOf(media, split), asset.request, {
    durationMs: split.durationMs,
    frameRate: split.video?.frameRate ?? 25,
  });
  const outputs = withIds(planned, rules.ids);
  const task = (spec: Omit<NewTask, 'id' | 'maxAttempts'>): NewTask => ({
    ...spec,
    id: rules.ids.next('task'),
    maxAttempts: rules.maxAttempts,
  });
  const planner = new Planner(outputs, split, rules, task);
  const tasks = [...planner.video(), ...planner.audio(), ...planner.subtitles(), ...planner.pictures()];
  return { outputs: outputs.map((output) => ({ ...output, totalChunks: planner.chunksOf(output) })), tasks };
}

/** What the split took of the file: it leaves out what would be too much, and an output without tasks would never end. */
function tracksOf(media: MediaDescription, { video, audio, subtitles }: SplitResult): MediaDescription {
  const taken = new Set([...audio, ...subtitles].map(({ track }) => track));
  return {
    ...media,
    video: video === null ? [] : media.video,
    audio: media.audio.filter(({ index }) => taken.has(index)),
    subtitles: media.subtitles.filter(({ index }) => taken.has(index)),
  };
}

function withIds(planned: readonly PlannedOutput[], ids: IdSource): readonly Made[] {
  const idOf = new Map(planned.map(({ name }) => [name, ids.next('output')]));
  const id = (name: string): string => idOf.get(name) ?? '';
  return planned.map(({ name, spec }) => ({
    id: id(name),
    name,
    totalChunks: null,
    spec:
      spec.kind === 'download'
        ? {
            kind: 'download',
            videoOutputId: id(spec.videoName),
            audioOutputId: spec.audioName === null ? null : id(spec.audioName),
          }
        : spec,
  }));
}

class Planner {
  readonly #outputs: readonly Made[];
  readonly #split: SplitResult;
  readonly #rules: PlanRules;
  readonly #task: (spec: Omit<NewTask, 'id' | 'maxAttempts'>) => NewTask;
  readonly #chunks = new Map<string, number>();

  constructor(
    outputs: readonly Made[],
    split: SplitResult,
    rules: PlanRules,
    task: (spec: Omit<NewTask, 'id' | 'maxAttempts'>) => NewTask,
  ) {
    this.#outputs = outputs;
    this.#split = split;
    this.#rules = rules;
    this.#task = task;
  }

  chunksOf(output: NewOutput): number | null {
    return this.#chunks.get(output.id) ?? null;
  }

  /** See {@link groupsFor} for who makes which rungs. */
  video(): readonly NewTask[] {
    const { video } = this.#split;
    const rungs = this.#outputs.filter(({ spec }) => spec.kind === 'video');
    const lowest = rungs.at(-1);
    if (video === null || lowest === undefined) return [];
    const chunks = planVideoChunks(video, this.#rules);
    for (const rung of rungs) this.#chunks.set(rung.id, chunks.length);
    return chunks.flatMap((chunk, index) => {
      const input: VideoTaskInput = {
        chunk: index,
        parts: chunk.parts,
        from90k: chunk.from90k,
        to90k: chunk.to90k,
        end90k: video.end90k,
        segmentStarts90k: chunk.segmentStarts90k,
        expectedFrames: chunk.expectedFrames,
      };
      const groups = groupsFor(rungs, index, chunks.length);
      return groups.map((group, number) =>
        this.#task({
          kind: 'video',
          rank: index === 0 ? RANK.playing : RANK.bulk,
          ordinal: index === 0 ? number * 2 : Math.floor(chunk.from90k / TICKS_PER_MS / 1000),
          outputIds: group.map(({ id }) => id),
          weight: chunk.seconds * group.reduce((sum, { spec }) => sum + workOf(spec), 0),
          input,
        }),
      );
    });
  }

  audio(): readonly NewTask[] {
    return this.#outputs.flatMap(({ id, spec }) => {
      if (spec.kind !== 'audio') return [];
      const source = this.#split.audio.find(({ track }) => track === spec.track);
      if (source === undefined) return [];
      const chunks = planAudioChunks(source, spec.sampleRateHz, this.#rules);
      this.#chunks.set(id, chunks.length);
      return chunks.map((chunk, index) => {
        const input: AudioTaskInput = {
          chunk: index,
          source: { ...source, parts: chunk.parts },
          fromSample: chunk.fromSample,
          toSample: chunk.toSample,
          isFirst: index === 0,
          isLast: index === chunks.length - 1,
          segmentStarts: chunk.segmentStarts,
        };
        return this.#task({
          kind: 'audio',
          rank: index === 0 && spec.isDefault ? RANK.playing : RANK.bulk,
          ordinal: index === 0 ? 1 : Math.floor(chunk.startSeconds),
          outputIds: [id],
          weight: chunk.seconds * AUDIO_WEIGHT,
          input,
        });
      });
    });
  }

  subtitles(): readonly NewTask[] {
    return this.#outputs.flatMap(({ id, spec }) => {
      if (spec.kind !== 'subtitles') return [];
      const cues = this.#split.subtitles.find(({ track }) => track === spec.track)?.cues ?? [];
      this.#chunks.set(id, 1);
      const input: SubtitlesTaskInput = { chunk: 0, cues, durationMs: this.#split.durationMs };
      return [
        this.#task({ kind: 'subtitles', rank: RANK.bulk, ordinal: 0, outputIds: [id], weight: SMALL_WEIGHT, input }),
      ];
    });
  }

  /** Pictures asked for by time come early, for they are looked at first; the storyboard after the ladder. */
  pictures(): readonly NewTask[] {
    const { video, durationMs } = this.#split;
    if (video === null) return [];
    // The storyboard is as long as the asset: where sound goes on behind the last picture, that one is shown.
    const input: PicturesTaskInput = { parts: video.parts, end90k: pts90k(Math.round(durationMs * TICKS_PER_MS)) };
    return this.#outputs.flatMap(({ id, spec }) => {
      if (spec.kind !== 'thumbnails' && spec.kind !== 'storyboard') return [];
      const rank = spec.kind === 'storyboard' ? RANK.extras : RANK.bulk;
      return [this.#task({ kind: 'pictures', rank, ordinal: 0, outputIds: [id], weight: SMALL_WEIGHT, input })];
    });
  }
}

/**
 * The rungs of a chunk by task. The first chunk's lowest rung is a task of its own: it plays while the others are still at work. So is the last chunk's
 * highest, about half of the work: two workers end together, where one would wait for the other. In between one task decodes for all.
 */
function groupsFor(rungs: readonly Made[], chunk: number, chunks: number): readonly (readonly Made[])[] {
  if (rungs.length < 2) return [rungs];
  if (chunk === 0) return [rungs.slice(-1), rungs.slice(0, -1)];
  return chunk === chunks - 1 ? [rungs.slice(0, 1), rungs.slice(1)] : [rungs];
}

function workOf(spec: OutputSpec): number {
  return spec.kind === 'video' ? (spec.width * spec.height) / PIXELS_OF_720P : 0;
}
