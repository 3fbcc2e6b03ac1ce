import { ChevronRight, RotateCw } from 'lucide-react';
import { useCallback, useEffect, useId, useRef, useState, type ReactElement } from 'react';
import { resyncs } from '../api/connection.ts';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { webhookApi, type DeliveryFilter, type DeliveryJson, type EndpointJson } from '../api/webhook-api.ts';
import { attempt } from '../assets/asset-actions.tsx';
import { CopyButton } from '../assets/copy-button.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { toast } from '../shell/toasts.tsx';
import { duration, listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { bodyText, stateText, subjectHref } from './delivery-text.ts';

/** How often the log is read anew: while something in it waits, and else. */
const [BUSY_REFRESH_MS, CALM_REFRESH_MS] = [2000, 8000];
const STATES: readonly (readonly [DeliveryFilter['state'], string])[] = [
  [null, 'All'],
  ['waiting', 'Waiting'],
  ['delivered', 'Delivered'],
  ['failed', 'Failed'],
];

/** The body of a delivery, asked for when somebody looks. */
function Body({ id }: { readonly id: string }): ReactElement {
  const [body, setBody] = useState<string | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const loading = new AbortController();
    webhookApi.delivery(id, loading.signal).then(
      ({ payload }) => setBody(bodyText(payload)),
      (error: unknown) => {
        if (!loading.signal.aborted) setProblem(describeError(error));
      },
    );
    return () => loading.abort();
  }, [id]);
  return (
    <section aria-label="Body">
      <h3>Body {body !== null && <CopyButton text={body} what="the body" />}</h3>
      {problem === '' ? (
        <pre tabIndex={0} aria-busy={body === null}>
          {body ?? ' '}
        </pre>
      ) : (
        <p className="field-error">{problem}</p>
      )}
    </section>
  );
}

function Detail({ delivery }: { readonly delivery: DeliveryJson }): ReactElement {
  const now = useNow(false);
  const shownZone = useStore(zone);
  const href = subjectHref(delivery);
  return (
    <div className="delivery-body">
      <section aria-label="Tries">
        <h3>Tries</h3>
        {delivery.tries.length === 0 && <p className="muted">None yet.</p>}
        <ol className="tries">
          {delivery.tries.map((each) => (
            <li key={each.at} data-failed={each.error !== null}>
              <span className="try-status">{each.status ?? '–'}</span>
              <time dateTime={each.at}>{listTime(Date.parse(each.at), now, shownZone)}</time>
              <span className="muted">{duration(each.durationMs)}</span>
              {each.error !== null && <span className="try-error">{each.error}</span>}
            </li>
          ))}
        </ol>
        <p className="delivery-subject muted">
          About {href === null ? <code>{delivery.subjectId}</code> : <Link href={href}>{delivery.subjectId}</Link>}
        </p>
      </section>
      <Body id={delivery.id} />
    </div>
  );
}

function Row({
  delivery,
  onChanged,
}: {
  readonly delivery: DeliveryJson;
  readonly onChanged: () => void;
}): ReactElement {
  const [open, setOpen] = useState(false);
  const panelId = useId();
  const now = useNow(delivery.state === 'waiting');
  const shownZone = useStore(zone);
  const redeliver = async (): Promise<void> => {
    const changed = await attempt('It could not be sent again:', () => webhookApi.redeliver(delivery.id));
    if (changed === null) return;
    toast('It is on its way again.');
    onChanged();
  };
  return (
    <li className="delivery" data-state={delivery.state}>
      <div className="delivery-head">
        <button
          type="button"
          className="icon-button job-toggle"
          aria-label={`Tries of ${delivery.type}`}
          aria-expanded={open}
          aria-controls={panelId}
          onClick={() => setOpen(!open)}
        >
          <ChevronRight aria-hidden />
        </button>
        <span className="delivery-type">
          <code>{delivery.type}</code>
          {delivery.endpointId === null && <span className="state-badge">Asset’s own</span>}
        </span>
        <span className="delivery-url muted" title={delivery.url}>
          {delivery.url}
        </span>
        <span className="delivery-state" data-state={delivery.state}>
          {stateText(delivery, now)}
        </span>
        <time className="delivery-time muted" dateTime={delivery.createdAt}>
          {listTime(Date.parse(delivery.createdAt), now, shownZone)}
        </time>
        <button
          type="button"
          className="icon-button"
          aria-label={`Send ${delivery.type} again`}
          title="Send again"
          onClick={() => void redeliver()}
        >
          <RotateCw aria-hidden />
        </button>
      </div>
      <div id={panelId} hidden={!open}>
        {open && <Detail delivery={delivery} />}
      </div>
    </li>
  );
}

