import type { Clock } from '../base/clock.ts';
import { isZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectHead, ObjectStore } from '../objects/object-store.ts';
import { assetObjects } from './asset-objects.ts';
import { clipObjects } from './clip-objects.ts';

const BATCH = 500;
const HOUR_MS = 3_600_000;
const MEDIA = 'media/';
const FRAMES = 'frames/';
const ASSETS = 'assets/';
const PUSHES = 'pushes/';
const CHUNKS = 'chunks/';
const CLIPS = 'clips/';

/** What the search for orphans works with. */
export interface OrphanDeps {
  readonly catalog: Pick<Catalog, 'getStream' | 'objectKeysOf' | 'getAsset' | 'outputsOf' | 'getClip'>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  readonly clock: Clock;
  /** How long the event log keeps events that were worked through; what waits is kept longer. */
  readonly eventRetentionMs: number;
  /** Whether every event was worked through: only then is it sure that none still names an old frame, pushed file or chunk. */
  readonly isLogDrained: () => Promise<boolean>;
}

/** What the sweep of orphans did, or with `dryRun` would do. */
export interface OrphanReport {
  readonly dryRun: boolean;
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Objects that nothing names: media objects that no segment names for an hour (a crash between writing the object and its row, or between
 * removing a stream's rows and its objects), objects of assets and clips that are gone or have ended and do not name them, and, when no event waits,
 * frames, pushed files and chunks that are older than the event log.
 */
export async function* findOrphans(deps: OrphanDeps, signal?: AbortSignal): AsyncIterable<ObjectHead> {
  const nowMs = deps.clock.nowMs();
  const aged = { ...deps, maxModifiedAtMs: nowMs - HOUR_MS, ...(signal === undefined ? {} : { signal }) };
  yield* findUnnamed(aged, MEDIA, async (streamId) => {
    const named = new Set(await deps.catalog.objectKeysOf(streamId));
    return (key) => named.has(key);
  });
  yield* findUnnamed(aged, ASSETS, (assetId) => assetObjects(deps.catalog, assetId));
  yield* findUnnamed(aged, CLIPS, (clipId) => clipObjects(deps.catalog, clipId));
  if (!(await deps.isLogDrained())) return;
  const forgotten = { ...aged, maxModifiedAtMs: nowMs - deps.eventRetentionMs - HOUR_MS };
  yield* findUnnamed(forgotten, PUSHES, (streamId) => pushedInits(deps.catalog, streamId));
  // Put and never announced, or rejected and never announced anew.
  yield* findUnnamed(forgotten, CHUNKS, async () => () => false);
  for await (const head of deps.objects.list(FRAMES)) {
    signal?.throwIfAborted();
    if (nowMs - head.modifiedAtMs >= deps.eventRetentionMs + HOUR_MS) yield head;
  }
}

/** Of what was pushed to a stream, only the init segments stay that its next segments need. */
async function pushedInits(catalog: Pick<Catalog, 'getStream'>, streamId: string): Promise<(key: string) => boolean> {
  try {
    const { source } = await catalog.getStream(streamId);
    const named = new Set(Object.values(source?.memory.inits ?? {}));
    return (key) => named.has(key);
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return () => false;
    throw error;
  }
}

/** Old objects below a prefix that their owner, whose id follows it in their keys, does not name. */
async function* findUnnamed(
  deps: Pick<OrphanDeps, 'objects'> & { readonly maxModifiedAtMs: number; readonly signal?: AbortSignal },
  prefix: string,
  namesOf: (ownerId: string) => Promise<(key: string) => boolean>,
): AsyncIterable<ObjectHead> {
  let ownerId: string | null = null;
  let isNamed = (_key: string): boolean => true;
  for await (const head of deps.objects.list(prefix)) {
    deps.signal?.throwIfAborted();
    if (head.modifiedAtMs > deps.maxModifiedAtMs) continue;
    const owner = head.key.slice(prefix.length).split('/')[0] ?? '';
    if (owner !== ownerId) {
      ownerId = owner;
      isNamed = await namesOf(owner);
    }
    if (!isNamed(head.key)) yield head;
  }
}

/** Deletes orphans. Any number of sweeps may run at once. */
export class OrphanSweep {
  readonly #deps: OrphanDeps & { readonly logger: Logger };

  constructor(deps: OrphanDeps & { readonly logger: Logger }) {
    this.#deps = deps;
  }

  /** One run over the whole object store: for once a day. */
  async runOnce(options: { readonly signal: AbortSignal; readonly dryRun?: boolean }): Promise<OrphanReport> {
    const { signal, dryRun = false } = options;
    let objects = 0;
    let bytes = 0;
    let batch: string[] = [];
    for await (const { key, sizeBytes } of findOrphans(this.#deps, signal)) {
      objects++;
      bytes += sizeBytes;
      if (batch.push(key) < BATCH) continue;
      if (!dryRun) await this.#deps.objects.delete(batch);
      batch = [];
    }
    if (!dryRun && batch.length > 0) await this.#deps.objects.delete(batch);
    if (objects > 0) this.#deps.logger.info({ objects, bytes, dryRun }, 'orphan objects were removed');
    return { dryRun, objects, bytes };
  }
}
