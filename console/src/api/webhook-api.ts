import { query, read, send, type Page } from './client.ts';

/** Types of events that an endpoint can ask for, with what they tell. */
export const EVENT_TYPES: readonly (readonly [type: string, what: string])[] = [
  ['asset.created', 'a file was taken'],
  ['asset.playable', 'its first rendition plays'],
  ['asset.ready', 'everything is made'],
  ['asset.failed', 'it cannot be made'],
  ['asset.cancelled', 'somebody stopped it'],
  ['asset.deleted', 'it was removed'],
  ['stream.online', 'a camera sends again'],
  ['stream.offline', 'a camera fell silent'],
  ['recording.started', 'a recording was started'],
  ['recording.stopped', 'a recording ended'],
  ['stream.ended', 'an encoder’s stream ended'],
  ['chunk.rejected', 'an announced chunk is not what was announced'],
];

/** A key that signs deliveries; itself it is told once, when it is made. */
export interface SecretJson {
  readonly createdAt: string;
  /** Null: until it is replaced. */
  readonly expiresAt: string | null;
}

/** Who wants to be told. */
export interface EndpointJson {
  readonly id: string;
  readonly url: string;
  /** Empty: all. */
  readonly types: readonly string[];
  readonly description: string;
  readonly enabled: boolean;
  /** Why the server disabled it. */
  readonly disabledCause: string | null;
  readonly createdAt: string;
  /** Newest first. */
  readonly secrets: readonly SecretJson[];
}

/** An endpoint with the secret that was just made for it. */
export interface EndpointWithSecretJson extends EndpointJson {
  /** `whsec_…`; not told again. */
  readonly secret: string;
}

/** One try to deliver. */
export interface TryJson {
  readonly at: string;
  readonly status: number | null;
  readonly durationMs: number;
  readonly error: string | null;
}

/** One event on its way to one address. */
export interface DeliveryJson {
  readonly id: string;
  readonly eventId: string;
  readonly type: string;
  readonly subjectId: string;
  /** Null: an asset's own address. */
  readonly endpointId: string | null;
  readonly url: string;
  readonly state: 'waiting' | 'delivered' | 'failed';
  readonly tries: readonly TryJson[];
  readonly nextTryAt: string | null;
  readonly createdAt: string;
}

/** A delivery with its body. */
export interface DeliveryDetailJson extends DeliveryJson {
  /** JSON, as it is signed and sent. */
  readonly payload: string;
}

/** What can be said of an endpoint. */
export interface EndpointChange {
  readonly url?: string;
  readonly types?: readonly string[];
  readonly description?: string;
  readonly enabled?: boolean;
}

/** Which deliveries a log shows. */
export interface DeliveryFilter {
  readonly endpointId: string | null;
  readonly state: DeliveryJson['state'] | null;
}

const endpoint = (id: string): string => `/v1/webhooks/${encodeURIComponent(id)}`;
const delivery = (id: string): string => `/v1/webhooks/deliveries/${encodeURIComponent(id)}`;

/** The requests about webhooks that the console makes. */
export const webhookApi = {
  endpoints: (signal?: AbortSignal): Promise<Page<EndpointJson>> => read('/v1/webhooks?limit=200', { signal }),
  add: (wanted: EndpointChange): Promise<EndpointWithSecretJson> =>
    read('/v1/webhooks', { method: 'POST', body: wanted }),
  change: (id: string, change: EndpointChange): Promise<EndpointJson> =>
    read(endpoint(id), { method: 'PATCH', body: change }),
  remove: async (id: string): Promise<void> => {
    await send(endpoint(id), { method: 'DELETE' });
  },
  /** The secrets before go on to sign for so many hours. */
  rotate: (id: string, oldValidHours: number): Promise<EndpointWithSecretJson> =>
    read(`${endpoint(id)}/rotate`, { method: 'POST', body: { oldValidHours } }),
  /** Sends a test event now; answers how it went. */
  test: (id: string): Promise<TryJson> => read(`${endpoint(id)}/test`, { method: 'POST' }),
  /** What signs deliveries to assets' own addresses. */
  jobSecret: (signal?: AbortSignal): Promise<{ readonly secret: string }> =>
    read('/v1/webhooks/job-secret', { signal }),
  deliveries: (filter: DeliveryFilter, cursor: string | null, signal?: AbortSignal): Promise<Page<DeliveryJson>> =>
    read(`/v1/webhooks/deliveries${query({ ...filter, limit: 50, cursor })}`, { signal }),
  delivery: (id: string, signal?: AbortSignal): Promise<DeliveryDetailJson> => read(delivery(id), { signal }),
  redeliver: (id: string): Promise<DeliveryJson> => read(`${delivery(id)}/redeliver`, { method: 'POST' }),
};
