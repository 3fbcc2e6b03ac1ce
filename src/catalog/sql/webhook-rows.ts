import { wallMs, type WallMs } from '../../base/time.ts';
import type {
  DeliveryTry,
  EndpointSecret,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEventType,
} from '../webhook-store.ts';
import type { Row } from './rows.ts';
import type { WebhookDeliveryTable, WebhookEndpointTable } from './webhook-schema.ts';

/** An endpoint of its row, without secrets that have expired. */
export function toEndpoint(row: Row<WebhookEndpointTable>, nowMs: WallMs): WebhookEndpoint {
  const secrets = JSON.parse(row.secrets) as EndpointSecret[];
  return {
    id: row.id,
    tenant: row.tenant,
    url: row.url,
    types: JSON.parse(row.types) as WebhookEventType[],
    description: row.description,
    secrets: secrets.filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > nowMs),
    enabled: row.enabled === 1,
    disabledCause: row.disabled_cause,
    createdAtMs: wallMs(row.created_at_ms),
  };
}

/** A delivery of its row. */
export function toDelivery(row: Row<WebhookDeliveryTable>): WebhookDelivery {
  return {
    id: row.id,
    tenant: row.tenant,
    eventId: row.event_id,
    type: row.type as WebhookEventType,
    subjectId: row.subject_id,
    endpointId: row.endpoint_id,
    url: row.url,
    payload: row.payload,
    state: row.state as WebhookDelivery['state'],
    tries: JSON.parse(row.tries) as DeliveryTry[],
    nextTryAtMs: row.next_try_at_ms === null ? null : wallMs(row.next_try_at_ms),
    createdAtMs: wallMs(row.created_at_ms),
  };
}
