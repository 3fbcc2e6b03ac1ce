import { formatRfc3339, type WallMs } from '../../base/time.ts';
import type { Session, SessionEnd } from '../../timeline/session.ts';
import type { Stream } from '../../timeline/stream.ts';
import type { WebhookEventType } from '../webhook-store.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { publishEvents } from './publish-events.ts';

/** Tells that a session began, within the transaction that began it. */
export async function publishOnline(backend: SqlBackend, scope: WriteScope, session: Session): Promise<void> {
  await publish(backend, scope, 'stream.online', session, session.startMs, {});
}

/** Tells that a session ended, within the transaction that ended it. `deleted`: with its stream. */
export async function publishOffline(
  backend: SqlBackend,
  scope: WriteScope,
  session: Session,
  endedBy: SessionEnd | 'deleted',
): Promise<void> {
  await publish(backend, scope, 'stream.offline', session, session.endMs, { endedBy });
}

/** Tells that a pushed stream was ended, within the transaction that ended it. */
export async function publishEnded(
  backend: SqlBackend,
  scope: WriteScope,
  { id, tenant, deviceId, name }: Stream,
  atMs: WallMs,
): Promise<void> {
  const data = { streamId: id, deviceId, name, at: formatRfc3339(atMs) };
  await publishEvents(backend, scope, [{ type: 'stream.ended', tenant, subjectId: id, data }]);
}

async function publish(
  backend: SqlBackend,
  scope: WriteScope,
  type: WebhookEventType,
  session: Session,
  atMs: WallMs,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const stream = await scope.db
    .selectFrom('stream')
    .select(['tenant', 'device_id', 'name'])
    .where('id', '=', session.streamId)
    .executeTakeFirst();
  if (stream === undefined) return;
  await publishEvents(backend, scope, [
    {
      type,
      tenant: stream.tenant,
      subjectId: session.streamId,
      data: {
        streamId: session.streamId,
        deviceId: stream.device_id,
        name: stream.name,
        sessionId: session.id,
        at: formatRfc3339(atMs),
        ...more,
      },
    },
  ]);
}
