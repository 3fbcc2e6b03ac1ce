/** How a try to deliver ended: taken, to be tried again, or given up. */
export type TryOutcome = 'delivered' | 'retry' | 'failed';

/** What sending webhooks counts. */
export interface WebhookMetrics {
  tried(outcome: TryOutcome, seconds: number): void;
  /** An endpoint answered 410 and was disabled. */
  endpointDisabled(): void;
}

/** Counts nothing. */
export const noWebhookMetrics: WebhookMetrics = {
  tried: () => undefined,
  endpointDisabled: () => undefined,
};
