import { messageOf, ZoetropeError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { formatRfc3339, type WallMs } from '../base/time.ts';
import type { SimulatedEvent, SimulatedFrame } from './simulated-frame.ts';

/** How the server answered something that may be sent again. */
export type Answer =
  | { readonly outcome: 'accepted'; readonly streamIds: readonly string[] }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'unavailable'; readonly reason: string; readonly waitMs: number | null };

/** A frame whose JPEG lies in a file. */
export interface FiledFrame extends SimulatedFrame {
  readonly path: string;
}

const REQUEST_TIMEOUT_MS = 15_000;
const UP_RETRY_MS = 300;

/** Talks to a Zoetrope server as a camera does. */
export class ServerClient {
  readonly #baseUrl: string;
  readonly #client: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param client the tenant whose cameras these are */
  constructor(options: { readonly url: string; readonly client: string; readonly key: string | null }) {
    this.#baseUrl = options.url.replace(/\/+$/, '');
    this.#client = options.client;
    this.#headers = options.key === null ? {} : { authorization: `Bearer ${options.key}` };
  }

  /** Resolves when the server says that it is well. @throws the signal's reason */
  async waitUntilUp(clock: Clock, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const response = await fetch(`${this.#baseUrl}/healthz`, {
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

  sendFrame(frame: SimulatedFrame): Promise<Answer> {
    const path = `/v1/devices/${encodeURIComponent(this.#client)}/${encodeURIComponent(frame.device)}/frames`;
    return this.#post(path, frame.jpeg, {
      'content-type': 'image/jpeg',
      'x-captured-at': formatRfc3339(frame.capturedAtMs),
      'x-event-id': frame.eventId,
    });
  }

  /** All or none. */
  sendEvents(frames: readonly FiledFrame[]): Promise<Answer> {
    const events = frames.map(({ eventId, device, capturedAtMs, path }) => ({
      eventId,
      clientId: this.#client,
      deviceId: device,
      timestamp: formatRfc3339(capturedAtMs),
      framePath: path,
    }));
    return this.#post('/v1/events/frames', JSON.stringify(events), { 'content-type': 'application/json' });
  }

  sendMarker(streamId: string, atMs: WallMs, { type, label }: SimulatedEvent): Promise<Answer> {
    const marker = { at: formatRfc3339(atMs), type, label, data: { source: 'simulator' } };
    return this.#post(`/v1/streams/${encodeURIComponent(streamId)}/markers`, JSON.stringify(marker), {
      'content-type': 'application/json',
    });
  }

  async #post(path: string, body: Uint8Array | string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    try {
      const response = await fetch(this.#baseUrl + path, {
        method: 'POST',
        headers: { ...this.#headers, ...headers },
        body:
          typeof body === 'string' ? body : Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const text = await response.text();
      if (response.ok) return { outcome: 'accepted', streamIds: streamIdsIn(text) };
      const reason = `${response.status}: ${detailIn(text)}`;
      if (response.status !== 429 && response.status < 500) return { outcome: 'refused', reason };
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      return { outcome: 'unavailable', reason, waitMs: Number.isFinite(seconds) ? seconds * 1000 : null };
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      return { outcome: 'unavailable', reason: messageOf(cause ?? error), waitMs: null };
    }
  }
}

function streamIdsIn(text: string): readonly string[] {
  const answer = JSON.parse(text) as {
    readonly streamId?: string;
    readonly items?: readonly { readonly streamId: string }[];
  };
  if (answer.items !== undefined) return answer.items.map((item) => item.streamId);
  return answer.streamId === undefined ? [] : [answer.streamId];
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

/** Passes an `http:` or `https:` URL on. @throws invalid_argument */
export function checkServerUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new ZoetropeError(
    'invalid_argument',
    `The server's URL must be like http://127.0.0.1:8080. Got ${JSON.stringify(url)}.`,
  );
}
