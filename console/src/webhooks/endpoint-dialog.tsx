import { useState, type FormEvent, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { EVENT_TYPES, webhookApi, type EndpointJson } from '../api/webhook-api.ts';
import { AddressRow } from '../assets/copy-button.tsx';
import { Dialog } from '../shell/dialog.tsx';

/** What an {@link EndpointDialog} makes or changes. */
export interface EndpointDialogProps {
  /** Null: a new one. */
  readonly endpoint: EndpointJson | null;
  readonly onClose: () => void;
  readonly onSaved: (endpoint: EndpointJson) => void;
}

/** Asks for an endpoint's address and what it wants to hear. */
export function EndpointDialog({ endpoint, onClose, onSaved }: EndpointDialogProps): ReactElement {
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
      onSaved(endpoint === null ? await webhookApi.add(wanted) : await webhookApi.change(endpoint.id, wanted));
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

/** Shows the key that signs deliveries, once. */
export function SecretDialog({
  endpoint,
  isNew,
  onClose,
}: {
  readonly endpoint: EndpointJson;
  readonly isNew: boolean;
  readonly onClose: () => void;
}): ReactElement {
  const [secret, before] = endpoint.secrets ?? [];
  return (
    <Dialog title={isNew ? 'The endpoint is there' : 'The secret is replaced'} onClose={onClose}>
      <p className="muted">
        Deliveries are signed as{' '}
        <a href="https://www.standardwebhooks.com" target="_blank" rel="noreferrer">
          Standard Webhooks
        </a>{' '}
        says, with this secret. Put it where the receiver checks it.
      </p>
      {secret !== undefined && <AddressRow label="Secret" url={secret.secret} />}
      {before !== undefined && (
        <p className="muted">The old one signs as well until it runs out, so nothing is lost meanwhile.</p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}
