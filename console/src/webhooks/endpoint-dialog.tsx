import { useState, type FormEvent, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { EVENT_TYPES, webhookApi, type EndpointJson, type EndpointWithSecretJson } from '../api/webhook-api.ts';
import { AddressRow } from '../assets/copy-button.tsx';
import { Dialog } from '../shell/dialog.tsx';

/** How long a replaced secret goes on to sign. */
const OLD_VALID_HOURS = 24;

/** What an {@link EndpointDialog} makes or changes. */
export interface EndpointDialogProps {
  /** Null: a new one. */
  readonly endpoint: EndpointJson | null;
  readonly onClose: () => void;
  readonly onSaved: (endpoint: EndpointJson) => void;
  /** A new one is there: its secret is to be shown. */
  readonly onMade: (endpoint: EndpointWithSecretJson) => void;
}

/** Asks for an endpoint's address and what it wants to hear. */
export function EndpointDialog({ endpoint, onClose, onSaved, onMade }: EndpointDialogProps): ReactElement {
  const [url, setUrl] = useState(endpoint?.url ?? '');
  const [description, setDescription] = useState(endpoint?.description ?? '');
  const [types, setTypes] = useState<readonly string[]>(endpoint?.types ?? []);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const all = types.length === 0;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem('');
    try {
      const wanted = { url: url.trim(), description: description.trim(), types };
      if (endpoint === null) onMade(await webhookApi.add(wanted));
      else onSaved(await webhookApi.change(endpoint.id, wanted));
    } catch (error) {
      setProblem(describeError(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={endpoint === null ? 'Add an endpoint' : 'Change the endpoint'} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>Address</span>
          <input
            data-first
            type="url"
            required
            spellCheck={false}
            placeholder="https://example.org/hooks"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
        </label>
        <label className="field">
          <span>Description</span>
          <input
            maxLength={200}
            placeholder="For people"
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        </label>
        <fieldset className="event-types">
          <legend>Events</legend>
          <label className="check">
            <input type="radio" name="events" checked={all} onChange={() => setTypes([])} />
            All, also those that come later
          </label>
          <label className="check">
            <input
              type="radio"
              name="events"
              checked={!all}
              onChange={() => setTypes(['asset.ready', 'asset.failed'])}
            />
            Only these
          </label>
          {!all && (
            <div className="event-type-list">
              {EVENT_TYPES.map(([type, what]) => (
                <label key={type} className="check">
                  <input
                    type="checkbox"
                    checked={types.includes(type)}
                    // The last one stays: none at all means all.
                    disabled={types.length === 1 && types.includes(type)}
                    onChange={(event) =>
                      setTypes(event.target.checked ? [...types, type] : types.filter((each) => each !== type))
                    }
                  />
                  <code>{type}</code> <span className="muted">{what}</span>
                </label>
              ))}
            </div>
          )}
        </fieldset>
        {problem !== '' && (
          <p className="field-error" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" data-kind="primary" disabled={url.trim() === '' || busy}>
            {endpoint === null ? 'Add endpoint' : 'Save'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Shows the key that signs deliveries. */
export function SecretDialog(props: {
  readonly title: string;
  readonly secret: string;
  /** What else is to be known of it. */
  readonly note: string;
  readonly onClose: () => void;
}): ReactElement {
  const { title, secret, note, onClose } = props;
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="muted">
        Deliveries are signed as{' '}
        <a href="https://www.standardwebhooks.com" target="_blank" rel="noreferrer">
          Standard Webhooks
        </a>{' '}
        says, with this secret. Put it where the receiver checks it. {note}
      </p>
      <AddressRow label="Secret" what="Secret" url={secret} />
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

/** Asks how a secret is to be replaced. */
export function RotateDialog(props: {
  readonly endpoint: EndpointJson;
  readonly onClose: () => void;
  readonly onRotate: (oldValidHours: number) => void;
}): ReactElement {
  const { endpoint, onClose, onRotate } = props;
  const [hasLeaked, setHasLeaked] = useState(false);
  return (
    <Dialog title="Replace the secret?" onClose={onClose}>
      <p className="dialog-subject">{endpoint.url}</p>
      <p className="muted">
        {hasLeaked
          ? 'From now on the new one alone signs. Until the receiver has it, it will refuse deliveries.'
          : 'For a day both sign, so the receiver can change over in its own time.'}
      </p>
      <label className="check">
        <input type="checkbox" checked={hasLeaked} onChange={(event) => setHasLeaked(event.target.checked)} />
        The old one has leaked: end it at once
      </label>
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Keep it
        </button>
        <button
          type="button"
          className="button"
          data-kind="primary"
          onClick={() => onRotate(hasLeaked ? 0 : OLD_VALID_HOURS)}
        >
          Replace
        </button>
      </div>
    </Dialog>
  );
}
