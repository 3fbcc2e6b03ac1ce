import { Store } from '../api/store.ts';
import type { Zone } from '../time/zone.ts';

/** Dark, light, or what the system says. */
export type Theme = 'system' | 'dark' | 'light';

/** How wide the wall's tiles are at least, or that it is a table. */
export type TileSize = 'small' | 'medium' | 'large' | 'table';

function kept<T extends string>(name: string, values: readonly T[], fallback: T): Store<T> {
  const key = `zoetrope.${name}`;
  let saved: string | null = null;
  try {
    saved = localStorage.getItem(key);
  } catch {
    // Storage is blocked: the preference lasts as long as the page.
  }
  const store = new Store<T>(values.find((value) => value === saved) ?? fallback);
  store.watch(() => {
    try {
      localStorage.setItem(key, store.get());
    } catch {
      // As above.
    }
  });
  return store;
}

/** The theme, kept in this browser. */
export const theme = kept<Theme>('theme', ['system', 'dark', 'light'], 'system');
/** The zone of all times on screen, kept in this browser. */
export const zone = kept<Zone>('zone', ['local', 'utc'], 'local');
/** The size of the wall's tiles, kept in this browser. */
export const tileSize = kept<TileSize>('tiles', ['small', 'medium', 'large', 'table'], 'medium');
/** The order of the marker list, kept in this browser. */
export const markerOrder = kept<'newest' | 'oldest'>('markers', ['newest', 'oldest'], 'newest');

const systemDark = matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark now. */
export function isDark(): boolean {
  return theme.get() === 'system' ? systemDark.matches : theme.get() === 'dark';
}

/** Counts up whenever the colours change, for what is drawn rather than styled. */
export const colourChanges = new Store(0);

function apply(): void {
  document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light';
  colourChanges.set(colourChanges.get() + 1);
}

/** Puts the theme on the page and keeps it there as the preference or the system changes. */
export function followTheme(): void {
  apply();
  theme.watch(apply);
  systemDark.addEventListener('change', apply);
}

/** Dark becomes light and light dark; back to what the system says when that is the same. */
export function toggleTheme(): void {
  const next = isDark() ? 'light' : 'dark';
  theme.set((next === 'dark') === systemDark.matches ? 'system' : next);
}
