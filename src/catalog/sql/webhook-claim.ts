import { sql } from 'kysely';
import type { DeliveryExceptions, WebhookDelivery } from '../webhook-store.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { toDelivery } from './webhook-rows.ts';

/** Takes deliveries that are due, oldest first; whoever takes one owns it until the lease ends. */
export async function claimDeliveries(
  backend: SqlBackend,
  { db }: WriteScope,
  request: { readonly limit: number; readonly leaseMs: number; readonly except?: DeliveryExceptions },
): Promise<readonly WebhookDelivery[]> {
  const nowMs = backend.clock.nowMs();
  const { tenants = [], endpointIds = [], urlPrefixes = [] } = request.except ?? {};
  let query = db.selectFrom('webhook_delivery').selectAll().where('due_at_ms', '<=', nowMs);
  if (tenants.length > 0) query = query.where('tenant', 'not in', tenants);
  if (endpointIds.length > 0) {
    query = query.where((eb) => eb.or([eb('endpoint_id', 'is', null), eb('endpoint_id', 'not in', endpointIds)]));
  }
  for (const prefix of urlPrefixes) {
    query = query.where((eb) =>
      eb.or([eb('endpoint_id', 'is not', null), sql<boolean>`substr(url, 1, length(${prefix})) <> ${prefix}`]),
    );
  }
  query = query.orderBy('due_at_ms').orderBy('made_at_revision').orderBy('id').limit(request.limit);
  const rows = await backend.claiming(query, 'webhook_delivery').execute();
  for (const { id } of rows) {
    await db
      .updateTable('webhook_delivery')
      .set({ due_at_ms: nowMs + request.leaseMs })
      .where('id', '=', id)
      .execute();
  }
  return rows.map(toDelivery);
}
