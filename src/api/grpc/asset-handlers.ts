import type { Principal } from '../../access/access.ts';
import type { Clock } from '../../base/clock.ts';
import { isZoetropeError, ZoetropeError } from '../../base/errors.ts';
import type { AssetStore } from '../../catalog/asset-store.ts';
import type { Asset } from '../../timeline/asset.ts';
import { cleanFilename, nameOf } from '../../vod/asset-name.ts';
import { parseAssetOptions, parseNewAsset } from '../../vod/asset-request.ts';
import type { AssetService } from '../../vod/asset-service.ts';
import { checkSha256 } from '../../vod/uploads/tus-reception.ts';
import type { Uploads } from '../../vod/uploads/uploads.ts';
import type { AssetFeed } from '../rest/asset-feed.ts';
import { assetJson } from '../rest/asset-json.ts';
import { loadAsset } from '../rest/lookup.ts';
import { ownTenant } from '../rest/routes/stream-routes.ts';
import { tenantChoice } from '../rest/routes/asset-routes.ts';
import { assetMessage, stateOf } from './asset-message.ts';
import { plainOptions } from './asset-options.ts';
import { answering, receiving, type CallDeps } from './call.ts';
import type { Asset as AssetMessage } from './generated/zoetrope/v1/Asset.ts';
import type { AssetServiceHandlers } from './generated/zoetrope/v1/AssetService.ts';
import type { CancelResult } from './generated/zoetrope/v1/CancelResult.ts';
import type { UploadAssetRequest__Output } from './generated/zoetrope/v1/UploadAssetRequest.ts';
import { watchAsset } from './watch-asset.ts';

/** What the service's calls need. */
export interface AssetHandlersDeps extends CallDeps {
  readonly catalog: AssetStore;
  readonly clock: Clock;
  readonly assets: AssetService;
  readonly uploads: Pick<Uploads, 'receive'>;
  readonly feed: AssetFeed;
  readonly publicUrl: string | undefined;
}

const MOST_IDS = 500;
const MOST_PAGE = 1000;
const PAGE = 100;

/** The calls of `zoetrope.v1.AssetService`. Each does what its twin under /v1/assets does. */
export function assetHandlers(deps: AssetHandlersDeps): AssetServiceHandlers {
  const { catalog, assets } = deps;
  const read = ['read'] as const;
  const make = ['ingest', 'manage'] as const;
  const manage = ['manage'] as const;
  return {
    CreateAsset: answering(deps, make, async ({ source, options }, principal) => {
      const from = source?.url === undefined ? { objectKey: source?.objectKey ?? '' } : { url: source.url };
      const parsed = parseNewAsset({ ...plainOptions(options), source: from }, tenantChoice({ principal }));
      return show(deps, await assets.create({ ...parsed, name: parsed.name ?? nameOf(parsed.source) }));
    }),
    UploadAsset: receiving(deps, make, (parts, principal) => upload(deps, parts, principal)),
    GetAssets: answering(deps, read, async ({ ids, referenceIds }, principal) => {
      checkCount(ids.length + referenceIds.length);
      const byId = await Promise.all(ids.map((id) => find(deps, principal, id)));
      const tenant = ownTenant(principal);
      const byReference = await Promise.all(
        referenceIds.map(async (referenceId) => {
          const filter = { referenceId, ...(tenant === undefined ? {} : { tenant }) };
          return (await catalog.listAssets(filter, { limit: MOST_PAGE })).items;
        }),
      );
      const found = new Map(
        [...byId, ...byReference.flat()].flatMap((asset) => (asset === null ? [] : [[asset.id, asset]])),
      );
      return {
        assets: await showAll(deps, [...found.values()]),
        missingIds: ids.filter((_, index) => byId[index] === null),
        missingReferenceIds: referenceIds.filter((_, index) => byReference[index]?.length === 0),
      };
    }),
    ListAssets: answering(deps, read, async ({ states, query, pageSize, pageToken }, principal) => {
      const tenant = ownTenant(principal);
      const limit = pageSize === undefined || pageSize === 0 ? PAGE : Math.min(pageSize, MOST_PAGE);
      const wanted = states.flatMap((name) => stateOf(name) ?? []);
      const page = await catalog.listAssets(
        {
          ...(tenant === undefined ? {} : { tenant }),
          ...(wanted.length === 0 ? {} : { states: wanted }),
          ...(query === undefined || query === '' ? {} : { query }),
        },
        { limit, ...(pageToken === undefined || pageToken === '' ? {} : { cursor: pageToken }) },
      );
      return { assets: await showAll(deps, page.items), nextPageToken: page.nextCursor ?? '' };
    }),
    CancelAssets: answering(deps, manage, async ({ ids }, principal) => {
      checkCount(ids.length);
      return {
        results: await each(
          ids,
          (id) => id,
          async (id) => cancel(deps, principal, id),
        ),
      };
    }),
    CancelOutputs: answering(deps, manage, async ({ outputs }, principal) => {
      checkCount(outputs.length);
      const results = await each(
        outputs,
        ({ outputId }) => outputId ?? '',
        async ({ assetId = '', outputId = '' }) => {
          await loadAsset(catalog, { principal }, assetId);
          await assets.cancelOutput(assetId, outputId);
        },
      );
      return { results };
    }),
    RetryAsset: answering(deps, manage, async ({ id = '' }, principal) => {
      await loadAsset(catalog, { principal }, id);
      return show(deps, await assets.retry(id));
    }),
    DeleteAsset: answering(deps, manage, async ({ id = '' }, principal) => {
      const { tenant } = await loadAsset(catalog, { principal }, id);
      await assets.remove(id);
      deps.feed.noteRemoved(id, tenant);
      return {};
    }),
    WatchAsset: (call) => void watchAsset(deps, call),
  };
}

