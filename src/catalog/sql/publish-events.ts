import { formatRfc3339 } from '../../base/time.ts';
import type { NewWebhookEvent, WebhookEventType } from '../webhook-store.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { prepare } from './prepared.ts';
import type { Row } from './rows.ts';
import type { WebhookDeliveryTable, WebhookEndpointTable } from './webhook-schema.ts';

type EndpointRow = Pick<WebhookEndpointTable, 'id' | 'url' | 'types'>;

const enabledEndpoints = prepare<{ tenant: string }, EndpointRow>((db, param) =>
  db
    .selectFrom('webhook_endpoint')
    .select(['id', 'url', 'types'])
    .where('tenant', '=', param('tenant'))
    .where('enabled', '=', 1)
    .orderBy('created_at_ms')
    .orderBy('id'),
);

/** Publishes events within the transaction that they tell of: a delivery for each enabled endpoint that wants them, and for their own address. */
export async function publishEvents(
  backend: SqlBackend,
  scope: WriteScope,
  events: readonly NewWebhookEvent[],
): Promise<void> {
  for (const event of events) {
    const endpoints = await endpointsFor(scope, event.tenant, event.type);
    const addresses: { readonly endpointId: string | null; readonly url: string }[] = endpoints.map(({ id, url }) => ({
      endpointId: id,
      url,
    }));
    if (event.extraUrl !== undefined) addresses.push({ endpointId: null, url: event.extraUrl });
    if (addresses.length === 0) continue;
    const nowMs = backend.clock.nowMs();
    const common = {
      tenant: event.tenant,
      event_id: backend.ids.next('event'),
      type: event.type,
      subject_id: event.subjectId,
      // The body of Standard Webhooks (https://www.standardwebhooks.com, "Payload structure").
      payload: JSON.stringify({ type: event.type, timestamp: formatRfc3339(nowMs), data: event.data }),
      state: 'waiting',
      tries: '[]',
      next_try_at_ms: nowMs,
      due_at_ms: nowMs,
      created_at_ms: nowMs,
      made_at_revision: scope.changed(event.subjectId),
      ended_at_ms: null,
    };
    const rows = addresses.map(({ endpointId, url }): Row<WebhookDeliveryTable> => ({
      ...common,
      id: backend.ids.next('delivery'),
      endpoint_id: endpointId,
      url,
    }));
    await scope.db.insertInto('webhook_delivery').values(rows).execute();
  }
}

async function endpointsFor(
  scope: WriteScope,
  tenant: string,
  type: WebhookEventType,
): Promise<readonly EndpointRow[]> {
  const rows = await enabledEndpoints(scope.db, { tenant });
  return rows.filter((row) => {
    const types = JSON.parse(row.types) as WebhookEventType[];
    return types.length === 0 || types.includes(type);
  });
}
