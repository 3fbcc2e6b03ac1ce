import type { Clock, Timer } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import { isZoetropeError, messageOf, ZoetropeError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { formatRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { WebhookDelivery } from '../catalog/webhook-store.ts';
import { Lanes, type LaneLimits } from './lanes.ts';
import type { WebhookMetrics } from './metrics.ts';
import { nextTryAt } from './schedule.ts';
import { jobSecret } from './secrets.ts';
import type { SendOutcome, WebhookSender } from './sender.ts';

/** What fell due is found after so long at the latest. */
const POLL_MS = 1000;
/** After a change, so that many of them are one look. */
const WAKE_MS = 100;
/** How much longer than a try its claim lasts: to note how it went. */
const LEASE_MARGIN_MS = 30_000;
/** How long tries under way may take at shutdown; then they are broken off, and made again later. */
const DRAIN_MS = 3000;
const FORGET_EVERY_MS = 3_600_000;
const DEFAULT_LIMITS: LaneLimits = { total: 64, perTenant: 32, perAddress: 4 };

/** What sends webhooks. */
export interface WebhookDispatcherDeps {
  readonly catalog: Pick<
    Catalog,
    | 'claimDeliveries'
    | 'recordTry'
    | 'getEndpoint'
    | 'updateEndpoint'
    | 'forgetDeliveries'
    | 'serverSecret'
    | 'onChange'
  >;
  readonly sender: WebhookSender;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: WebhookMetrics;
  /** How long an endpoint may take to answer: the sender's. */
  readonly timeoutMs: number;
  /** How long a delivery is tried. */
  readonly retryMs: number;
  /** How long deliveries that ended are kept. */
  readonly logMs: number;
  readonly limits?: LaneLimits;
  /** From 0 to 1, for jitter. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Sends what the catalog says is due, from any number of processes. A delivery is claimed for as long as a try can take; who dies in it leaves it to
 * be claimed again, so that it is sent at least once, always under the same id.
 */
export class WebhookDispatcher implements Component {
  readonly name = 'webhooks';
  readonly #deps: WebhookDispatcherDeps;
  readonly #lanes: Lanes;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #unsubscribe: (() => void) | undefined;
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #looking: Promise<void> | undefined;
  #mustLookAgain = false;
  #isClosing = false;
  #forgetAtMs = 0;

  constructor(deps: WebhookDispatcherDeps) {
    this.#deps = deps;
    this.#lanes = new Lanes(deps.limits ?? DEFAULT_LIMITS);
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.catalog.onChange(() => this.#lookIn(WAKE_MS));
    this.#lookIn(0);
  }

  /** Waits a little for tries under way, and breaks off the rest: they are made again when their claim ends. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#unsubscribe?.();
    this.#timer?.timer.cancel();
    await this.#looking;
    const deadline = this.#deps.clock.schedule(DRAIN_MS, () => this.#breakOff());
    await Promise.all(this.#underWay);
    deadline.cancel();
  }

  #breakOff(): void {
    this.#stopping.abort(new ZoetropeError('cancelled', 'The server is shutting down.'));
  }

  /** Looks at the latest after this time. */
  #lookIn(delayMs: number): void {
    if (this.#isClosing) return;
    const { clock } = this.#deps;
    const atMs = clock.monotonicMs() + delayMs;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.timer.cancel();
    const timer = clock.schedule(delayMs, () => {
      this.#timer = undefined;
      this.#look();
    });
    this.#timer = { atMs, timer };
  }

  #look(): void {
    this.#mustLookAgain = true;
    this.#looking ??= this.#lookWhileWanted().finally(() => {
      this.#looking = undefined;
      this.#lookIn(POLL_MS);
    });
  }

  async #lookWhileWanted(): Promise<void> {
    try {
      while (this.#mustLookAgain && !this.#isClosing) {
        this.#mustLookAgain = false;
        while (!this.#isClosing && (await this.#takeOne()));
        await this.#forget();
      }
    } catch (error) {
      this.#deps.logger.error({ error: messageOf(error) }, 'could not look for webhooks to send; it is tried again');
    }
  }

  /** One at a time, so that each knows which addresses are busy. False: there is none, or no place for one. */
  async #takeOne(): Promise<boolean> {
    if (this.#lanes.isFull) return false;
    const leaseMs = this.#deps.timeoutMs + LEASE_MARGIN_MS;
    const except = this.#lanes.busy();
    const [delivery] = await this.#deps.catalog.claimDeliveries({ limit: 1, leaseMs, except });
    if (delivery === undefined) return false;
    const leave = this.#lanes.enter(delivery);
    const run: Promise<void> = this.#deliver(delivery).finally(() => {
      leave();
      this.#underWay.delete(run);
      if (!this.#isClosing) this.#look();
    });
    this.#underWay.add(run);
    return true;
  }

  async #deliver(delivery: WebhookDelivery): Promise<void> {
    const { catalog, logger, sender } = this.#deps;
    const { id, endpointId, eventId, payload } = delivery;
    try {
      const target = await this.#targetOf(delivery);
      if (target === null) return;
      const outcome = await sender.send({ ...target, eventId, payload, signal: this.#stopping.signal });
      if (outcome.status === 410 && endpointId !== null) await this.#disable(endpointId, outcome.atMs);
      const nextAtMs = outcome.error === null ? null : this.#nextTryAt(delivery, outcome);
      const { atMs, status, durationMs, error } = outcome;
      await catalog.recordTry(id, { atMs, status, durationMs, error }, nextAtMs);
      this.#count(outcome, nextAtMs);
    } catch (error) {
      if (this.#stopping.signal.aborted) return; // Broken off: made again when its claim ends.
      if (isZoetropeError(error, 'not_found')) return; // Its endpoint was removed meanwhile, and it with it.
      const fields = { deliveryId: id, endpointId, error: messageOf(error) };
      logger.error(fields, 'a webhook could not be sent or noted; it is sent again when its claim ends');
    }
  }

  /** Where it goes and what signs it; null: nowhere just now, the endpoint was disabled after the claim. */
  async #targetOf(
    delivery: WebhookDelivery,
  ): Promise<{ readonly url: string; readonly secrets: readonly string[] } | null> {
    const { catalog } = this.#deps;
    if (delivery.endpointId === null) {
      return { url: delivery.url, secrets: [await jobSecret(catalog, delivery.tenant)] };
    }
    const { url, secrets, enabled } = await catalog.getEndpoint(delivery.endpointId);
    return enabled ? { url, secrets: secrets.map(({ secret }) => secret) } : null;
  }

  #nextTryAt({ tries, createdAtMs }: WebhookDelivery, { status, retryAfterMs }: SendOutcome): WallMs | null {
    if (status === 410) return null;
    const { clock, random = Math.random, retryMs } = this.#deps;
    const nowMs = clock.nowMs();
    return nextTryAt({ tries: tries.length + 1, createdAtMs, nowMs, retryMs, retryAfterMs, random: random() });
  }

  /** Standard Webhooks: who answers 410 Gone wants no more. */
  async #disable(endpointId: string, atMs: WallMs): Promise<void> {
    const { catalog, logger, metrics } = this.#deps;
    const disabledCause = `It answered 410 Gone at ${formatRfc3339(atMs)}: it wants no more webhooks.`;
    await catalog.updateEndpoint(endpointId, { enabled: false, disabledCause });
    metrics.endpointDisabled();
    logger.warn({ endpointId }, 'a webhook endpoint answered 410 and was disabled');
  }

  #count({ error, durationMs }: SendOutcome, nextAtMs: WallMs | null): void {
    const outcome = error === null ? 'delivered' : nextAtMs === null ? 'failed' : 'retry';
    this.#deps.metrics.tried(outcome, durationMs / 1000);
  }

  async #forget(): Promise<void> {
    const { catalog, clock, logMs } = this.#deps;
    const nowMs = clock.nowMs();
    if (nowMs < this.#forgetAtMs) return;
    this.#forgetAtMs = nowMs + FORGET_EVERY_MS;
    await catalog.forgetDeliveries(wallMs(nowMs - logMs));
  }
}
