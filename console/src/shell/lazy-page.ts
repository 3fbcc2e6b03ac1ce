import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import { noteDown, resyncs } from '../api/connection.ts';

function serverIsBack(): Promise<void> {
  return new Promise((resolve) => {
    const forget = resyncs.watch(() => {
      forget();
      resolve();
    });
  });
}

/** A page whose code is loaded when it is first shown. A server that is away then is waited for, and the banner says so. */
export function lazyPage<P extends object>(
  load: () => Promise<{ readonly default: ComponentType<P> }>,
): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => {
    try {
      return await load();
    } catch {
      noteDown();
      await serverIsBack();
    }
    // A newer server has other files: if this fails too, the page offers to be loaded afresh.
    return load();
  });
}