/** What was sent, how it was taken, and sending it again. */
export function DeliveryLog({ endpoints }: { readonly endpoints: readonly EndpointJson[] }): ReactElement {
  const [filter, setFilter] = useState<DeliveryFilter>({ endpointId: null, state: null });
  const [items, setItems] = useState<readonly DeliveryJson[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState('');
  const [asked, setAsked] = useState(0);
  const resync = useStore(resyncs);
  const isDeep = useRef(false);
  const again = useCallback(() => setAsked((before) => before + 1), []);

  useEffect(() => {
    const loading = new AbortController();
    isDeep.current = false;
    webhookApi.deliveries(filter, null, loading.signal).then(
      (page) => {
        setItems(page.items);
        setCursor(page.nextCursor);
        setProblem('');
      },
      (error: unknown) => {
        if (!loading.signal.aborted) setProblem(describeError(error));
      },
    );
    return () => loading.abort();
  }, [filter, resync, asked]);

  // There are no events of deliveries: while only the newest are shown, the log is asked again.
  const isWaiting = items?.some(({ state }) => state === 'waiting') === true;
  useEffect(() => {
    const refresh = (): void => {
      if (!isDeep.current && !document.hidden) again();
    };
    const timer = setInterval(refresh, isWaiting ? BUSY_REFRESH_MS : CALM_REFRESH_MS);
    return () => clearInterval(timer);
  }, [isWaiting, again]);

  const more = async (): Promise<void> => {
    isDeep.current = true;
    const page = await attempt('Older ones could not be loaded:', () => webhookApi.deliveries(filter, cursor));
    if (page === null) return;
    setItems((before) => [...(before ?? []), ...page.items]);
    setCursor(page.nextCursor);
  };
  const isNarrow = filter.endpointId !== null || filter.state !== null;
  return (
    <section className="delivery-section" aria-label="Deliveries">
      <div className="wall-bar">
        <h2>Deliveries</h2>
        <div className="segmented" role="group" aria-label="Show">
          {STATES.map(([state, label]) => (
            <button
              key={label}
              type="button"
              aria-pressed={filter.state === state}
              onClick={() => setFilter({ ...filter, state })}
            >
              {label}
            </button>
          ))}
        </div>
        {endpoints.length > 0 && (
          <select
            className="delivery-endpoint"
            aria-label="Endpoint"
            value={filter.endpointId ?? ''}
            onChange={(event) => setFilter({ ...filter, endpointId: event.target.value || null })}
          >
            <option value="">All endpoints</option>
            {endpoints.map(({ id, url }) => (
              <option key={id} value={id}>
                {url}
              </option>
            ))}
          </select>
        )}
      </div>
      {problem !== '' && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      {items === null ? (
        problem === '' && <div className="skeleton" style={{ height: 160 }} aria-busy="true" />
      ) : items.length === 0 ? (
        <p className="muted deliveries-empty">{isNarrow ? 'No delivery matches.' : 'Nothing has been sent yet.'}</p>
      ) : (
        <ul className="deliveries">
          {items.map((delivery) => (
            <Row key={delivery.id} delivery={delivery} onChanged={again} />
          ))}
        </ul>
      )}
      {cursor !== null && (
        <button type="button" className="button jobs-more" onClick={() => void more()}>
          Show older ones
        </button>
      )}
    </section>
  );
}
