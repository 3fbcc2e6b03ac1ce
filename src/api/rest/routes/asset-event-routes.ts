import { Type } from 'typebox';
import { canSee } from '../../../access/permission.ts';
import type { AssetFeed } from '../asset-feed.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { IdParams, loadAsset } from '../lookup.ts';
import type { SseConnection, SseHub } from '../sse.ts';

const RESPONSE = { 200: Type.Unsafe<never>({ type: 'string', description: 'A stream of events.' }) };
const HEADERS = Type.Object({ 'last-event-id': Type.Optional(Type.String()) });
const EVENTS =
  '`asset` with the asset as `GET /v1/assets/{id}` answers it: at the start, and then after changes, at most four times a second. ' +
  '`removed` with `{id}`.';

/** Following assets while they are made. */
export function addAssetEventRoutes(
  app: RestApp,
  deps: Pick<ApiDeps, 'catalog' | 'clock'>,
  live: { readonly sse: SseHub; readonly feed: AssetFeed },
): void {
  const { catalog, clock } = deps;
  // The id is the time, so that a subscriber that comes back is told what ended meanwhile.
  const tellTo = (connection: SseConnection) => ({
    changed: (asset: unknown) => connection.send('asset', asset, String(clock.nowMs())),
    removed: (id: string) => connection.send('removed', { id }),
  });

  app.get(
    '/v1/assets/events',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['assets'],
        summary: 'Follow all assets (server-sent events)',
        description: `${EVENTS} The start tells those under way, and with \`Last-Event-ID\` those that ended since.`,
        headers: HEADERS,
        produces: ['text/event-stream'],
        response: RESPONSE,
      },
    },
    (request, reply) =>
      live.sse.open(request, reply, (connection) =>
        live.feed.subscribe(
          { assetId: null, canSee: (tenant) => canSee(request.principal, tenant), ...tellTo(connection) },
          sinceOf(request.headers['last-event-id']),
        ),
      ),
  );

  app.get(
    '/v1/assets/:id/events',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['assets'],
        summary: 'Follow an asset (server-sent events)',
        description: EVENTS,
        params: IdParams,
        headers: HEADERS,
        produces: ['text/event-stream'],
        response: RESPONSE,
      },
    },
    async (request, reply) => {
      const { id } = await loadAsset(catalog, request, request.params.id);
      await live.sse.open(request, reply, (connection) =>
        live.feed.subscribe({ assetId: id, canSee: () => true, ...tellTo(connection) }, null),
      );
    },
  );
}

/** When a subscriber was told last; null when it says nothing that was sent from here. */
function sinceOf(lastEventId: string | undefined): number | null {
  return lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : null;
}
