import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config } from '../config/schema.ts';
import type { GuardedHttp } from '../egress/guarded-http.ts';
import { WebhookDispatcher } from '../webhooks/dispatcher.ts';
import { WebhookEndpoints } from '../webhooks/endpoints.ts';
import type { WebhookMetrics } from '../webhooks/metrics.ts';
import { WebhookSender } from '../webhooks/sender.ts';

const DAY_MS = 86_400_000;

/** What webhooks are built with. */
export interface WebhooksDeps {
  readonly catalog: Catalog;
  readonly http: GuardedHttp;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly metrics: WebhookMetrics;
}

/** Builds what the API manages endpoints with, and what sends to them. */
export function composeWebhooks(
  { webhooks: { timeoutSeconds, retryDays, logDays } }: Config,
  { catalog, http, clock, ids, logger, metrics }: WebhooksDeps,
): { readonly endpoints: WebhookEndpoints; readonly dispatcher: WebhookDispatcher } {
  const timeoutMs = timeoutSeconds * 1000;
  const sender = new WebhookSender({ http, clock, timeoutMs });
  return {
    endpoints: new WebhookEndpoints({ catalog, http, sender, clock, ids }),
    dispatcher: new WebhookDispatcher({
      catalog,
      sender,
      clock,
      logger: logger.child({ component: 'webhooks' }),
      metrics,
      timeoutMs,
      retryMs: retryDays * DAY_MS,
      logMs: logDays * DAY_MS,
    }),
  };
}
