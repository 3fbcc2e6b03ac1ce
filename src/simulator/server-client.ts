import { ZoetropeError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { formatRfc3339, type WallMs } from '../base/time.ts';
import { sendRequest, waitUntilUp } from './send-request.ts';
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
  waitUntilUp(clock: Clock, signal: AbortSignal): Promise<void> {
    return waitUntilUp(this.#baseUrl, clock, signal);
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
    const all = { ...this.#headers, ...headers };
    const sent = await sendRequest(this.#baseUrl + path, { method: 'POST', body, headers: all });
    return sent.outcome === 'accepted' ? { outcome: 'accepted', streamIds: streamIdsIn(sent.text) } : sent;
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

/** Passes an `http:` or `https:` URL on. @throws invalid_argument */
export function checkServerUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new ZoetropeError(
    'invalid_argument',
    `The server's URL must be like http://127.0.0.1:8080. Got ${JSON.stringify(url)}.`,
  );
}
