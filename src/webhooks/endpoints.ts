import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import { formatRfc3339, wallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { DeliveryTry, EndpointSecret, WebhookEndpoint } from '../catalog/webhook-store.ts';
import type { GuardedHttp } from '../egress/guarded-http.ts';
import { jobSecret, newSigningSecret } from './secrets.ts';
import type { WebhookSender } from './sender.ts';

const HOUR_MS = 3_600_000;
/** Every event goes to each of them. */
const MAX_ENDPOINTS = 100;
/** While they are replaced in haste. Each costs a signature in every request. */
const MAX_SECRETS = 5;

/** An endpoint with the secret that was just made for it, which is shown this once. */
export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

/** What may be changed of an endpoint. */
export type EndpointChange = Partial<Pick<WebhookEndpoint, 'url' | 'types' | 'description' | 'enabled'>>;

/** What endpoints are kept with. */
export interface WebhookEndpointsDeps {
  readonly catalog: Pick<
    Catalog,
    'createEndpoint' | 'getEndpoint' | 'listEndpoints' | 'updateEndpoint' | 'serverSecret'
  >;
  readonly http: Pick<GuardedHttp, 'checkUrl'>;
  readonly sender: WebhookSender;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Making and changing endpoints, and trying them out. Who may is the caller's to judge. */
export class WebhookEndpoints {
  readonly #deps: WebhookEndpointsDeps;

  constructor(deps: WebhookEndpointsDeps) {
    this.#deps = deps;
  }

  /** @throws invalid_argument or permission_denied for its URL, conflict when the tenant has as many as it may */
  async create(
    endpoint: Pick<WebhookEndpoint, 'tenant' | 'url' | 'types' | 'description'>,
  ): Promise<EndpointWithSecret> {
    const { catalog, http, ids } = this.#deps;
    const url = http.checkUrl(endpoint.url);
    const { items } = await catalog.listEndpoints({ tenant: endpoint.tenant }, { limit: MAX_ENDPOINTS });
    if (items.length >= MAX_ENDPOINTS) {
      throw new ZoetropeError(
        'conflict',
        `A tenant has at most ${MAX_ENDPOINTS} webhook endpoints. Remove one first: DELETE /v1/webhooks/{id}.`,
      );
    }
    const secret = newSigningSecret();
    return { endpoint: await catalog.createEndpoint({ ...endpoint, id: ids.next('endpoint'), url, secret }), secret };
  }

  /** Enabling forgets why the server disabled it. @throws like {@link WebhookEndpoints.create} */
  async update(id: string, { url, ...change }: EndpointChange): Promise<WebhookEndpoint> {
    const { catalog, http } = this.#deps;
    return catalog.updateEndpoint(id, {
      ...change,
      ...(url === undefined ? {} : { url: http.checkUrl(url) }),
      ...(change.enabled === undefined ? {} : { disabledCause: null }),
    });
  }

  /** Makes a new secret; those before go on to sign too, for `oldValidHours` at most. */
  async rotate(id: string, oldValidHours: number): Promise<EndpointWithSecret> {
    const { catalog, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const untilMs = wallMs(nowMs + oldValidHours * HOUR_MS);
    const { secrets: before } = await catalog.getEndpoint(id);
    const old = before.map((each): EndpointSecret => {
      const endsSooner = each.expiresAtMs !== null && each.expiresAtMs < untilMs;
      return endsSooner ? each : { ...each, expiresAtMs: untilMs };
    });
    const secret = newSigningSecret();
    const secrets = [{ secret, createdAtMs: nowMs, expiresAtMs: null }, ...(oldValidHours > 0 ? old : [])];
    return { endpoint: await catalog.updateEndpoint(id, { secrets: secrets.slice(0, MAX_SECRETS) }), secret };
  }

  /** Sends an event of the type `webhook.test` now, once, whether it is enabled or not, and notes it nowhere. */
  async sendTest({ id, url, secrets }: WebhookEndpoint, signal?: AbortSignal): Promise<DeliveryTry> {
    const { clock, ids, sender } = this.#deps;
    const payload = { type: 'webhook.test', timestamp: formatRfc3339(clock.nowMs()), data: { endpointId: id } };
    return sender.send({
      url,
      eventId: ids.next('event'),
      payload: JSON.stringify(payload),
      secrets: secrets.map(({ secret }) => secret),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** The key that signs what goes to assets' own addresses. */
  jobSecret(tenant: string): Promise<string> {
    return jobSecret(this.#deps.catalog, tenant);
  }
}
