import { useSyncExternalStore } from 'react';

const watchers = new Set<() => void>();
let current = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    current = Date.now();
    for (const each of watchers) each();
  }, 1000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function snapshot(): number {
  // While nobody watches, no timer runs: the first reader must not see an old time.
  if (timer === undefined && Date.now() - current > 1000) current = Date.now();
  return current;
}

const never = (): (() => void) => () => undefined;

/** The time now, in ms since the Unix epoch, to the second; stands still while `ticking` is false. */
export function useNow(ticking = true): number {
  return useSyncExternalStore(ticking ? watch : never, snapshot);
}
