/** The addresses of the media playlists that a multivariant playlist names (RFC 8216 4.3.4), in order of appearance. */
export function renditionsOf(master: string): readonly string[] {
  const found = new Set<string>();
  for (const line of master.split(/\r?\n/)) {
    if (line !== '' && !line.startsWith('#')) found.add(withoutQuery(line));
    const uri = line.startsWith('#EXT-X-MEDIA:') ? /[:,]URI="([^"]*)"/.exec(line)?.[1] : undefined;
    if (uri !== undefined) found.add(withoutQuery(uri));
  }
  return [...found];
}

/** A token in the query is another after its renewal: it makes no other playlist. */
function withoutQuery(uri: string): string {
  return uri.split('?', 1)[0] ?? uri;
}

/** Whether a newer playlist names something that an older one did not. */
export function hasMore(before: readonly string[], after: readonly string[]): boolean {
  return after.some((uri) => !before.includes(uri));
}