async function show(deps: AssetHandlersDeps, asset: Asset): Promise<AssetMessage> {
  const [message] = await showAll(deps, [asset]);
  if (message === undefined) throw new ZoetropeError('internal', `Asset ${asset.id} cannot be shown.`);
  return message;
}

async function showAll(deps: AssetHandlersDeps, assets: readonly Asset[]): Promise<AssetMessage[]> {
  const { catalog, clock, publicUrl } = deps;
  const outputs = await catalog.outputsOf(assets.map(({ id }) => id));
  const context = { publicUrl, nowMs: clock.nowMs() };
  return assets.map((asset) => assetMessage(assetJson(asset, outputs.get(asset.id) ?? [], context)));
}

async function find(deps: AssetHandlersDeps, principal: Principal, id: string): Promise<Asset | null> {
  try {
    return await loadAsset(deps.catalog, { principal }, id);
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return null;
    throw error;
  }
}

async function cancel({ catalog, assets }: AssetHandlersDeps, principal: Principal, id: string): Promise<void> {
  await loadAsset(catalog, { principal }, id);
  await assets.cancel(id);
}

/** Does something to each and says of each what came of it: one that cannot be does not keep the others from it. */
async function each<T>(
  things: readonly T[],
  idOf: (thing: T) => string,
  act: (thing: T) => Promise<void>,
): Promise<CancelResult[]> {
  const results: CancelResult[] = [];
  for (const thing of things) {
    const id = idOf(thing);
    try {
      await act(thing);
      results.push({ id, cancelled: true });
    } catch (error) {
      if (!isZoetropeError(error)) throw error;
      results.push({ id, cancelled: false, failure: { code: error.code, message: error.message } });
    }
  }
  return results;
}

/** The first part says what the file is, the others are the file. */
async function upload(
  deps: AssetHandlersDeps,
  parts: AsyncIterable<UploadAssetRequest__Output>,
  principal: Principal,
): Promise<AssetMessage> {
  const iterator = parts[Symbol.asyncIterator]();
  const first = await iterator.next();
  const start = first.done === true ? undefined : first.value.start;
  if (start === undefined) {
    throw new ZoetropeError(
      'invalid_argument',
      'The first message of an upload must be `start`; the file’s bytes follow as `chunk`.',
    );
  }
  const sizeBytes = start.sizeBytes ?? 0;
  const asset = await deps.uploads.receive({
    asset: parseAssetOptions(plainOptions(start.options), tenantChoice({ principal })),
    filename: cleanFilename(start.filename ?? ''),
    body: chunksOf(iterator),
    sizeBytes: sizeBytes === 0 ? null : sizeBytes,
    sha256: start.sha256 === undefined || start.sha256 === '' ? null : checkSha256(start.sha256, 'start.sha256'),
  });
  return show(deps, asset);
}

async function* chunksOf(parts: AsyncIterator<UploadAssetRequest__Output>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const part = await parts.next();
    if (part.done === true) return;
    if (part.value.chunk === undefined) {
      throw new ZoetropeError('invalid_argument', 'After `start` an upload has messages with `chunk` alone.');
    }
    yield part.value.chunk;
  }
}

function checkCount(count: number): void {
  if (count <= MOST_IDS) return;
  throw new ZoetropeError('invalid_argument', `One call takes at most ${MOST_IDS} ids. Got ${count}.`);
}
