import type { Catalog } from '../catalog/catalog.ts';
import { chunkPrefix } from '../ingest/chunks/chunk-event.ts';
import { pushPrefix } from '../ingest/push/push-event.ts';
import type { ObjectStore } from '../objects/object-store.ts';

const BATCH = 500;

/** Where the objects of a stream lie. */
export function streamPrefixes(streamId: string): readonly string[] {
  return [`media/${streamId}/`, `frames/${streamId}/`, pushPrefix(streamId), chunkPrefix(streamId)];
}

/** What was removed of a stream. */
export interface RemovedObjects {
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Removes a stream: its rows first, so that nobody is shown what is going, then its objects. A crash in between leaves objects that
 * nothing names: the sweep of orphans takes them. Frames of a device that still come begin a new stream. @throws not_found
 */
export async function removeStream(
  streamId: string,
  deps: {
    readonly catalog: Pick<Catalog, 'objectKeysOf' | 'deleteStream'>;
    readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
    readonly signal?: AbortSignal;
  },
): Promise<RemovedObjects> {
  const keys = await deps.catalog.objectKeysOf(streamId);
  await deps.catalog.deleteStream(streamId);
  return removeStreamObjects(streamId, { ...deps, keys, dryRun: false });
}

/** Deletes (or with `dryRun` counts) the objects below a stream's prefixes, and those of `keys` that lie elsewhere. */
export async function removeStreamObjects(
  streamId: string,
  options: {
    readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
    readonly keys: readonly string[];
    readonly dryRun: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<RemovedObjects> {
  const { objects, keys, dryRun, signal } = options;
  let count = 0;
  let bytes = 0;
  let batch: string[] = [];
  const flush = async (): Promise<void> => {
    if (!dryRun && batch.length > 0) await objects.delete(batch);
    batch = [];
  };
  const prefixes = streamPrefixes(streamId);
  for (const prefix of prefixes) {
    for await (const { key, sizeBytes } of objects.list(prefix)) {
      signal?.throwIfAborted();
      count++;
      bytes += sizeBytes;
      if (batch.push(key) >= BATCH) await flush();
    }
  }
  const elsewhere = keys.filter((key) => !prefixes.some((prefix) => key.startsWith(prefix)));
  count += elsewhere.length;
  batch.push(...elsewhere);
  await flush();
  return { objects: count, bytes };
}
