import { isZoetropeError } from '../../base/errors.ts';
import type { PushedMultivariant, PushedVariant } from '../../packager/hls/read-playlist.ts';
import type { OfferedPlaylist } from './push-event.ts';
import { referredName } from './pushed-name.ts';

/** More than any encoder offers. */
const MAX_OFFERED = 64;

/**
 * The playlists that a multivariant playlist offers, the best pictures first: by size, then by bit rate, then as they are listed. What is offered as
 * sound apart is sound, whatever else it is offered as. Playlists outside the stream's own path are none of ours and left out.
 */
export function offeredPlaylists(
  { variants, audio }: PushedMultivariant,
  name: string,
  base: string,
): readonly OfferedPlaylist[] {
  const resolve = (uri: string): string | null => {
    try {
      return referredName(uri, name, base);
    } catch (error) {
      if (isZoetropeError(error, 'invalid_argument')) return null;
      throw error;
    }
  };
  const found = new Map<string, OfferedPlaylist>();
  for (const { uri, language, name: label, isDefault } of audio) {
    const resolved = uri === null ? null : resolve(uri);
    if (resolved === null || found.has(resolved)) continue;
    found.set(resolved, { name: resolved, kind: 'sound', language, label, isDefault });
  }
  const sound = [...found.values()];
  const pictures: OfferedPlaylist[] = [];
  for (const { uri } of variants.toSorted(bestFirst)) {
    const resolved = resolve(uri);
    if (resolved === null || found.has(resolved)) continue;
    const offered: OfferedPlaylist = {
      name: resolved,
      kind: 'pictures',
      language: null,
      label: null,
      isDefault: false,
    };
    found.set(resolved, offered);
    pictures.push(offered);
  }
  return [...pictures, ...sound].slice(0, MAX_OFFERED);
}

function bestFirst(a: PushedVariant, b: PushedVariant): number {
  const pixels = (one: PushedVariant): number => (one.width ?? 0) * (one.height ?? 0);
  return pixels(b) - pixels(a) || (b.bandwidth ?? 0) - (a.bandwidth ?? 0);
}
