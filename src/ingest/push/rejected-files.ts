import { messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Persistence } from '../back-off.ts';
import type { PushMetrics } from './push-metrics.ts';
import type { SourceNotes } from './source-notes.ts';

/** Faults of the media, which no second try mends. */
export const MEDIA_FAULTS: ReadonlySet<string> = new Set([
  'corrupt_media',
  'unsupported_media',
  'out_of_range',
  'payload_too_large',
  'invalid_argument',
  'missing_input',
]);

/** Notes a file that cannot be taken. */
export function rejectFile(
  { metrics, persistence }: { readonly metrics: PushMetrics; readonly persistence: Persistence },
  notes: SourceNotes,
  name: string,
  error: ZoetropeError,
): void {
  metrics.rejected(error.code);
  notes.rejected(name, error.code, messageOf(error), persistence.clock.nowMs());
  persistence.logger.warn({ name, code: error.code, error: error.message }, 'a pushed segment cannot be taken');
}

/** A playlist beyond the most that a stream has renditions for. */
export function tooManyRenditions(playlist: string): ZoetropeError {
  return new ZoetropeError(
    'conflict',
    `The stream has as many renditions as it may, and ${playlist} would be another. Push it to a stream of its own, or keep to the names that are known.`,
  );
}

/** A segment that no playlist named, of an encoder with several. */
export function nobodysSegment(name: string): ZoetropeError {
  return new ZoetropeError(
    'missing_input',
    `No playlist named the segment ${name}, and the stream has several renditions: it cannot be known whose it is. Send each rendition’s playlist after its segments.`,
  );
}

/** A segment whose init segment did not come. */
export function missingInit(name: string, initName: string): ZoetropeError {
  return new ZoetropeError(
    'missing_input',
    `The segment ${name} needs the init segment ${initName}, which was never sent. Send it before the segments.`,
  );
}
