import { ZoetropeError } from '../../base/errors.ts';
import type { AssetSegment } from '../asset-store.ts';
import { findEpoch, findRendition } from './append-queries.ts';
import { appendSegment } from './append-segment.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { makeRendition } from './stream-rows.ts';
import { newestEver } from './window-queries.ts';

/** Where a rendition ends, and with which epoch. */
interface Tail {
  readonly end90k: number;
  readonly epochId: string;
  readonly initSha256: string;
}

/** Appends segments of an asset's outputs in the order given, each behind what its rendition has. @throws conflict when one is not behind it */
export async function appendAssetSegments(
  backend: SqlBackend,
  scope: WriteScope,
  assetId: string,
  segments: readonly AssetSegment[],
): Promise<void> {
  const tails = new Map<string, Tail | null>();
  for (const { epoch, outputId, ...segment } of segments) {
    let tail = tails.get(outputId);
    if (tail === undefined) tail = await tailOf(backend, scope, assetId, outputId);
    if (tail !== null && segment.mediaStart90k < tail.end90k) {
      throw new ZoetropeError(
        'conflict',
        `Segment ${segment.id} begins at ${segment.mediaStart90k}, before the end of output ${outputId} at ${tail.end90k}: it, or one like it, was published. Read the job and decide again.`,
        { details: { assetId, outputId, segmentId: segment.id } },
      );
    }
    const known = tail?.initSha256 === epoch.initSha256 ? tail.epochId : null;
    const appended = await appendSegment(backend, scope, {
      ...segment,
      streamId: assetId,
      rendition: outputId,
      placement: 'onTime',
      frameTimesMs: [],
      epoch: known === null ? { begin: epoch } : { existingId: known },
      fence: 0,
      offlineAfterMs: null,
    });
    tails.set(outputId, {
      end90k: segment.mediaStart90k + segment.duration90k,
      epochId: appended.epoch.id,
      initSha256: epoch.initSha256,
    });
  }
}

/** The end of an output's rendition, which is made if there is none yet. */
async function tailOf(backend: SqlBackend, scope: WriteScope, assetId: string, outputId: string): Promise<Tail | null> {
  const [rendition] = await findRendition(scope.db, { streamId: assetId, name: outputId });
  if (rendition === undefined) {
    await makeRendition(backend, scope, { streamId: assetId, name: outputId, ofAsset: true });
    return null;
  }
  const [newest] = await newestEver(scope.db, { renditionId: rendition.id });
  const [epoch] = newest === undefined ? [] : await findEpoch(scope.db, { id: newest.epoch_id });
  if (newest === undefined || epoch === undefined) return null;
  return {
    end90k: newest.media_start_90k + newest.duration_90k,
    epochId: epoch.id,
    initSha256: epoch.init_sha256,
  };
}
