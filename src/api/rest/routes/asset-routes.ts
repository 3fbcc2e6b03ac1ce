import { Type } from 'typebox';
import { canSee, requireTenant } from '../../../access/permission.ts';
import { ZoetropeError } from '../../../base/errors.ts';
import { isId } from '../../../base/ids.ts';
import type { AssetFilter } from '../../../catalog/asset-store.ts';
import type { Asset, WorkState } from '../../../timeline/asset.ts';
import { nameOf } from '../../../vod/asset-name.ts';
import { NewAssetShape } from '../../../vod/asset-options.ts';
import { parseNewAsset, type TenantChoice } from '../../../vod/asset-request.ts';
import type { AssetFeed } from '../asset-feed.ts';
import { assetJson, type AssetContext } from '../asset-json.ts';
import { AssetPatchShape, AssetShape, WorkStateShape, type AssetJson } from '../asset-shapes.ts';
import type { ApiDeps, RestApp, VodApi } from '../deps.ts';
import { linkOf } from '../json.ts';
import { IdParams, loadAsset, notFound, PAGE_QUERY, pageOfQuery } from '../lookup.ts';
import { NewTokenShape, pageOf, text, TokenShape } from '../shapes.ts';
import { DEFAULT_TENANT, ownTenant } from './stream-routes.ts';

const STATES: readonly WorkState[] = WorkStateShape.anyOf.map(({ const: state }) => state);
const OutputParams = Type.Object({
  id: Type.String({ description: 'Of the asset.' }),
  outputId: Type.String({ description: 'Of the output.' }),
});
const LIST_QUERY = Type.Object(
  {
    ...PAGE_QUERY,
    state: Type.Optional(
      Type.String({ maxLength: 200, description: `One or more of ${STATES.join(', ')}; separated by commas.` }),
    ),
    referenceId: Type.Optional({ ...text(200), description: 'Exactly this reference id.' }),
    q: Type.Optional({ ...text(200), description: 'Part of the name or the reference id; case does not matter.' }),
    tenant: Type.Optional({ ...text(200), description: 'Only for admin keys and open servers; else the key’s own.' }),
  },
  { additionalProperties: false },
);

