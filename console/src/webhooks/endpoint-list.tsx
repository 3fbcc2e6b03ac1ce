import { KeyRound, Pencil, Send, Trash2, Webhook } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { webhookApi, type EndpointJson, type EndpointWithSecretJson } from '../api/webhook-api.ts';
import { attempt } from '../assets/asset-actions.tsx';
import { DeleteDialog } from '../kept/delete-dialog.tsx';
import { toast } from '../shell/toasts.tsx';
import { duration } from '../time/format.ts';
import { EndpointDialog, RotateDialog, SecretDialog } from './endpoint-dialog.tsx';

/** What an {@link EndpointList} shows and reports. */
export interface EndpointListProps {
  readonly endpoints: readonly EndpointJson[];
  readonly onSaved: (endpoint: EndpointJson) => void;
  readonly onRemoved: (id: string) => void;
}

function Row(props: {
  readonly endpoint: EndpointJson;
  readonly onSaved: (endpoint: EndpointJson) => void;
  readonly onAsk: (what: 'edit' | 'rotate' | 'delete') => void;
}): ReactElement {
  const { endpoint, onSaved, onAsk } = props;
  const [busy, setBusy] = useState(false);
  const { id, url, description, types, enabled, disabledCause } = endpoint;
  const toggle = async (): Promise<void> => {
    const changed = await attempt('It could not be changed:', () => webhookApi.change(id, { enabled: !enabled }));
    if (changed !== null) onSaved(changed);
  };
  const test = async (): Promise<void> => {
    setBusy(true);
    const sent = await attempt('The test could not be sent:', () => webhookApi.test(id));
    setBusy(false);
    if (sent === null) return;
    if (sent.error === null) toast(`The test was taken: ${sent.status ?? ''} after ${duration(sent.durationMs)}.`);
    else toast(`The test was not taken: ${sent.error}`, { tone: 'bad', forMs: 9000 });
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
        <button type="button" className="button" disabled={busy} onClick={() => void test()}>
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
export function EndpointList({ endpoints, onSaved, onRemoved }: EndpointListProps): ReactElement {
  const [asked, setAsked] = useState<{
    readonly what: 'edit' | 'rotate' | 'delete';
    readonly endpoint: EndpointJson;
  } | null>(null);
  const [rotated, setRotated] = useState<EndpointWithSecretJson | null>(null);
  const close = (): void => setAsked(null);
  const rotate = async (endpoint: EndpointJson, oldValidHours: number): Promise<void> => {
    const changed = await attempt('The secret could not be replaced:', () =>
      webhookApi.rotate(endpoint.id, oldValidHours),
    );
    if (changed === null) return;
    onSaved(changed);
    close();
    setRotated(changed);
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
          <Row key={endpoint.id} endpoint={endpoint} onSaved={onSaved} onAsk={(what) => setAsked({ what, endpoint })} />
        ))}
      </ul>
      {asked?.what === 'edit' && (
        <EndpointDialog
          endpoint={asked.endpoint}
          onClose={close}
          onMade={onSaved}
          onSaved={(endpoint) => {
            onSaved(endpoint);
            close();
          }}
        />
      )}
      {asked?.what === 'rotate' && (
        <RotateDialog
          endpoint={asked.endpoint}
          onClose={close}
          onRotate={(oldValidHours) => void rotate(asked.endpoint, oldValidHours)}
        />
      )}
      {rotated !== null && (
        <SecretDialog
          title="The secret is replaced"
          secret={rotated.secret}
          note="It is not shown again."
          onClose={() => setRotated(null)}
        />
      )}
      {asked?.what === 'delete' && (
        <DeleteDialog
          noun="endpoint"
          what={asked.endpoint.url}
          note="Deliveries to it that still wait go too."
          remove={async () => {
            await webhookApi.remove(asked.endpoint.id);
            onRemoved(asked.endpoint.id);
          }}
          onClose={close}
        />
      )}
    </>
  );
}
