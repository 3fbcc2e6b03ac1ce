import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ZoetropeError } from '../base/errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Addresses of public ranges that lead to what only the machine itself should reach: Azure's WireServer. */
const SPECIAL_ADDRESSES = new Set(['168.63.129.16']);

/**
 * Says which addresses the server may connect to for others: those of public unicast ranges (the IANA special-purpose registries, RFC 6890), and
 * those of networks that the operator lists. An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, …) must be listed itself, and what
 * it carries must be allowed too.
 */
export class AddressPolicy {
  readonly #allowed: readonly Network[];

  /** Takes networks as `10.0.0.0/8` or `fd00::/8`. @throws invalid_configuration naming the one that is not. */
  constructor(allowedNetworks: readonly string[]) {
    this.#allowed = allowedNetworks.map(parseNetwork);
  }

  /** Judges an address as a resolver or `URL.hostname` writes it, IPv6 without brackets. What is no address is not allowed. */
  isAllowed(text: string): boolean {
    return isIP(text) !== 0 && this.#allows(ipaddr.parse(text));
  }

  #allows(address: Address): boolean {
    const carried = carriedIpv4(address);
    if (carried !== null) return this.#isListed(address) && this.#allows(carried);
    return isPublic(address) || this.#isListed(address);
  }

  #isListed(address: Address): boolean {
    return this.#allowed.some((network) => network[0].kind() === address.kind() && address.match(network));
  }
}

function parseNetwork(text: string): Network {
  try {
    return ipaddr.parseCIDR(text);
  } catch (error) {
    throw new ZoetropeError(
      'invalid_configuration',
      `A network is written as 10.0.0.0/8 or fd00::/8. Got ${JSON.stringify(text)}: check ZOETROPE_ALLOWED_NETWORKS.`,
      { cause: error },
    );
  }
}

function isPublic(address: Address): boolean {
  if (SPECIAL_ADDRESSES.has(address.toString()) || address.range() !== 'unicast') return false;
  // Of IPv6, only 2000::/3 is given out for global unicast (RFC 4291 2.4 and IANA's address space registry).
  return isIpv4(address) || ((address.parts[0] ?? 0) & 0xe000) === 0x2000;
}

/** The IPv4 address within an IPv6 address that a gateway or the kernel would unpack; null: it carries none. */
function carriedIpv4(address: Address): ipaddr.IPv4 | null {
  if (isIpv4(address)) return null;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = address.parts;
  const bytes = address.toByteArray();
  const at = (offset: number): ipaddr.IPv4 => new ipaddr.IPv4(bytes.slice(offset, offset + 4));
  // 6to4 (RFC 3056 2).
  if (a === 0x2002) return at(2);
  // NAT64's well-known prefix (RFC 6052 2.1).
  if (a === 0x64 && b === 0xff9b && (c | d | e | f) === 0) return at(12);
  // ISATAP (RFC 5214 6.1).
  if ((e & 0xfdff) === 0 && f === 0x5efe) return at(12);
  // Mapped, translated, and compatible (RFC 4291 2.5.5, RFC 2765 2.1); `::` and `::1` are none.
  if ((a | b | c | d) !== 0) return null;
  const isCompatible = e === 0 && f === 0 && (bytes[12] ?? 0) !== 0;
  return isCompatible || (e === 0 && f === 0xffff) || (e === 0xffff && f === 0) ? at(12) : null;
}

function isIpv4(address: Address): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4';
}
