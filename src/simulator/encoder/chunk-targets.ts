import type { Clock } from '../../base/clock.ts';
import { sendRequest, type Sent } from '../send-request.ts';

/** Where a chunk's bytes go. */
export interface ChunkTarget {
  readonly objectKey: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Asked for at once: URLs for some minutes, so that the API is not asked for every chunk. */
const BATCH = 60;
/** URLs are not used for so long before they expire. */
const MARGIN_MS = 30_000;

interface TargetJson extends ChunkTarget {
  readonly chunkIndex: number;
  readonly expiresAt: string;
}

/** Presigned URLs for the chunks of a stream, from `POST /v1/streams/{id}/chunk-urls`. */
export class ChunkTargets {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #targets = new Map<number, TargetJson>();

  constructor(options: {
    readonly baseUrl: string;
    readonly streamId: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly clock: Clock;
  }) {
    this.#url = `${options.baseUrl}/v1/streams/${encodeURIComponent(options.streamId)}/chunk-urls`;
    this.#headers = { ...options.headers, 'content-type': 'application/json' };
    this.#clock = options.clock;
  }

  /** The place of a chunk, or why there is none. The same until it expires. */
  async of(index: number): Promise<ChunkTarget | Exclude<Sent, { readonly outcome: 'accepted' }>> {
    const known = this.#targets.get(index);
    if (known !== undefined && Date.parse(known.expiresAt) - MARGIN_MS > this.#clock.nowMs()) return known;
    const body = JSON.stringify({ count: BATCH, firstIndex: index });
    const sent = await sendRequest(this.#url, { method: 'POST', headers: this.#headers, body });
    if (sent.outcome !== 'accepted') return sent;
    for (const old of this.#targets.keys()) if (old < index - BATCH) this.#targets.delete(old);
    for (const item of itemsIn(sent.text)) {
      if (URL.canParse(item.url, this.#url)) {
        this.#targets.set(item.chunkIndex, { ...item, url: new URL(item.url, this.#url).href });
      }
    }
    return this.#targets.get(index) ?? { outcome: 'refused', reason: `The server named no URL for chunk ${index}.` };
  }
}

function itemsIn(text: string): readonly TargetJson[] {
  try {
    const { items } = JSON.parse(text) as { readonly items?: unknown };
    return Array.isArray(items) ? items.filter((item): item is TargetJson => item !== null) : [];
  } catch {
    // Not what was asked for: there is no URL in it.
    return [];
  }
}
