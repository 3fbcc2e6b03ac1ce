import { CloudOff } from 'lucide-react';
import { useState, type FormEvent, type ReactElement } from 'react';
import { connection, knock } from '../api/connection.ts';
import { keyWanted, signIn } from '../api/session-key.ts';
import { useStore } from '../api/store.ts';
import { useNow } from '../time/now.ts';

/** Says that the server does not answer, and goes by itself once it does. */
export function ConnectionBanner(): ReactElement | null {
  const state = useStore(connection);
  const now = useNow(state.state === 'down');
  if (state.state === 'up') return null;
  const seconds = Math.max(0, Math.ceil((state.retryAtMs - now) / 1000));
  return (
    <div className="banner" role="alert">
      <CloudOff aria-hidden />
      <span>
        <strong>The server does not answer.</strong> What you see is from before.{' '}
        {seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again…'}
      </span>
      <button type="button" className="button" onClick={() => void knock()}>
        Try now
      </button>
    </div>
  );
}

/** Asks for the key that the server wants; null while it wants none. */
export function SignIn(): ReactElement | null {
  const wanted = useStore(keyWanted);
  const [key, setKey] = useState('');
  if (wanted === 'no') return null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (key.trim() === '') return;
    signIn(key.trim());
    // Every page asks for its data when it is made: a fresh one is the simplest that is right.
    location.reload();
  };
  return (
    <div className="sign-in">
      <form className="card" onSubmit={submit}>
        <h1>This server needs a key</h1>
        <p className="muted">
          Make one on the server with{' '}
          <code>zoetrope keys create --name console --scopes read,manage --tenant NAME</code>. It is kept in this tab
          only.
        </p>
        <label className="field">
          <span>Key</span>
          <input
            type="password"
            autoComplete="current-password"
            placeholder="zk_…"
            autoFocus
            spellCheck={false}
            value={key}
            aria-invalid={wanted === 'refused'}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        {wanted === 'refused' && (
          <p className="field-error" role="alert">
            The server refused this key. It may have been revoked, or was cut off while copying.
          </p>
        )}
        <button type="submit" className="button" data-kind="primary">
          Continue
        </button>
      </form>
    </div>
  );
}
