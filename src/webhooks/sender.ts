import { Webhook } from 'standardwebhooks';
import type { Clock } from '../base/clock.ts';
import { isZoetropeError, messageOf } from '../base/errors.ts';
import type { DeliveryTry } from '../catalog/webhook-store.ts';
import type { EgressResponse, GuardedHttp } from '../egress/guarded-http.ts';

/** Of an answer, so much is read and no more. */
const MAX_ANSWER_BYTES = 1024;
const SHOWN_ANSWER_LENGTH = 200;

/** A body on its way to an address. */
export interface WebhookMessage {
  readonly url: string;
  /** `webhook-id`: the same for every try, so that the receiver can tell what it has seen. */
  readonly eventId: string;
  /** JSON, sent as it is. */
  readonly payload: string;
  /** `whsec_…`; each signs. */
  readonly secrets: readonly string[];
  readonly signal?: AbortSignal;
}

/** How a try went. */
export interface SendOutcome extends DeliveryTry {
  /** What the receiver asked for with `Retry-After`; null: nothing. */
  readonly retryAfterMs: number | null;
}

/** Sends one webhook once, as Standard Webhooks 1.0 has it. */
export class WebhookSender {
  readonly #http: Pick<GuardedHttp, 'request'>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(deps: {
    readonly http: Pick<GuardedHttp, 'request'>;
    readonly clock: Clock;
    readonly timeoutMs: number;
  }) {
    this.#http = deps.http;
    this.#clock = deps.clock;
    this.#timeoutMs = deps.timeoutMs;
  }

  /** Answers how it went, also when nobody was there. Redirects are not followed. @throws the signal's reason */
  async send({ url, eventId, payload, secrets, signal }: WebhookMessage): Promise<SendOutcome> {
    const atMs = this.#clock.nowMs();
    const startedMs = this.#clock.monotonicMs();
    const took = (): { atMs: typeof atMs; durationMs: number } => ({
      atMs,
      durationMs: Math.round(this.#clock.monotonicMs() - startedMs),
    });
    try {
      const response = await this.#http.request(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'zoetrope-webhooks',
          ...signedHeaders(eventId, new Date(atMs), payload, secrets),
        },
        body: payload,
        timeoutMs: this.#timeoutMs,
        stallMs: this.#timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        overflow: 'cut',
        maxRedirects: 0,
        ...(signal === undefined ? {} : { signal }),
      });
      const { status } = response;
      const error = status >= 200 && status < 300 ? null : faultOf(response);
      return { ...took(), status, error, retryAfterMs: retryAfterOf(response, atMs) };
    } catch (error) {
      if (signal?.aborted === true || !isZoetropeError(error)) throw error;
      return { ...took(), status: null, error: messageOf(error), retryAfterMs: null };
    }
  }
}

/** The headers of Standard Webhooks: a signature for each secret, so that a receiver may know either. */
export function signedHeaders(
  eventId: string,
  at: Date,
  payload: string,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  return {
    'webhook-id': eventId,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(eventId, at, payload)).join(' '),
  };
}

function faultOf({ status, body }: EgressResponse): string {
  if (status >= 300 && status < 400) return `It answered ${status}: redirects are not followed. Give the final URL.`;
  const text = Buffer.from(body).toString('utf8');
  const shown = text
    .replaceAll(/[\p{Cc}\p{Cs}\uFFFD]+/gu, ' ')
    .trim()
    .slice(0, SHOWN_ANSWER_LENGTH);
  return `It answered ${status}${shown === '' ? '.' : `: ${shown}`}`;
}

/** RFC 9110 10.2.3: seconds, or a date. */
function retryAfterOf({ headers }: EgressResponse, nowMs: number): number | null {
  const text = headers['retry-after'];
  if (text === undefined) return null;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return ms > 0 ? ms : null;
}
