import { authorization, sessionKey } from './session-key.ts';

/** A picture ready to show. */
export interface Picture {
  /** For `src`. */
  readonly src: string;
  readonly width: number;
  readonly height: number;
  /** Capture time the server named; null when it could not be read (an `img` shows no headers). */
  readonly capturedAtMs: number | null;
  /** Gives back its memory; call it once the picture is no longer shown. */
  readonly release: () => void;
}

/** Few at once: the pictures of a wall must not take every connection from the player and the events. */
const PARALLEL = 4;
const waiting: (() => void)[] = [];
let running = 0;

async function turn(signal: AbortSignal): Promise<void> {
  if (running >= PARALLEL) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  if (signal.aborted) {
    endTurn();
    signal.throwIfAborted();
  }
}

function endTurn(): void {
  running -= 1;
  // The newest wish first: it is what is on screen now.
  waiting.pop()?.();
}

async function decode(src: string, release: () => void, capturedAtMs: number | null): Promise<Picture> {
  const image = new Image();
  image.src = src;
  try {
    await image.decode();
  } catch (error) {
    release();
    throw error;
  }
  return { src, width: image.naturalWidth, height: image.naturalHeight, capturedAtMs, release };
}

/** Loads and decodes a picture, so that showing it does not flicker. @throws when there is none, or the signal aborts. */
export async function loadPicture(url: string, signal: AbortSignal): Promise<Picture> {
  await turn(signal);
  try {
    if (sessionKey.get() === null && !url.includes('frame.jpg')) return await decode(url, () => undefined, null);
    const response = await fetch(url, { headers: authorization(), signal });
    if (!response.ok) throw new Error(`No picture: the server answered ${response.status}.`);
    const captured = Date.parse(response.headers.get('x-captured-at') ?? '');
    const src = URL.createObjectURL(await response.blob());
    return await decode(src, () => URL.revokeObjectURL(src), Number.isFinite(captured) ? captured : null);
  } finally {
    endTurn();
  }
}
