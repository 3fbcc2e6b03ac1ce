import type { Variant } from './variant.ts';

/**
 * Stand where a token may be put into a URI without and with a query. Noncharacters, which no URI and no text of ours has, and which writers of
 * playlists, XML and JSON leave as they are.
 */
const QUERY_MARK = '\uFDD0';
const PARAMETER_MARK = '\uFDD1';

/** How the files of a timeline are named in its media playlists, with marks for the token. */
export interface FileUris {
  segment(segmentId: string, variant: Variant): string;
  /** Of an init segment; null where the container needs none. */
  map(epochId: string, variant: Variant): string | null;
}

/** Beside the playlist. Media bytes of CMAF are the same at every speed. */
export const STREAM_FILES: FileUris = {
  segment(segmentId, variant) {
    if (variant.container === 'cmaf') return `segments/${segmentId}.m4s${QUERY_MARK}`;
    return `segments/${segmentId}.ts${speedQuery(variant)}`;
  },
  map: (epochId, variant) => (variant.container === 'cmaf' ? `init/${epochId}.mp4${speedQuery(variant)}` : null),
};

/** As {@link STREAM_FILES}, one folder above the playlist: each rendition of an asset has a folder of its own. */
export const ASSET_FILES: FileUris = {
  segment: (segmentId, variant) => `../${STREAM_FILES.segment(segmentId, variant)}`,
  map(epochId, variant) {
    const uri = STREAM_FILES.map(epochId, variant);
    return uri === null ? null : `../${uri}`;
  },
};

/** Captions of an asset. Beside MPEG-TS they say where its clock begins. */
export const SUBTITLE_FILES: FileUris = {
  segment(segmentId, variant) {
    const query = variant.container === 'ts' ? `?container=ts${PARAMETER_MARK}` : QUERY_MARK;
    return `../segments/${segmentId}.vtt${query}`;
  },
  map: () => null,
};

/** The URI of a playlist beside this one, for the same variant. */
export function playlistUri(name: string, variant: Variant): string {
  const container = variant.container === 'ts' ? '&container=ts' : '';
  return `${name}?speed=${variant.speed}${container}${PARAMETER_MARK}`;
}

/** The URI of a file that is the same in every variant. */
export function fileUri(name: string): string {
  return name + QUERY_MARK;
}

/** Puts a token where the marks are, or takes them out. One rendering serves all viewers so. */
export function withToken(template: string, token: string | undefined): string {
  if (token === undefined) return template.replaceAll(QUERY_MARK, '').replaceAll(PARAMETER_MARK, '');
  const parameter = `token=${encodeURIComponent(token)}`;
  return template.replaceAll(QUERY_MARK, `?${parameter}`).replaceAll(PARAMETER_MARK, `&${parameter}`);
}

function speedQuery(variant: Variant): string {
  return variant.speed === 1 ? QUERY_MARK : `?speed=${variant.speed}${PARAMETER_MARK}`;
}
