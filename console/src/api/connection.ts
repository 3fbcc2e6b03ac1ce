import { Store } from './store.ts';

/** Whether the server answers. While it does not, `retryAtMs` says when it is asked again. */
export type Connection =
  | { readonly state: 'up' }
  | { readonly state: 'down'; readonly sinceMs: number; readonly retryAtMs: number };

/** What the console knows of the way to its server. */
export const connection = new Store<Connection>({ state: 'up' });

/** Counts up each time the server comes back: whoever shows its data asks anew. */
export const resyncs = new Store(0);

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 10_000;
let delayMs = FIRST_DELAY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks the server now whether it is back. */
export async function knock(): Promise<void> {
  clearTimeout(timer);
  try {
    const answer = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    // 503 too is an answer: it is there, and its own problems show where they matter.
    if (answer.status < 500 || answer.status === 503) {
      noteUp();
      return;
    }
  } catch {
    // Still down: the banner says so, and the next knock is planned below.
  }
  scheduleKnock();
}

function scheduleKnock(): void {
  const before = connection.get();
  connection.set({
    state: 'down',
    sinceMs: before.state === 'down' ? before.sinceMs : Date.now(),
    retryAtMs: Date.now() + delayMs,
  });
  timer = setTimeout(() => void knock(), delayMs);
  delayMs = Math.min(LONGEST_DELAY_MS, delayMs * 1.6);
}

/** Notes that a request got no answer. */
export function noteDown(): void {
  if (connection.get().state === 'up') scheduleKnock();
}

/** Notes that the server answered. */
export function noteUp(): void {
  if (connection.get().state === 'up') return;
  clearTimeout(timer);
  delayMs = FIRST_DELAY_MS;
  connection.set({ state: 'up' });
  resyncs.set(resyncs.get() + 1);
}
