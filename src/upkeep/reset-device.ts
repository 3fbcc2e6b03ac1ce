import { ZoetropeError } from '../base/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { refuseIfRecorded } from './refuse-if-recorded.ts';
import { removeStreamObjects } from './remove-stream.ts';

/** Whose data goes, and how much of it. */
export interface ResetRequest {
  readonly clientId: string;
  readonly deviceId: string;
  readonly dryRun: boolean;
  /** Keep the rows: segments are marked as lost instead, so that no playlist names an object that is not there. */
  readonly skipCatalog: boolean;
  /** Keep the objects: the daily sweep of orphans takes them after an hour. */
  readonly skipStorage: boolean;
  /** Its recordings too; else the device is left as it is while it has any. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** What a reset did, or with `dryRun` would do. */
export interface ResetReport {
  readonly dryRun: boolean;
  readonly streamId: string;
  /** Segments whose rows were removed, or marked as lost with `skipCatalog`. */
  readonly segments: number;
  readonly catalog: 'removed' | 'marked lost' | 'kept';
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Deletes everything of one device: its stream with all rows, segments, markers, archives, and stored frames. A running server notices;
 * the device's next frame begins a new stream. Events that wait in the log are left: their frames begin the new stream. @throws not_found; conflict
 * while it has recordings and `force` is not said
 */
export async function resetDevice(
  request: ResetRequest,
  deps: {
    readonly catalog: Pick<
      Catalog,
      'findDeviceStream' | 'listHolds' | 'objectKeysOf' | 'deleteStream' | 'allSegments' | 'setSegmentLost'
    >;
    readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  },
): Promise<ResetReport> {
  const { clientId, deviceId, dryRun, skipCatalog, skipStorage, force, signal } = request;
  const { catalog, objects } = deps;
  const stream = await catalog.findDeviceStream(clientId, deviceId);
  if (stream === null) {
    throw new ZoetropeError(
      'not_found',
      `The client ${JSON.stringify(clientId)} has no device ${JSON.stringify(deviceId)}; nothing was removed.`,
    );
  }
  if (!force) await refuseIfRecorded(catalog, stream.id, '--force');
  const keys = await catalog.objectKeysOf(stream.id);
  const marksLost = skipCatalog && !skipStorage;
  let segments = 0;
  for await (const segment of catalog.allSegments({ streamId: stream.id })) {
    signal.throwIfAborted();
    segments++;
    if (marksLost && !dryRun && !segment.lost) await catalog.setSegmentLost(segment.id, true);
  }
  if (!skipCatalog && !dryRun) await catalog.deleteStream(stream.id);
  const removed = skipStorage
    ? { objects: 0, bytes: 0 }
    : await removeStreamObjects(stream.id, { objects, keys, dryRun, signal });
  return {
    dryRun,
    streamId: stream.id,
    segments: skipCatalog && skipStorage ? 0 : segments,
    catalog: skipCatalog ? (marksLost ? 'marked lost' : 'kept') : 'removed',
    ...removed,
  };
}
