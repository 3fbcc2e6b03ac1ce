import { useEffect, useState } from 'react';
import { ownAddress } from '../api/own-address.ts';
import type { PlaybackAccess } from '../player/playback-access.ts';
import { parseStoryboard, type StoryboardTile } from './storyboard.ts';

/** The small pictures of a film; empty while there are none. */
export function useStoryboard(path: string | null, access: PlaybackAccess): readonly StoryboardTile[] {
  const [tiles, setTiles] = useState<readonly StoryboardTile[]>([]);
  useEffect(() => {
    if (path === null) return undefined;
    const loading = new AbortController();
    const load = async (): Promise<void> => {
      await access.ready();
      const url = ownAddress(path);
      const answer = await fetch(access.sign(url), { signal: loading.signal });
      if (answer.ok) setTiles(parseStoryboard(await answer.text(), url));
    };
    // Without them the scrubber shows times alone.
    load().catch(() => undefined);
    return () => loading.abort();
  }, [path, access]);
  return tiles;
}
