import type { Variant } from './variant.ts';

/**
 * Stand where a token may be put into a URI without and with a query. Noncharacters, which no URI and no text of ours has, and which writers of
 * playlists, XML and JSON leave as they are.
 */
const QUERY_MARK = '\uFDD0';
const PARAMETER_MARK = '\uFDD1';

/** How the segments of a timeline are listed in its media playlists; URIs have marks for the token. */
export interface Listing {
  segment(segmentId: string, variant: Variant): string;
  /** Of an init segment; null where the container needs none. */
  map(epochId: string, variant: Variant): string | null;
  /** Of the key that segments are encrypted with; null: they are not. */
  readonly keyUri: string | null;
  /** Whether playlists say when it happened. */
  readonly hasWallTime: boolean;
}

/** Files lie beside the playlist. Media bytes of CMAF are the same at every speed. */
export const STREAM_LISTING: Listing = {
  segment(segmentId, variant) {
    if (variant.container === 'cmaf') return `segments/${segmentId}.m4s${fileQuery({ ...variant, speed: 1 })}`;
    return `segments/${segmentId}.ts${fileQuery(variant)}`;
  },
  map: (epochId, variant) => (variant.container === 'cmaf' ? `init/${epochId}.mp4${fileQuery(variant)}` : null),
  keyUri: null,
  hasWallTime: true,
};

/** As a stream's, one folder above the playlist: each rendition of an asset has a folder of its own. */
export const ASSET_LISTING: Listing = {
  segment: (segmentId, variant) => `../${STREAM_LISTING.segment(segmentId, variant)}`,
  map(epochId, variant) {
    const uri = STREAM_LISTING.map(epochId, variant);
    return uri === null ? null : `../${uri}`;
  },
  keyUri: null,
  hasWallTime: false,
};

/** An asset's whose segments leave encrypted. */
export const ENCRYPTED_LISTING: Listing = { ...ASSET_LISTING, keyUri: `../key/0${QUERY_MARK}` };

/** Captions of an asset, never encrypted. Beside MPEG-TS they say where its clock begins. */
export const SUBTITLE_LISTING: Listing = {
  ...ASSET_LISTING,
  segment(segmentId, variant) {
    const query = variant.container === 'ts' ? `?container=ts${PARAMETER_MARK}` : QUERY_MARK;
    return `../segments/${segmentId}.vtt${query}`;
  },
  map: () => null,
};

/** The URI of a playlist beside this one, for the same variant; null: of the main rendition. */
export function playlistUri(name: string, variant: Variant, rendition: string | null = null): string {
  const container = variant.container === 'ts' ? '&container=ts' : '';
  const track = variant.track === null ? '' : `&track=${variant.track}`;
  const named = rendition === null ? '' : `&rendition=${encodeURIComponent(rendition)}`;
  return `${name}?speed=${variant.speed}${container}${track}${named}${PARAMETER_MARK}`;
}

/** The URI of a rendition's playlist, from its asset's. */
export function renditionUri(outputId: string, playlist: 'index' | 'iframes', variant: Variant): string {
  const name = `${outputId}/${playlist}.m3u8`;
  return variant.speed === 1 && variant.container === 'cmaf' ? name + QUERY_MARK : playlistUri(name, variant);
}

/** The URI of a file that is the same in every variant. */
export function fileUri(name: string): string {
  return name + QUERY_MARK;
}

/** Puts a token where the marks are, or takes them out. One rendering serves all viewers so. `and`: as the text's syntax writes an ampersand. */
export function withToken(template: string, token: string | undefined, and = '&'): string {
  if (token === undefined) return template.replaceAll(QUERY_MARK, '').replaceAll(PARAMETER_MARK, '');
  const parameter = `token=${encodeURIComponent(token)}`;
  return template.replaceAll(QUERY_MARK, `?${parameter}`).replaceAll(PARAMETER_MARK, and + parameter);
}

function fileQuery({ speed, track }: Pick<Variant, 'speed' | 'track'>): string {
  const parameters = [...(speed === 1 ? [] : [`speed=${speed}`]), ...(track === null ? [] : [`track=${track}`])];
  return parameters.length === 0 ? QUERY_MARK : `?${parameters.join('&')}${PARAMETER_MARK}`;
}
