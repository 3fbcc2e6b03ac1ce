/** The name of the rendition that every stream has: a camera's only one, the best of a pushed stream. */
export const MAIN_RENDITION = 'main';

/** One encoding of a stream, and the numbers that its playlists count from. */
export interface Rendition {
  readonly id: string;
  readonly streamId: string;
  readonly name: string;
  /** The sequence number of the next on-time segment. */
  readonly nextSequence: number;
  /** The sequence number of the next late segment. */
  readonly nextLateSequence: number;
  /** The ordinal of the next on-time epoch. */
  readonly nextEpochOrdinal: number;
  /** EXT-X-MEDIA-SEQUENCE of the first segment of the `dvr` window. */
  readonly dvrMediaSequence: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE of the `dvr` playlist: how many tags have left it. */
  readonly dvrDiscontinuitySequence: number;
}
