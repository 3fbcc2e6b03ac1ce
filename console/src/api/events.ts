import { noteDown, noteUp, resyncs } from './connection.ts';
import { EventParser, type ServerEvent } from './event-parser.ts';
import { authorization, noteUnauthenticated, sessionKey } from './session-key.ts';

/** Who listens to an event stream. */
export interface EventListener {
  readonly onEvent: (event: ServerEvent) => void;
  /** Called each time the stream opens: what was missed before must be asked for. */
  readonly onOpen?: () => void;
}

const LONGEST_DELAY_MS = 10_000;
/** The server sends a comment every 15 s; silence for three of them means a dead connection. */
const SILENCE_MS = 45_000;

async function listenOnce(path: string, lastId: string, listener: EventListener, signal: AbortSignal): Promise<string> {
  const dead = new AbortController();
  let watchdog = setTimeout(() => dead.abort(), SILENCE_MS);
  const parser = new EventParser();
  let newest = lastId;
  try {
    const response = await fetch(path, {
      headers: {
        ...authorization(),
        accept: 'text/event-stream',
        ...(lastId === '' ? {} : { 'last-event-id': lastId }),
      },
      cache: 'no-store',
      signal: AbortSignal.any([signal, dead.signal]),
    });
    if (response.status === 401) noteUnauthenticated();
    if (!response.ok || response.body === null) return newest;
    noteUp();
    listener.onOpen?.();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return newest;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => dead.abort(), SILENCE_MS);
      for (const event of parser.push(value)) {
        newest = event.lastId;
        listener.onEvent(event);
      }
    }
  } catch (error) {
    if (!signal.aborted && error instanceof TypeError) noteDown();
    return newest;
  } finally {
    clearTimeout(watchdog);
  }
}

/**
 * Listens to server-sent events until the returned function is called, reconnecting with growing pauses and resuming after
 * the last event. `fetch` rather than EventSource, because only it can carry a key.
 */
export function listen(path: string, listener: EventListener): () => void {
  const stopped = new AbortController();
  let wake: () => void = () => undefined;
  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const forgetResync = resyncs.watch(() => wake());
  const forgetKey = sessionKey.watch(() => wake());
  const run = async (): Promise<void> => {
    let lastId = '';
    let delayMs = 500;
    while (!stopped.signal.aborted) {
      const startedAt = performance.now();
      lastId = await listenOnce(path, lastId, listener, stopped.signal);
      if (stopped.signal.aborted) return;
      delayMs = performance.now() - startedAt > 30_000 ? 500 : Math.min(LONGEST_DELAY_MS, delayMs * 1.7);
      await pause(delayMs);
    }
  };
  void run();
  return () => {
    stopped.abort();
    wake();
    forgetResync();
    forgetKey();
  };
}
