import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';

/** How a server answered something that may be sent again. */
export type Sent =
  | { readonly outcome: 'accepted'; readonly text: string }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'unavailable'; readonly reason: string; readonly waitMs: number | null };

/** What is sent. */
export interface OutgoingRequest {
  readonly method: 'PUT' | 'POST';
  readonly body: Uint8Array | string;
  readonly headers: Readonly<Record<string, string>>;
}

const REQUEST_TIMEOUT_MS = 15_000;
const UP_RETRY_MS = 300;

/** Sends a request once and says whether trying again may help. */
export async function sendRequest(url: string, { method, body, headers }: OutgoingRequest): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: typeof body === 'string' ? body : Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return { outcome: 'accepted', text };
    const reason = `${response.status}: ${detailIn(text)}`;
    if (response.status !== 429 && response.status < 500) return { outcome: 'refused', reason };
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { outcome: 'unavailable', reason, waitMs: Number.isFinite(seconds) ? seconds * 1000 : null };
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return { outcome: 'unavailable', reason: messageOf(cause ?? error), waitMs: null };
  }
}

/** Resolves when the server says that it is well. @throws the signal's reason */
export async function waitUntilUp(baseUrl: string, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const response = await fetch(`${baseUrl}/healthz`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]),
      });
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // Not up yet: that is what is waited for.
    }
    await clock.wait(UP_RETRY_MS, signal);
  }
}

function detailIn(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { readonly detail?: string };
    return detail ?? text.slice(0, 200);
  } catch {
    // Not a problem document: something else than Zoetrope answered.
    return text.slice(0, 200);
  }
}
