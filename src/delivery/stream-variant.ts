import { ZoetropeError } from '../base/errors.ts';
import { tracksOf } from '../timeline/epoch.ts';
import { MAIN_RENDITION } from '../timeline/rendition.ts';
import type { Stream } from '../timeline/stream.ts';
import type { StreamState } from './stream-view.ts';
import { queryValue, readVariant, variantOf, type Query, type Variant } from './variant.ts';

/** Which rendition of a stream a query names. @throws invalid_argument when it is given twice */
export function readRendition(query: Query): string {
  return queryValue(query, 'rendition') ?? MAIN_RENDITION;
}

/**
 * How a stream is to be played. Sound has one speed: at any other, pushed streams show their pictures alone.
 * @throws invalid_argument, out_of_range; not_found when the newest segments have no such track
 */
export function readStreamVariant(query: Query, { stream, settings, live }: StreamState): Variant {
  // A server's speed for cameras, whose pictures come seconds apart, is none for what an encoder sends.
  const defaultSpeed = hasOwnMedia(stream) ? (stream.settings.displaySpeed ?? 1) : settings.displaySpeed;
  const variant = readTrack(query, stream, readVariant(query, defaultSpeed));
  const { track } = variant;
  const epochs = [...live.epochs.values()];
  if (track === null || epochs.length === 0 || epochs.some((epoch) => tracksOf(epoch)[track])) return variant;
  throw noTrack(stream, track);
}

/** How a file of a stream is to be sent. @throws invalid_argument, out_of_range */
export function readFileVariant(query: Query, stream: Stream): Variant {
  return readTrack(query, stream, readVariant(query, 1));
}

function readTrack(query: Query, stream: Stream, { speed, container }: Variant): Variant {
  const asked = queryValue(query, 'track');
  if (asked !== undefined && asked !== 'video' && asked !== 'audio') {
    throw new ZoetropeError(
      'invalid_argument',
      `The track must be video or audio, or be left out for both. Got ${JSON.stringify(asked)}.`,
    );
  }
  if (!hasOwnMedia(stream)) {
    if (asked === 'audio') throw noTrack(stream, asked);
    return variantOf(speed, container);
  }
  if (asked === 'audio' && speed !== 1) {
    throw new ZoetropeError('invalid_argument', `Sound plays at speed 1 alone. Got speed=${speed}; leave it out.`);
  }
  return variantOf(speed, container, asked ?? (speed === 1 ? null : 'video'));
}

/** Whether segments are as an encoder made them, with pictures, sound, or both. */
export function hasOwnMedia({ kind }: Stream): boolean {
  return kind === 'push' || kind === 'chunks';
}

function noTrack({ id }: Stream, track: 'video' | 'audio'): ZoetropeError {
  const missing = track === 'video' ? 'pictures' : 'sound';
  return new ZoetropeError('not_found', `The stream ${id} has no ${missing}. Leave track and speed out.`);
}
