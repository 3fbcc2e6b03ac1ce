import type { WallMs } from '../base/time.ts';
import type { Page, PageRequest } from './page.ts';

/** What can be told. */
export const WEBHOOK_EVENT_TYPES = [
  'asset.created',
  'asset.playable',
  'asset.ready',
  'asset.failed',
  'asset.cancelled',
  'asset.deleted',
  'stream.online',
  'stream.offline',
  'stream.ended',
  'chunk.rejected',
  'recording.started',
  'recording.stopped',
] as const;

/** The type of an event. */
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** Something that happened. `data` is JSON and goes out as it is. */
export interface NewWebhookEvent {
  readonly type: WebhookEventType;
  readonly tenant: string;
  /** The stream or asset that it is about. */
  readonly subjectId: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** An address besides the tenant's endpoints. */
  readonly extraUrl?: string;
}

/** Who wants to be told. */
export interface WebhookEndpoint {
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  /** Empty: all types. */
  readonly types: readonly WebhookEventType[];
  readonly description: string;
  /** `whsec_…`, newest first: one, or two while one is being replaced. */
  readonly secrets: readonly EndpointSecret[];
  readonly enabled: boolean;
  /** Why it was disabled by the server; null when it was not. */
  readonly disabledCause: string | null;
  readonly createdAtMs: WallMs;
}

/** A key that signs. */
export interface EndpointSecret {
  readonly secret: string;
  readonly createdAtMs: WallMs;
  /** Null: until it is replaced. */
  readonly expiresAtMs: WallMs | null;
}

/** One event on its way to one address. */
export interface WebhookDelivery {
  readonly id: string;
  readonly tenant: string;
  /** Stays the same over tries and redeliveries: `webhook-id`. */
  readonly eventId: string;
  readonly type: WebhookEventType;
  readonly subjectId: string;
  /** Null: an asset's own address. */
  readonly endpointId: string | null;
  readonly url: string;
  /** The body as it is sent, JSON. */
  readonly payload: string;
  readonly state: 'waiting' | 'delivered' | 'failed';
  readonly tries: readonly DeliveryTry[];
  readonly nextTryAtMs: WallMs | null;
  readonly createdAtMs: WallMs;
}

/** One try to deliver. */
export interface DeliveryTry {
  readonly atMs: WallMs;
  /** Null: no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  /** What went wrong, in words; null when it was taken. */
  readonly error: string | null;
}

/** Which deliveries. */
export interface DeliveryFilter {
  readonly tenant?: string;
  readonly endpointId?: string;
  readonly subjectId?: string;
  readonly state?: WebhookDelivery['state'];
}

/** Deliveries that are left waiting though they are due, because enough like them are under way: a slow address must not hold up others. */
export interface DeliveryExceptions {
  readonly tenants: readonly string[];
  readonly endpointIds: readonly string[];
  /** Of deliveries to assets' own addresses: those whose URL begins with one of these, letter for letter. */
  readonly urlPrefixes: readonly string[];
}

/**
 * Webhook endpoints and what is sent to them. An event is published in the transaction that it tells of: one delivery for each of the tenant's
 * enabled endpoints that want its type, and one for `extraUrl`. Beginning and ending a stream's session publishes `stream.online` and
 * `stream.offline` (data: `streamId`, `deviceId`, `name`, `sessionId`, `at`; of `stream.offline` also `endedBy`: why the session ended, or `deleted` with its
 * stream) in the same way, ending a pushed stream `stream.ended` (`streamId`, `deviceId`, `name`, `at`), not taking a chunk `chunk.rejected` (see `ChunkStore`), if the tenant has an endpoint that wants it. The body is that of Standard Webhooks: `{type, timestamp, data}`.
 */
export interface WebhookStore {
  createEndpoint(
    endpoint: Pick<WebhookEndpoint, 'id' | 'tenant' | 'url' | 'types' | 'description'> & { readonly secret: string },
  ): Promise<WebhookEndpoint>;
  getEndpoint(id: string): Promise<WebhookEndpoint>;
  listEndpoints(filter: { readonly tenant?: string }, page: PageRequest): Promise<Page<WebhookEndpoint>>;
  /** Deliveries that wait go to a changed `url`, and wait for as long as the endpoint is disabled. Enabling clears the cause. */
  updateEndpoint(
    id: string,
    change: Partial<Pick<WebhookEndpoint, 'url' | 'types' | 'description' | 'enabled' | 'disabledCause' | 'secrets'>>,
  ): Promise<WebhookEndpoint>;
  /** Waiting deliveries to it go too. */
  deleteEndpoint(id: string): Promise<void>;
  /** Takes deliveries that are due, oldest first, and keeps others from taking them for `leaseMs`. */
  claimDeliveries(request: {
    readonly limit: number;
    readonly leaseMs: number;
    readonly except?: DeliveryExceptions;
  }): Promise<readonly WebhookDelivery[]>;
  /** Notes a try. `nextTryAtMs` null with an error: it failed for good. What was delivered stays so. @throws not_found when it went with its endpoint */
  recordTry(deliveryId: string, attempt: DeliveryTry, nextTryAtMs: WallMs | null): Promise<void>;
  getDelivery(id: string): Promise<WebhookDelivery>;
  /** Newest first. */
  listDeliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<WebhookDelivery>>;
  /** Sends it once more, now, with the same event id. @throws conflict when its endpoint is disabled; not_found when it is gone */
  redeliver(id: string): Promise<WebhookDelivery>;
  /** Forgets deliveries that ended before. Answers how many. */
  forgetDeliveries(endedBeforeMs: WallMs): Promise<number>;
}
