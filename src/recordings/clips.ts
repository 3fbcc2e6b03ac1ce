import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import { formatRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { clipPrefix, hasEnded, type Clip, type ClipSpec } from '../timeline/clip.ts';
import type { Hold } from '../timeline/hold.ts';
import type { Stream } from '../timeline/stream.ts';

/** A clip as it is asked for. */
export interface ClipToMake extends Omit<ClipSpec, 'fromMs' | 'toMs'> {
  /** Left out: all of the hold. */
  readonly fromMs?: WallMs;
  readonly toMs?: WallMs;
  /** The recording or archive of the stream that it is cut from; the range lies within. */
  readonly hold: Hold | null;
  readonly name?: string;
  /** Left out: after the usual time. */
  readonly expiresAtMs?: WallMs;
}

/** What can be done with clips from outside. */
export interface ClipService {
  /** @throws invalid_argument, out_of_range when there is nothing there or it is too much, too_many */
  create(stream: Stream, clip: ClipToMake): Promise<Clip>;
  /** Cancels a clip that is not finished; removes one that has ended. @throws not_found */
  remove(id: string): Promise<void>;
}

/** What the service is made of. */
export interface ClipServiceDeps {
  readonly catalog: Pick<
    Catalog,
    'createClip' | 'getClip' | 'cancelClip' | 'deleteClip' | 'countOpenClips' | 'segmentsBetween'
  >;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** The longest stretch of wall time that one clip covers. */
  readonly maxDurationMs: number;
  /** How long a clip is kept unless asked otherwise. */
  readonly retentionMs: number;
  /** Tries of a task. */
  readonly maxAttempts: number;
}

/** Behind what playing assets waits for, beside the bulk of their work. */
const RANK = 1;
/** Clips of one tenant that wait or are worked on: enough for any export, and a mistake in a loop does not fill the disk. */
const MOST_OPEN = 200;

/** Makes, cancels and removes clips. */
export function createClipService(deps: ClipServiceDeps): ClipService {
  return new Clips(deps);
}

class Clips implements ClipService {
  readonly #deps: ClipServiceDeps;

  constructor(deps: ClipServiceDeps) {
    this.#deps = deps;
  }

  async create(stream: Stream, asked: ClipToMake): Promise<Clip> {
    const { catalog, clock, ids, maxAttempts, retentionMs } = this.#deps;
    const { mode, gaps, speed, hold } = asked;
    const nowMs = clock.nowMs();
    const { fromMs, toMs } = this.#rangeOf(asked, nowMs);
    const expiresAtMs = asked.expiresAtMs ?? wallMs(nowMs + retentionMs);
    if (expiresAtMs <= nowMs) {
      throw new ZoetropeError(
        'out_of_range',
        `A clip expires later than it is made. Got ${formatRfc3339(expiresAtMs)}; it is ${formatRfc3339(nowMs)}.`,
      );
    }
    const open = await catalog.countOpenClips(stream.tenant);
    if (open >= MOST_OPEN) {
      throw new ZoetropeError(
        'too_many',
        `${open} clips are waiting to be made already. Try again when some are ready.`,
      );
    }
    const clip = {
      id: ids.next('clip'),
      tenant: stream.tenant,
      streamId: stream.id,
      sourceHoldId: hold?.id ?? null,
      name: asked.name ?? `${stream.name} ${formatRfc3339(fromMs)}`,
      spec: { fromMs, toMs, mode, gaps, speed },
      holdId: ids.next('hold'),
      expiresAtMs,
    };
    const task = {
      id: ids.next('task'),
      kind: 'clip',
      rank: RANK,
      ordinal: 0,
      outputIds: [],
      weight: (toMs - fromMs) / 1000,
      input: null,
      maxAttempts,
    } as const;
    const made = await catalog.createClip(clip, task);
    // Looked at once its source is protected: what is there now stays.
    const { segments } = await catalog.segmentsBetween(stream.id, fromMs, toMs, 1000);
    if (segments.some(({ lost }) => !lost)) return made;
    await catalog.deleteClip(made.id);
    throw new ZoetropeError(
      'out_of_range',
      `The stream ${stream.id} has nothing from ${formatRfc3339(fromMs)} to ${formatRfc3339(toMs)}. Ask its timeline what there is.`,
    );
  }

  async remove(id: string): Promise<void> {
    const { catalog } = this.#deps;
    const { state } = await catalog.getClip(id);
    if (hasEnded(state)) await catalog.deleteClip(id);
    else await catalog.cancelClip(id);
    await removeClipObjects(id, this.#deps.objects);
  }

  #rangeOf(asked: ClipToMake, nowMs: WallMs): { readonly fromMs: WallMs; readonly toMs: WallMs } {
    const { hold } = asked;
    const { maxDurationMs } = this.#deps;
    const fromMs = asked.fromMs ?? hold?.fromMs;
    const toMs = asked.toMs ?? (hold === null ? undefined : (hold.toMs ?? nowMs));
    if (fromMs === undefined || toMs === undefined) {
      throw new ZoetropeError('invalid_argument', 'A clip needs from and to, or the holdId of a recording or archive.');
    }
    const got = `${formatRfc3339(fromMs)} to ${formatRfc3339(toMs)}`;
    if (toMs <= fromMs) throw new ZoetropeError('invalid_argument', `A clip ends after it begins. Got ${got}.`);
    if (toMs > nowMs) {
      throw new ZoetropeError(
        'out_of_range',
        `A clip is cut from what has been. Got ${got}; it is ${formatRfc3339(nowMs)}.`,
      );
    }
    if (toMs - fromMs > maxDurationMs) {
      throw new ZoetropeError(
        'out_of_range',
        `A clip covers ${maxDurationMs / 3_600_000} hours at most (ZOETROPE_CLIP_MAX_HOURS). Got ${got}.`,
      );
    }
    if (hold !== null && (fromMs < hold.fromMs || toMs > (hold.toMs ?? nowMs))) {
      const end = hold.toMs === null ? 'now' : formatRfc3339(hold.toMs);
      throw new ZoetropeError(
        'out_of_range',
        `The ${hold.kind} ${hold.id} covers ${formatRfc3339(hold.fromMs)} to ${end}. Got ${got}.`,
      );
    }
    return { fromMs, toMs };
  }
}

/** Removes what lies under a clip's prefix. What a try under way still writes, it removes itself when it finds its lease lost. */
export async function removeClipObjects(id: string, objects: Pick<ObjectStore, 'list' | 'delete'>): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of objects.list(clipPrefix(id))) keys.push(key);
  if (keys.length > 0) await objects.delete(keys);
}
