import { Store } from './store.ts';

const NAME = 'zoetrope.key';

/** The API key of this tab; null on an open server. It goes when the tab closes. */
export const sessionKey = new Store<string | null>(sessionStorage.getItem(NAME));

/** Whether the server asked for a key, or refused the one it got. */
export const keyWanted = new Store<'no' | 'missing' | 'refused'>('no');

/** Keeps a key for this tab. */
export function signIn(key: string): void {
  sessionStorage.setItem(NAME, key);
  sessionKey.set(key);
  keyWanted.set('no');
}

/** Forgets the key. */
export function signOut(): void {
  sessionStorage.removeItem(NAME);
  sessionKey.set(null);
}

/** The header that carries the key, if there is one. */
export function authorization(): Record<string, string> {
  const key = sessionKey.get();
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

/** Notes that an answer was 401, so that the sign-in card shows. */
export function noteUnauthenticated(): void {
  keyWanted.set(sessionKey.get() === null ? 'missing' : 'refused');
}
