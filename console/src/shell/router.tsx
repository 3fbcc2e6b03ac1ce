import type { AnchorHTMLAttributes, MouseEvent, ReactElement } from 'react';
import { Store, useStore } from '../api/store.ts';

/** The page that an address names. */
export type Route =
  | { readonly page: 'wall' }
  | { readonly page: 'camera'; readonly id: string }
  | { readonly page: 'archives' }
  | { readonly page: 'archive'; readonly id: string }
  | { readonly page: 'recordings' }
  | { readonly page: 'recording'; readonly id: string }
  | { readonly page: 'clips' }
  | { readonly page: 'clip'; readonly id: string }
  | { readonly page: 'edges' }
  | { readonly page: 'assets' }
  | { readonly page: 'asset'; readonly id: string }
  | { readonly page: 'webhooks' }
  | { readonly page: 'nowhere'; readonly path: string };

/** The lists, by the first part of their address, and the page of one thing in them. */
const LISTS = {
  archives: 'archive',
  recordings: 'recording',
  clips: 'clip',
  assets: 'asset',
} as const;

/** Reads an address's path. */
export function routeOf(path: string): Route {
  const [first, second, ...rest] = path.split('/').filter((part) => part !== '');
  const nowhere: Route = { page: 'nowhere', path };
  if (first === undefined) return { page: 'wall' };
  if (rest.length > 0) return nowhere;
  if (first === 'streams') return second === undefined ? nowhere : { page: 'camera', id: decode(second) };
  if (first === 'webhooks' || first === 'edges') return second === undefined ? { page: first } : nowhere;
  const list = (Object.keys(LISTS) as (keyof typeof LISTS)[]).find((name) => name === first);
  if (list === undefined) return nowhere;
  return second === undefined ? { page: list } : { page: LISTS[list], id: decode(second) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray % in a typed address: taken as it stands, it names nothing, and the page says so.
    return part;
  }
}

const path = new Store(location.pathname);
window.addEventListener('popstate', () => path.set(location.pathname));

/** Goes to an address of the console without loading the page anew. */
export function navigate(to: string): void {
  history.pushState(null, '', to);
  path.set(location.pathname);
  window.scrollTo(0, 0);
}

/** The page that the address bar names now. */
export function useRoute(): Route {
  return routeOf(useStore(path));
}

/** Puts values into the address's query, or takes them out (null), without a new entry in the history. */
export function setQuery(values: Readonly<Record<string, string | null>>): void {
  const url = new URL(location.href);
  for (const [key, value] of Object.entries(values)) {
    if (value === null) url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  // Colons are allowed in a query (RFC 3986 3.4), and a time reads better with them.
  const query = url.searchParams.toString().replaceAll('%3A', ':');
  const next = `${url.pathname}${query === '' ? '' : `?${query}`}`;
  if (next !== `${location.pathname}${location.search}`) history.replaceState(null, '', next);
}

/** A link to a page of the console. */
export function Link(props: AnchorHTMLAttributes<HTMLAnchorElement> & { readonly href: string }): ReactElement {
  const onClick = (event: MouseEvent<HTMLAnchorElement>): void => {
    props.onClick?.(event);
    // A new tab, a download and the like are the browser's business.
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    navigate(props.href);
  };
  return <a {...props} onClick={onClick} />;
}
