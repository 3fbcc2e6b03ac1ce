import type { Variant } from './variant.ts';

/** Stand where a token may be put into a URI without and with a query. They never occur in a URI. */
const QUERY_MARK = '\u0001';
const PARAMETER_MARK = '\u0002';

/** The URI of a segment, relative to its playlist, with a mark for the token. Media bytes of CMAF are the same at every speed. */
export function segmentUri(segmentId: string, variant: Variant): string {
  if (variant.container === 'cmaf') return `segments/${segmentId}.m4s${QUERY_MARK}`;
  return `segments/${segmentId}.ts${speedQuery(variant)}`;
}

/** The URI of an init segment; null where the container needs none. */
export function mapUri(epochId: string, variant: Variant): string | null {
  return variant.container === 'cmaf' ? `init/${epochId}.mp4${speedQuery(variant)}` : null;
}

/** The URI of a playlist beside this one, for the same variant. */
export function playlistUri(name: string, variant: Variant): string {
  const container = variant.container === 'ts' ? '&container=ts' : '';
  return `${name}?speed=${variant.speed}${container}${PARAMETER_MARK}`;
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
