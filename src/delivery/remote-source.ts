import type { Segment } from '../timeline/segment.ts';
import type { Stream } from '../timeline/stream.ts';

/** Where delivery says what is watched of streams that are at edges, and waits for bytes that are not here yet. */
export interface RemoteSource {
  /** Somebody was sent a playlist of the stream. */
  watched(stream: Pick<Stream, 'id' | 'edgeId'>): void;
  /** As {@link RemoteSource.watched}, from the hot path: costs nothing for a stream that is fed here. */
  watchedAgain(streamId: string): void;
  /** The segment, once its bytes are here. @throws unavailable when they do not come; not_found when they never will */
  arrived(segment: Segment): Promise<Segment>;
  /** Asks for a segment without waiting, now and then for one stream. Answers whether it did. */
  wish(segment: Segment): Promise<boolean>;
}

/** Whether a playlist of a stream is followed as it grows. A named stretch is not: it pulls what is asked for of it, and nothing else. */
export function pullsLive(url: string): boolean {
  return !/^\/play\/streams\/[^/]+\/range\./.test(url);
}
