/**
 * An address of the server as this page may load it: on the page's own origin. The server may call itself by a public name, and
 * the page's Content-Security-Policy allows no other host than the one that it came from.
 */
export function ownAddress(address: string): string {
  const { pathname, search, hash } = new URL(address, location.href);
  return `${location.origin}${pathname}${search}${hash}`;
}
