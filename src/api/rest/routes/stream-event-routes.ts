import { Type } from 'typebox';
import { canSee } from '../../../access/permission.ts';
import type { RestApp } from '../deps.ts';
import type { SseHub } from '../sse.ts';
import type { StreamFeed } from '../stream-feed.ts';

/** Following all streams' states. */
export function addStreamEventRoutes(app: RestApp, live: { readonly sse: SseHub; readonly feed: StreamFeed }): void {
  app.get(
    '/v1/streams/events',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['streams'],
        summary: 'Follow the streams (server-sent events)',
        description:
          '`stream` with `{id, state, lastCapturedAt, lastReceivedAt}`: each stream’s once at the start, then each change, at most one a stream a second. `removed` with `{id}`.',
        produces: ['text/event-stream'],
        response: { 200: Type.Unsafe<never>({ type: 'string', description: 'A stream of events.' }) },
      },
    },
    (request, reply) =>
      live.sse.open(request, reply, (connection) =>
        live.feed.subscribe({
          canSee: (tenant) => canSee(request.principal, tenant),
          changed: (news) => connection.send('stream', news),
          removed: (id) => connection.send('removed', { id }),
        }),
      ),
  );
}
