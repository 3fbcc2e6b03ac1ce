import { isIP } from 'node:net';
import { ZoetropeError } from '../base/errors.ts';
import type { AddressPolicy } from './address-policy.ts';

/** Beyond this, no server of note takes a URL either. */
const MAX_URL_LENGTH = 8192;
const SHOWN_LENGTH = 200;

/**
 * Reads a URL that the server is to connect to, without looking its name up.
 *
 * @throws invalid_argument unless it is an absolute `http:` or `https:` URL without user and password; permission_denied when it names an address
 *   that the policy refuses, in whatever spelling (decimal, octal and hexadecimal ones are read as browsers do: WHATWG URL 3.5).
 */
export function parseEgressUrl(text: string, policy: AddressPolicy, base?: URL): URL {
  const url = text.length <= MAX_URL_LENGTH ? URL.parse(text, base) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new ZoetropeError(
      'invalid_argument',
      `The URL must be absolute, http:// or https://, and at most ${MAX_URL_LENGTH} characters. Got ${JSON.stringify(text.slice(0, 80).replace(/\/\/[^/]*@/, '//…@'))}.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ZoetropeError(
      'invalid_argument',
      `The URL must hold no user name and no password. Got one for ${shownUrl(url)}: use a signed URL, or a token in the query.`,
    );
  }
  url.hash = '';
  const host = hostOf(url);
  if (isIP(host) !== 0 ? !policy.isAllowed(host) : isLocalName(host) && !policy.isAllowed('127.0.0.1')) {
    throw addressRefused(url);
  }
  return url;
}

/** The name or address of a URL as resolvers take it: IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

/** A URL for messages: without its query, which may hold a secret. */
export function shownUrl(url: URL): string {
  const shown = `${url.protocol}//${url.host}${url.pathname}`;
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown;
}

/** Says that a URL leads where the server does not go; not to which address. */
export function addressRefused(url: URL): ZoetropeError {
  return new ZoetropeError(
    'permission_denied',
    `${shownUrl(url)} leads to an address that this server does not connect to: loopback, private, link-local and other addresses for special use ` +
      'are refused. Give a URL that the internet can reach, or have the operator add its network to ZOETROPE_ALLOWED_NETWORKS.',
  );
}

/** RFC 6761 6.3: these names are this machine, whatever a resolver says. */
function isLocalName(host: string): boolean {
  return /(^|\.)localhost\.?$/.test(host);
}
