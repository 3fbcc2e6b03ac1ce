import { systemClock, type Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { AddressPolicy } from './address-policy.ts';
import { download, type DownloadOptions, type Downloaded } from './download.ts';
import { parseEgressUrl, shownUrl } from './egress-url.ts';
import { exchange, systemLookup, type Answer, type Lookup, type Sent } from './exchange.ts';
import { Watch } from './watch.ts';

const DEFAULT_STALL_MS = 30_000;
const DEFAULT_REDIRECTS = 5;
const USER_AGENT = 'zoetrope';
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Headers that mean the same to any server; the others are for the one that they were given for. */
const IMPERSONAL_HEADERS = new Set(['accept', 'accept-encoding', 'user-agent', 'range', 'if-range']);

/** What a {@link GuardedHttp} is made with. */
export interface GuardedHttpOptions {
  /** Networks beside the public ones that it may connect to, as `10.0.0.0/8`. */
  readonly allowedNetworks: readonly string[];
  /** Default: the machine's resolver. */
  readonly lookup?: Lookup;
  readonly clock?: Clock;
}

/** A request. */
export interface EgressRequest {
  /** Default: GET. */
  readonly method?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** From the look-up of the name to the last byte. */
  readonly timeoutMs: number;
  /** Longest time in which nothing comes. Default: 30 s. */
  readonly stallMs?: number;
  /** Most bytes of the answer's body. */
  readonly maxBytes: number;
  /** What becomes of a longer body. `cut`: its start is answered, and the rest not read. Default: `refuse`. */
  readonly overflow?: 'refuse' | 'cut';
  /** How many redirects of a GET or HEAD are followed; 0: the redirect is the answer. Default: 5. */
  readonly maxRedirects?: number;
  readonly signal?: AbortSignal;
}

/** An answer, whatever its status. */
export interface EgressResponse {
  /** Where it came from in the end. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came: never unpacked. */
  readonly body: Uint8Array;
}

/**
 * The only way in which the server connects to an address that somebody else chose. It goes to public addresses and to networks that the operator
 * listed, to nothing else: by no name, no spelling, no redirect, no answer of a resolver that changes between check and use. Time and bytes are
 * bounded; proxies from the environment are not used.
 */
export class GuardedHttp {
  readonly #policy: AddressPolicy;
  readonly #lookup: Lookup;
  readonly #clock: Clock;

  constructor({ allowedNetworks, lookup, clock }: GuardedHttpOptions) {
    this.#policy = new AddressPolicy(allowedNetworks);
    this.#lookup = lookup ?? systemLookup;
    this.#clock = clock ?? systemClock;
  }

  /**
   * Reads a URL that somebody gave, for later; its name need not exist yet. Answers it in its normal form.
   *
   * @throws invalid_argument, permission_denied when an address in it is refused
   */
  checkUrl(url: string): string {
    return parseEgressUrl(url, this.#policy).href;
  }

  /**
   * Sends a request and reads the whole answer.
   *
   * @throws invalid_argument for the URL, permission_denied where it leads, unavailable when that cannot be reached, deadline_exceeded,
   *   payload_too_large, and the signal's reason
   */
  async request(url: string, request: EgressRequest): Promise<EgressResponse> {
    const { timeoutMs, stallMs = DEFAULT_STALL_MS, signal, maxBytes, overflow = 'refuse' } = request;
    const watch = new Watch(this.#clock, { what: 'The request', timeoutMs, stallMs, signal });
    try {
      const sent = {
        method: request.method ?? 'GET',
        headers: { 'user-agent': USER_AGENT, ...request.headers },
        body: request.body ?? null,
      };
      const answer = await this.#open(url, sent, request.maxRedirects ?? DEFAULT_REDIRECTS, watch);
      try {
        const { status, headers } = answer;
        return { url: answer.url.href, status, headers, body: await readBytes(answer, maxBytes, overflow) };
      } finally {
        await answer.close();
      }
    } finally {
      watch.close();
    }
  }

  /**
   * Fetches a file to a path, durably; a file that is there is replaced, and what failed leaves none. Goes on where a connection broke, a few
   * times, if the server can.
   *
   * @throws what {@link GuardedHttp.request} throws; missing_input (permission_denied for 401 and 403, unavailable for what may pass) when the
   *   server does not give it, unsupported_media when it insists on packing it, storage_full
   */
  async fetchToFile(url: string, path: string, options: DownloadOptions): Promise<Downloaded> {
    const { timeoutMs, stallMs = DEFAULT_STALL_MS, signal, maxRedirects = DEFAULT_REDIRECTS } = options;
    const total = new Watch(this.#clock, { what: 'Fetching the file', timeoutMs, stallMs: timeoutMs, signal });
    try {
      return await download(path, options, {
        clock: this.#clock,
        signal: total.signal,
        open: async (headers) => {
          // Each try has a watch of its own: one that stands still can be gone on with.
          const limits = { what: 'Fetching the file', timeoutMs, stallMs, signal: total.signal };
          const watch = new Watch(this.#clock, limits);
          try {
            const sent = { method: 'GET', headers: { 'user-agent': USER_AGENT, ...headers }, body: null };
            const answer = await this.#open(url, sent, maxRedirects, watch);
            return {
              ...answer,
              close: async () => {
                watch.close();
                await answer.close();
              },
            };
          } catch (error) {
            watch.close();
            throw error;
          }
        },
      });
    } finally {
      total.close();
    }
  }

  /** Follows redirects, each checked like the first URL. */
  async #open(target: string, sent: Sent, maxRedirects: number, watch: Watch): Promise<Answer> {
    const deps = { policy: this.#policy, lookup: this.#lookup, watch };
    const mayFollow = maxRedirects > 0 && (sent.method === 'GET' || sent.method === 'HEAD');
    let url = parseEgressUrl(target, this.#policy);
    let { headers } = sent;
    for (let followed = 0; ; followed++) {
      const answer = await exchange(url, { ...sent, headers }, deps);
      const { location } = answer.headers;
      if (!mayFollow || location === undefined || !REDIRECTS.has(answer.status)) return answer;
      await answer.close();
      if (followed === maxRedirects) throw tooManyRedirects(url, maxRedirects);
      const next = parseEgressUrl(location, this.#policy, url);
      if (url.protocol === 'https:' && next.protocol === 'http:') throw downgraded(url);
      if (next.origin !== url.origin) headers = impersonal(headers);
      url = next;
    }
  }
}

async function readBytes(answer: Answer, maxBytes: number, overflow: 'refuse' | 'cut'): Promise<Uint8Array> {
  if (overflow === 'refuse') assertSize(answer, Number(answer.headers['content-length'] ?? 0), maxBytes);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= maxBytes) continue;
    if (overflow === 'cut') break;
    assertSize(answer, sizeBytes, maxBytes);
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

function assertSize({ url }: Answer, sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  throw new ZoetropeError('payload_too_large', `${shownUrl(url)} answers with more than ${maxBytes} bytes.`);
}

function impersonal(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => IMPERSONAL_HEADERS.has(name)));
}

function tooManyRedirects(url: URL, maxRedirects: number): ZoetropeError {
  return new ZoetropeError(
    'invalid_argument',
    `The URL redirects more than ${maxRedirects} times, in the end from ${shownUrl(url)}. Give the URL that it leads to.`,
  );
}

function downgraded(url: URL): ZoetropeError {
  return new ZoetropeError(
    'permission_denied',
    `${shownUrl(url)} redirects from https to http, where anybody on the way could change what comes. Give an https URL that stays with it.`,
  );
}
