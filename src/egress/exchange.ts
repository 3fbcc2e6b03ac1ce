import { lookup as resolveName } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector, Client, errors } from 'undici';
import { systemCodeOf, ZoetropeError } from '../base/errors.ts';
import type { AddressPolicy } from './address-policy.ts';
import { addressRefused, hostOf, shownUrl } from './egress-url.ts';
import type { Watch } from './watch.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;

/** Finds the addresses of a name. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

/** The resolver of the machine, hosts file included. */
export const systemLookup: Lookup = async (hostname) =>
  (await resolveName(hostname, { all: true })).map(({ address }) => address);

/** What is sent to one server. */
export interface Sent {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

/** The head of an answer; its body is still to be read. Close it in any case. */
export interface Answer {
  readonly url: URL;
  readonly status: number;
  /** Names in lower case; repeated ones joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they come, never unpacked. @throws unavailable when the connection breaks, and the watch's reason. */
  readonly body: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Sends one request on a connection of its own, to an address that was checked: the name is looked up once, and the connection goes to what that
 * found, so that a name that changes its mind (DNS rebinding) changes nothing. No proxy, no redirect.
 *
 * @throws permission_denied when no address of the name may be connected to, unavailable when it cannot be reached.
 */
export async function exchange(
  url: URL,
  sent: Sent,
  deps: { readonly policy: AddressPolicy; readonly lookup: Lookup; readonly watch: Watch },
): Promise<Answer> {
  const { watch } = deps;
  const addresses = await addressesOf(url, deps);
  watch.progress();
  const client = new Client(url.origin, {
    connect: buildConnector({
      allowH2: false,
      maxCachedSessions: 0,
      timeout: CONNECT_TIMEOUT_MS,
      lookup: pinned(addresses),
    }),
    pipelining: 1,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The watch bounds both, and knows what moves.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const close = async (): Promise<void> => client.destroy();
  try {
    const response = await client.request({
      method: sent.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...sent.headers, 'accept-encoding': 'identity', connection: 'close' },
      body: sent.body,
      signal: watch.signal,
    });
    watch.progress();
    // Whoever reads it is told; an answer that is closed unread has nobody to tell.
    response.body.on('error', () => undefined);
    return {
      url,
      status: response.statusCode,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, [value ?? []].flat().join(', ')]),
      ),
      body: readBody(response.body, url, watch),
      close,
    };
  } catch (error) {
    await close();
    throw faultOf(error, url, watch);
  }
}

async function* readBody(body: AsyncIterable<Uint8Array>, url: URL, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      watch.progress();
      yield chunk;
    }
  } catch (error) {
    throw faultOf(error, url, watch);
  }
}

/** The addresses that the connection may use: those that are allowed. One that is not, beside one that is, is passed over. */
async function addressesOf(
  url: URL,
  { policy, lookup, watch }: { readonly policy: AddressPolicy; readonly lookup: Lookup; readonly watch: Watch },
): Promise<readonly string[]> {
  const host = hostOf(url);
  const found = isIP(host) !== 0 ? [host] : await lookedUp(host, url, lookup, watch);
  const allowed = found.filter((address) => policy.isAllowed(address));
  if (allowed.length === 0) throw addressRefused(url);
  return allowed;
}

async function lookedUp(host: string, url: URL, lookup: Lookup, watch: Watch): Promise<readonly string[]> {
  const { signal } = watch;
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    const found = await Promise.race([lookup(host), aborted]);
    if (found.length > 0) return found;
  } catch (error) {
    throw faultOf(error, url, watch);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
  throw unreachable(url, 'its name has no address');
}

/** A resolver that answers what was found and checked, whatever it is asked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = found;
    if (options.all === true) callback(null, found);
    else callback(null, first?.address ?? '', first?.family);
  };
}

function faultOf(error: unknown, url: URL, watch: Watch): unknown {
  if (watch.signal.aborted) return watch.signal.reason;
  if (error instanceof ZoetropeError) return error;
  return unreachable(url, reasonOf(error), error);
}

function unreachable(url: URL, reason: string, cause?: unknown): ZoetropeError {
  return new ZoetropeError('unavailable', `${shownUrl(url)} cannot be reached: ${reason}. Try again later.`, { cause });
}

/** In words that name no address: only what kind of failure it was. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.HTTPParserError) return 'its answer is not HTTP';
  const code = systemCodeOf(error) ?? 'an unknown fault';
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return 'its name has no address';
    case 'EAI_AGAIN':
      return 'its name could not be looked up just now';
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'no connection came about in time';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'the connection broke';
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return `its answer is not sound (${code})`;
    default:
      return `it failed with ${code}`;
  }
}
