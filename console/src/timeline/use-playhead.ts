import { useCallback, useSyncExternalStore } from 'react';
import type { Player } from '../player/player.ts';

/** The playhead's wall time to the second, for what need not follow every frame; null before anything is loaded. */
export function useSecondlyPlayhead(player: Player): number | null {
  const watch = useCallback(
    (changed: () => void) => {
      const timer = setInterval(changed, 500);
      const forget = player.state.watch(changed);
      return () => {
        clearInterval(timer);
        forget();
      };
    },
    [player],
  );
  return useSyncExternalStore(watch, () => {
    const atMs = player.playheadMs();
    return atMs === null ? null : Math.floor((atMs + 1e-3) / 1000) * 1000;
  });
}
