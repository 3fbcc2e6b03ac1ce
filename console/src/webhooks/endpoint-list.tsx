import { KeyRound, Pencil, Send, Trash2, Webhook } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { webhookApi, type EndpointJson } from '../api/webhook-api.ts';
import { attempt } from '../assets/asset-actions.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { toast } from '../shell/toasts.tsx';
import { EndpointDialog, SecretDialog } from './endpoint-dialog.tsx';

/** What an {@link EndpointList} shows and reports. */
export interface EndpointListProps {
  readonly endpoints: readonly EndpointJson[];
  readonly onSaved: (endpoint: EndpointJson) => void;
  readonly onRemoved: (id: string) => void;
  /** Something was sent: the log has a new line. */
  readonly onSent: () => void;
}

function Row(props: {
  readonly endpoint: EndpointJson;
  readonly onSaved: (endpoint: EndpointJson) => void;
  readonly onSent: () => void;
  readonly onAsk: (what: 'edit' | 'rotate' | 'delete') => void;
}): ReactElement {
  const { endpoint, onSaved, onSent, onAsk } = props;
  const { id, url, description, types, enabled, disabledCause } = endpoint;
  const toggle = async (): Promise<void> => {
    const changed = await attempt('It could not be changed:', () => webhookApi.change(id, { enabled: !enabled }));
    if (changed !== null) onSaved(changed);
  };
  const test = async (): Promise<void> => {
    const done = await attempt('The test could not be sent:', async () => {
      await webhookApi.test(id);
      return true;
    });
    if (done === null) return;
    toast('A test is on its way. The log shows how it was taken.');
    onSent();
  };
  return (
    <li className="endpoint" data-enabled={enabled}>
      <button
        type="button"
        className="switch"
        role="switch"
        aria-checked={enabled}
        aria-label={`Deliver to ${url}`}
        title={enabled ? 'Delivers. Click to stop.' : 'Stopped. Click to deliver.'}
        onClick={() => void toggle()}
      />
      <div className="endpoint-main">
        <p className="endpoint-url">{url}</p>
        <p className="endpoint-facts muted">
          {[description, types.length === 0 ? 'All events' : types.join(', ')]
            .filter((part) => part !== '')
            .join(' · ')}
        </p>
        {!enabled && disabledCause !== null && (
          <p className="endpoint-cause">Disabled by the server: {disabledCause}</p>
        )}
      </div>
      <div className="endpoint-tools">
        <button type="button" className="button" disabled={!enabled} onClick={() => void test()}>
          <Send aria-hidden /> Test
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={`Replace the secret of ${url}`}
          title="Replace the secret"
          onClick={() => onAsk('rotate')}
        >
          <KeyRound aria-hidden />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={`Change ${url}`}
          title="Change"
          onClick={() => onAsk('edit')}
        >
          <Pencil aria-hidden />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={`Delete ${url}`}
          title="Delete"
          onClick={() => onAsk('delete')}
        >
          <Trash2 aria-hidden />
        </button>
      </div>
    </li>
  );
}

/** The addresses that are told, and what can be done with them. */
export function EndpointList({ endpoints, onSaved, onRemoved, onSent }: EndpointListProps): ReactElement {
  const [asked, setAsked] = useState<{
    readonly what: 'edit' | 'rotate' | 'delete' | 'secret';
    readonly endpoint: EndpointJson;
  } | null>(null);
  const close = (): void => setAsked(null);
  const rotate = async (endpoint: EndpointJson): Promise<void> => {
    const changed = await attempt('The secret could not be replaced:', () => webhookApi.rotate(endpoint.id));
    if (changed === null) return;
    onSaved(changed);
    setAsked({ what: 'secret', endpoint: changed });
  };
  const remove = async (endpoint: EndpointJson): Promise<void> => {
    close();
    const done = await attempt('It could not be deleted:', async () => {
      await webhookApi.remove(endpoint.id);
      return true;
    });
    if (done === null) return;
    toast('The endpoint is deleted.');
    onRemoved(endpoint.id);
  };
  if (endpoints.length === 0) {
    return (
      <div className="webhooks-empty">
        <Webhook aria-hidden />
        <h2>Nobody is told yet</h2>
        <p className="muted">
          Add an address of yours, and the server posts to it when an asset becomes playable, ready or fails, and when a
          camera goes offline or comes back. What cannot be delivered is tried again for days.
        </p>
      </div>
    );
  }
  return (
    <>
      <ul className="endpoints" aria-label="Endpoints">
        {endpoints.map((endpoint) => (
          <Row
            key={endpoint.id}
            endpoint={endpoint}
            onSaved={onSaved}
            onSent={onSent}
            onAsk={(what) => setAsked({ what, endpoint })}
          />
        ))}
      </ul>
      {asked?.what === 'edit' && (
        <EndpointDialog
          endpoint={asked.endpoint}
          onClose={close}
          onSaved={(endpoint) => {
            onSaved(endpoint);
            close();
          }}
        />
      )}
      {asked?.what === 'secret' && <SecretDialog endpoint={asked.endpoint} isNew={false} onClose={close} />}
      {asked?.what === 'rotate' && (
        <Dialog title="Replace the secret?" onClose={close}>
          <p className="dialog-subject">{asked.endpoint.url}</p>
          <p className="muted">
            A new one is made. Until the old one runs out, deliveries are signed with both, so the receiver can change
            over in its own time.
          </p>
          <div className="dialog-actions">
            <button type="button" className="button" data-first onClick={close}>
              Keep it
            </button>
            <button type="button" className="button" data-kind="primary" onClick={() => void rotate(asked.endpoint)}>
              Replace
            </button>
          </div>
        </Dialog>
      )}
      {asked?.what === 'delete' && (
        <Dialog title="Delete this endpoint?" onClose={close}>
          <p className="dialog-subject">{asked.endpoint.url}</p>
          <p className="muted">Deliveries to it that still wait go too. This cannot be undone.</p>
          <div className="dialog-actions">
            <button type="button" className="button" data-first onClick={close}>
              Keep it
            </button>
            <button type="button" className="button" data-kind="danger" onClick={() => void remove(asked.endpoint)}>
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
