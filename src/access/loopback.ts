import { BlockList, isIP } from 'node:net';
import { ZoetropeError } from '../base/errors.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether a host name or address (an IPv6 one with or without brackets) always means this machine (RFC 6761 6.3, RFC 1122 3.2.1.3). */
export function isLoopbackHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const version = isIP(name);
  return version !== 0 && LOOPBACK.check(name, version === 4 ? 'ipv4' : 'ipv6');
}

/** Passes when a server may listen on this address. @throws invalid_configuration beyond loopback without a key, with the command that makes one. */
export function assertMayListen(host: string, keysExist: boolean): void {
  if (keysExist || isLoopbackHost(host)) return;
  throw new ZoetropeError(
    'invalid_configuration',
    `ZOETROPE_HOST is ${JSON.stringify(host)}, which others can reach, and no API key exists: everybody could do everything. ` +
      'Make one first: zoetrope keys create --name first --scopes admin. Or listen on 127.0.0.1.',
  );
}