/** Assets: make from an object or a URL, list, read, change, cancel, try again, remove; playback tokens for them. */
export function addAssetRoutes(app: RestApp, deps: ApiDeps, vod: VodApi, feed: Pick<AssetFeed, 'noteRemoved'>): void {
  const { catalog, clock, settings } = deps;
  const context = (): AssetContext => ({ publicUrl: settings.publicUrl, nowMs: clock.nowMs() });
  const shown = async (asset: Asset): Promise<AssetJson> =>
    assetJson(asset, (await catalog.outputsOf([asset.id])).get(asset.id) ?? [], context());

  app.post(
    '/v1/assets',
    {
      config: { access: ['ingest', 'manage'] },
      schema: {
        tags: ['assets'],
        summary: 'Make an asset of an object or a URL',
        description:
          'The file is looked into, and its outputs are made, after the answer: follow `/v1/assets/{id}/events`. To send a file use `/v1/uploads`.',
        body: NewAssetShape,
        response: { 202: AssetShape },
      },
    },
    async (request, reply) => {
      const parsed = parseNewAsset(request.body, tenantChoice(request));
      const asset = await vod.assets.create({ ...parsed, name: parsed.name ?? nameOf(parsed.source) });
      void reply.code(202).header('location', `/v1/assets/${asset.id}`);
      return await shown(asset);
    },
  );

  app.get(
    '/v1/assets',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['assets'],
        summary: 'List assets, newest first',
        querystring: LIST_QUERY,
        response: { 200: pageOf(AssetShape) },
      },
    },
    async (request) => {
      const { state, referenceId, q, tenant = ownTenant(request.principal) } = request.query;
      if (tenant !== undefined && !canSee(request.principal, tenant)) return { items: [], nextCursor: null };
      const filter: AssetFilter = {
        ...(state === undefined ? {} : { states: statesOf(state) }),
        ...(referenceId === undefined ? {} : { referenceId }),
        ...(q === undefined ? {} : { query: q }),
        ...(tenant === undefined ? {} : { tenant }),
      };
      const page = await catalog.listAssets(filter, pageOfQuery(request.query));
      const outputs = await catalog.outputsOf(page.items.map(({ id }) => id));
      const at = context();
      return {
        items: page.items.map((asset) => assetJson(asset, outputs.get(asset.id) ?? [], at)),
        nextCursor: page.nextCursor,
      };
    },
  );

  app.get(
    '/v1/assets/:id',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['assets'],
        summary: 'Read an asset with its outputs',
        params: IdParams,
        response: { 200: AssetShape },
      },
    },
    async (request) => shown(await loadAsset(catalog, request, request.params.id)),
  );

  app.patch(
    '/v1/assets/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['assets'],
        summary: 'Change an asset’s name or priority',
        description: 'A higher priority goes first from the next piece of work on.',
        params: IdParams,
        body: AssetPatchShape,
        response: { 200: AssetShape },
      },
    },
    async (request) => {
      const { id } = await loadAsset(catalog, request, request.params.id);
      return await shown(await vod.assets.update(id, request.body));
    },
  );

  app.delete(
    '/v1/assets/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['assets'],
        summary: 'Remove an asset with its file and all that was made of it',
        params: IdParams,
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      const { id, tenant } = await loadAsset(catalog, request, request.params.id);
      await vod.assets.remove(id);
      feed.noteRemoved(id, tenant);
      return reply.code(204).send(null);
    },
  );

  const act = (name: 'cancel' | 'retry', summary: string, description: string): void => {
    app.post(
      `/v1/assets/:id/${name}`,
      {
        config: { access: ['manage'] },
        schema: { tags: ['assets'], summary, description, params: IdParams, response: { 200: AssetShape } },
      },
      async (request) => {
        const { id } = await loadAsset(catalog, request, request.params.id);
        return await shown(await vod.assets[name](id));
      },
    );
  };
  act('cancel', 'Stop making an asset', 'What was made of it is removed. A `conflict` when it has ended already.');
  act('retry', 'Make an asset again', 'One that failed or was cancelled; anything else is a `conflict`.');

  app.post(
    '/v1/assets/:id/outputs/:outputId/cancel',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['assets'],
        summary: 'Stop making one output',
        description:
          'What was made of it is removed; the other outputs go on. A `conflict` when it has ended already; the last one ends the asset.',
        params: OutputParams,
        response: { 200: AssetShape },
      },
    },
    async (request) => {
      const { id, outputId } = request.params;
      const asset = await loadAsset(catalog, request, id);
      if (!isId('output', outputId)) throw notFound('output', outputId);
      return await shown(await vod.assets.cancelOutput(asset.id, outputId));
    },
  );

  app.post(
    '/v1/assets/:id/tokens',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['playback'],
        summary: 'Make a playback token for an asset',
        description:
          'It opens the asset’s playlists, segments, keys, pictures and files to whoever has it, and nothing else.',
        params: IdParams,
        body: NewTokenShape,
        response: { 201: TokenShape },
      },
    },
    async (request, reply) => {
      const { id } = await loadAsset(catalog, request, request.params.id);
      const ttlSeconds = request.body?.ttlSeconds ?? settings.tokenTtlSeconds;
      const { token, expiresAtMs } = await deps.access.mintPlaybackToken({ kind: 'stream', id }, ttlSeconds);
      void reply.code(201);
      const url = linkOf(`/play/assets/${id}/master.m3u8?token=${token}`, settings.publicUrl);
      return { token, expiresAt: new Date(expiresAtMs).toISOString(), url };
    },
  );
}

/** The tenant of an asset that a request makes: the named one if the key may act for it, else the key's own. */
export function tenantChoice(request: { readonly principal: Parameters<typeof requireTenant>[0] }): TenantChoice {
  return (named) => {
    const owner = named ?? request.principal.tenant ?? DEFAULT_TENANT;
    requireTenant(request.principal, owner);
    return owner;
  };
}

function statesOf(list: string): readonly WorkState[] {
  return list.split(',').map((text) => {
    const state = STATES.find((one) => one === text.trim());
    if (state !== undefined) return state;
    throw new ZoetropeError(
      'invalid_argument',
      `query: state must be of ${STATES.join(', ')}, separated by commas. Got ${JSON.stringify(text.slice(0, 80))}.`,
    );
  });
}
