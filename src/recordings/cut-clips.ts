import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { wallMs } from '../base/time.ts';
import type { ClipTaskLease } from '../catalog/asset-store.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ClipSegment, Transcoder } from '../engine/transcoder.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { clipPrefix, type Clip, type ClipFile } from '../timeline/clip.ts';
import { effectiveSettings, type StreamSettings } from '../timeline/stream.ts';
import { AwaitedBytes } from './awaited-bytes.ts';
import type { LeaseRunner, Postponed, TryContext, TryResult } from '../vod/worker.ts';

/** What cutting clips needs. */
export interface ClipRunnerDeps {
  readonly transcoder: Pick<Transcoder, 'cutClip'>;
  readonly catalog: Pick<Catalog, 'segmentsBetween' | 'getStream' | 'edgesOf' | 'remoteOfHold'>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  readonly defaults: StreamSettings;
  readonly clock: Clock;
  /** How long a clip of an edge's stream waits for bytes, without any coming. */
  readonly maxWaitMs: number;
}

const PAGE = 5000;
/** What is shown where the clip begins may begin or be based before; when the next picture comes says how long the last one stays. */
const AROUND_MS = 10_000;
/** A week of segments of three seconds. */
const MOST_SEGMENTS = 200_000;

/** Does tries of the tasks of clips. */
export function createClipRunner(deps: ClipRunnerDeps): LeaseRunner<ClipTaskLease> {
  return new Runner(deps);
}

class Runner implements LeaseRunner<ClipTaskLease> {
  readonly #deps: ClipRunnerDeps;
  readonly #awaited: AwaitedBytes;

  constructor(deps: ClipRunnerDeps) {
    this.#deps = deps;
    this.#awaited = new AwaitedBytes(deps);
  }

  async run({ task, clip }: ClipTaskLease, context: TryContext): Promise<TryResult | Postponed> {
    const postponed = await this.#awaited.lacking(clip);
    if (postponed !== null) return postponed;
    const { catalog, transcoder, defaults } = this.#deps;
    const { spec } = clip;
    const { gapToleranceMs } = effectiveSettings(await catalog.getStream(clip.streamId), defaults);
    const source = await this.#sourceOf(clip);
    const { value, usage } = await transcoder.cutClip(
      { ...source, ...spec, gapToleranceMs, outputKey: outputKeyOf(clip, task.attempt) },
      context,
    );
    const result: ClipFile = value;
    return { result, usage };
  }

  async discard({ task, clip }: ClipTaskLease): Promise<void> {
    const keys: string[] = [];
    for await (const { key } of this.#deps.objects.list(outputKeyOf(clip, task.attempt))) keys.push(key);
    if (keys.length > 0) await this.#deps.objects.delete(keys);
  }

  /** The segments of the stretch, and those around it. */
  async #sourceOf({ streamId, spec }: Clip): Promise<{
    readonly segments: readonly ClipSegment[];
    readonly inits: readonly Uint8Array[];
  }> {
    const seen = new Set<string>();
    const segments: ClipSegment[] = [];
    const inits: Uint8Array[] = [];
    const initOf = new Map<string, number>();
    const clockOf = new Map<string, number>();
    let startMs = wallMs(spec.fromMs - AROUND_MS);
    const toMs = wallMs(spec.toMs + AROUND_MS);
    for (;;) {
      const window = await this.#deps.catalog.segmentsBetween(streamId, startMs, toMs, PAGE);
      for (const { id, init, initSha256 } of window.epochs) {
        if (initOf.has(id)) continue;
        // Epochs of one camera differ in their clocks more often than in their parameters.
        const known = initOf.get(initSha256) ?? inits.push(init) - 1;
        initOf.set(initSha256, known).set(id, known);
        clockOf.set(id, clockOf.size);
      }
      const before = seen.size;
      for (const segment of window.segments) {
        const { id, objectKey, epochId, startMs: from, mediaStart90k, duration90k } = segment;
        if (seen.has(id)) continue;
        seen.add(id);
        // Around the stretch, what is at an edge stays there.
        if (segment.lost || segment.remote) continue;
        const [init, clock] = [initOf.get(epochId) ?? 0, clockOf.get(epochId) ?? 0];
        segments.push({ objectKey, init, clock, startMs: from, mediaStart90k, duration90k });
      }
      if (segments.length > MOST_SEGMENTS) {
        throw new ZoetropeError(
          'out_of_range',
          `The stretch has more than ${MOST_SEGMENTS} segments. Ask for a shorter one.`,
        );
      }
      const last = window.segments.at(-1);
      if (last === undefined || window.segments.length < PAGE || seen.size === before) break;
      startMs = wallMs(Math.max(startMs, last.startMs));
      // An embedded catalog answers without leaving this turn.
      await nextTurn();
    }
    if (segments.length > 0) return { segments, inits };
    throw new ZoetropeError(
      'out_of_range',
      'Nothing is left of this stretch of the timeline. Choose another, or keep it with a recording.',
    );
  }
}

function outputKeyOf({ id }: Clip, attempt: number): string {
  return `${clipPrefix(id)}${attempt}.mp4`;
}
