import type { Clock } from '../base/clock.ts';
import type { Catalog, StreamStore } from '../catalog/catalog.ts';
import type { Stream } from '../timeline/stream.ts';

/** How long the end of a stream is waited for, until it is told that it will end. */
const END_WAIT_MS = 3000;

/** What an encoder's stream is ended with. */
export interface EndStreamDeps {
  readonly catalog: Pick<StreamStore, 'getStream'> & Pick<Catalog, 'onChange'>;
  readonly clock: Clock;
}

/**
 * Ends a stream by an event of its topic, behind all that came before. Resolves when that is durable, with the stream: ended, unless what came before takes long.
 * @param publish makes the event durable
 */
export async function endBehind(stream: Stream, publish: () => Promise<unknown>, deps: EndStreamDeps): Promise<Stream> {
  const { catalog, clock } = deps;
  const changed = Promise.withResolvers<void>();
  const giveUp = new AbortController();
  const unsubscribe = catalog.onChange(({ streamIds }) => {
    if (streamIds.includes(stream.id)) void isEnded(stream.id, deps).then((is) => is && changed.resolve());
  });
  try {
    await publish();
    if (stream.endedAtMs === null) {
      const tooLong = clock.wait(END_WAIT_MS, giveUp.signal).catch(() => undefined);
      await Promise.race([changed.promise, tooLong]);
    }
    return await catalog.getStream(stream.id);
  } finally {
    giveUp.abort();
    unsubscribe();
  }
}

async function isEnded(streamId: string, { catalog }: EndStreamDeps): Promise<boolean> {
  try {
    return (await catalog.getStream(streamId)).endedAtMs !== null;
  } catch {
    return true; // It is gone, or cannot be asked for: the answer says so.
  }
}
