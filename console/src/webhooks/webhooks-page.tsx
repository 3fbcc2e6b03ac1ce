import { KeyRound, Plus } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { resyncs } from '../api/connection.ts';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { webhookApi, type EndpointJson, type EndpointWithSecretJson } from '../api/webhook-api.ts';
import { attempt } from '../assets/asset-actions.tsx';
import { DeliveryLog } from './delivery-log.tsx';
import { EndpointDialog, SecretDialog } from './endpoint-dialog.tsx';
import { EndpointList } from './endpoint-list.tsx';
import '../styles/assets.css';
import '../styles/asset.css';
import '../styles/webhooks.css';

/** Who is told what happens, and how that went. */
export default function WebhooksPage(): ReactElement {
  const [endpoints, setEndpoints] = useState<readonly EndpointJson[] | null>(null);
  const [problem, setProblem] = useState('');
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<EndpointWithSecretJson | null>(null);
  const [jobSecret, setJobSecret] = useState<string | null>(null);
  const resync = useStore(resyncs);
  useEffect(() => {
    document.title = 'Webhooks · Zoetrope';
    const loading = new AbortController();
    webhookApi.endpoints(loading.signal).then(
      (page) => {
        setEndpoints(page.items);
        setProblem('');
      },
      (error: unknown) => {
        if (!loading.signal.aborted) setProblem(describeError(error));
      },
    );
    return () => loading.abort();
  }, [resync]);
  const put = (endpoint: EndpointJson): void =>
    setEndpoints((before) => {
      const list = before ?? [];
      const at = list.findIndex(({ id }) => id === endpoint.id);
      return at < 0 ? [...list, endpoint] : list.with(at, endpoint);
    });
  const showJobSecret = async (): Promise<void> => {
    const answer = await attempt('The secret could not be read:', () => webhookApi.jobSecret());
    if (answer !== null) setJobSecret(answer.secret);
  };
  if (endpoints === null && problem !== '') {
    return (
      <div className="notice" role="alert">
        <h1>The webhooks could not be loaded</h1>
        <p className="muted">{problem}</p>
      </div>
    );
  }
  return (
    <div className="webhooks-page">
      <div className="webhooks-head">
        <h1>Webhooks</h1>
        <button
          type="button"
          className="button quiet"
          title="What signs deliveries to addresses that were named when a file was uploaded"
          onClick={() => void showJobSecret()}
        >
          <KeyRound aria-hidden /> Assets’ own secret
        </button>
        <button type="button" className="button" data-kind="primary" onClick={() => setAdding(true)}>
          <Plus aria-hidden /> Add endpoint
        </button>
      </div>
      {endpoints === null ? (
        <div className="skeleton" style={{ height: 140 }} aria-busy="true" aria-label="Loading endpoints" />
      ) : (
        <EndpointList
          endpoints={endpoints}
          onSaved={put}
          onRemoved={(id) => setEndpoints((before) => before?.filter((each) => each.id !== id) ?? null)}
        />
      )}
      <DeliveryLog endpoints={endpoints ?? []} />
      {adding && (
        <EndpointDialog
          endpoint={null}
          onClose={() => setAdding(false)}
          onSaved={put}
          onMade={(endpoint) => {
            put(endpoint);
            setAdding(false);
            setMade(endpoint);
          }}
        />
      )}
      {made !== null && (
        <SecretDialog
          title="The endpoint is there"
          secret={made.secret}
          note="It is not shown again."
          onClose={() => setMade(null)}
        />
      )}
      {jobSecret !== null && (
        <SecretDialog
          title="Secret of assets’ own webhooks"
          secret={jobSecret}
          note="It is for addresses that were named when a file was uploaded."
          onClose={() => setJobSecret(null)}
        />
      )}
    </div>
  );
}
