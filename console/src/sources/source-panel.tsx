import { CircleStop } from 'lucide-react';
import { useState, type ReactElement, type ReactNode } from 'react';
import { api, type StreamJson } from '../api/client.ts';
import { describeError } from '../api/problem.ts';
import { useStore, type Store } from '../api/store.ts';
import { AddressRow } from '../assets/copy-button.tsx';
import { bitRate } from '../assets/quantities.ts';
import { Dialog } from '../shell/dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { toast } from '../shell/toasts.tsx';
import { ago, duration, listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { PushHowto } from './push-howto.tsx';
import { codecNames, driftWords, frameRateText, lagWords, sourceState, stateWords } from './source-state.ts';
import '../styles/facts.css';
import '../styles/sources.css';

type Row = readonly [name: string, value: ReactNode];

function Rows({ rows }: { readonly rows: readonly Row[] }): ReactElement {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function encoderRows(source: NonNullable<StreamJson['source']>): readonly Row[] {
  const { picture, sound } = codecNames(source.codecs);
  const rate = source.frameRate === null ? '' : `, ${frameRateText(source.frameRate)}`;
  return [
    ['Picture', picture === null ? 'none' : `${picture}, ${source.width}×${source.height}${rate}`],
    ['Sound', sound ?? 'none'],
    ['Bit rate', bitRate(source.bitsPerSecond)],
    ['Sent as', source.container === 'ts' ? 'MPEG-TS' : 'fragmented MP4'],
    ['Clock', source.clock === 'programDateTime' ? 'the encoder’s own' : 'time of arrival'],
    ['Drift', driftWords(source.driftMs)],
  ];
}

const COUNTERS = [
  ['segments', 'Segments', 'taken'],
  ['epochs', 'Stretches', 'of one encoding and one clock: a restart or another size begins the next'],
  ['gaps', 'Gaps', 'where segments are missing'],
  ['late', 'Late', 'segments that came after what follows them'],
  ['duplicates', 'Duplicates', 'that were sent twice, and are here once'],
  ['rejected', 'Rejected', 'that could not be taken'],
] as const;

function Counters({ source }: { readonly source: NonNullable<StreamJson['source']> }): ReactElement {
  const shownZone = useStore(zone);
  const now = useNow();
  const last = source.lastRejection;
  return (
    <>
      <ul className="counters" aria-label="Counters">
        {COUNTERS.map(([key, name, meaning]) => (
          <li key={key} title={`${name} ${meaning}`} data-bad={key === 'rejected' && source[key] > 0}>
            <strong>{source[key]}</strong> <span>{name}</span>
          </li>
        ))}
      </ul>
      {last !== null && (
        <div className="rejection" role="note">
          <p>
            <strong>Last rejected:</strong> {last.name}, {listTime(Date.parse(last.at), now, shownZone)}
          </p>
          <p>
            {last.message} <code>{last.code}</code>
          </p>
        </div>
      )}
    </>
  );
}

function EndDialog(props: {
  readonly stream: StreamJson;
  readonly onClose: () => void;
  readonly onEnded: (stream: StreamJson) => void;
}): ReactElement {
  const { stream, onClose, onEnded } = props;
  const [busy, setBusy] = useState(false);
  const end = async (): Promise<void> => {
    setBusy(true);
    try {
      onEnded(await api.endStream(stream.id));
      onClose();
      toast(`${stream.name} is ended.`);
    } catch (error) {
      toast(`It could not be ended: ${describeError(error)}`, { tone: 'bad', forMs: 9000 });
      setBusy(false);
    }
  };
  return (
    <Dialog title="End this stream?" onClose={onClose}>
      <p className="dialog-subject">{stream.name}</p>
      <p className="muted">
        Players come to an end where it ends, and it stays to be watched. Another segment of its encoder takes it up
        again.
      </p>
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Go on
        </button>
        <button type="button" className="button" data-kind="danger" disabled={busy} onClick={() => void end()}>
          End it
        </button>
      </div>
    </Dialog>
  );
}

/** What is known of a stream's source, how to send to it, and its end. */
export function SourcePanel({ store }: { readonly store: Store<StreamJson> }): ReactElement {
  const stream = useStore(store);
  const now = useNow();
  const [isEnding, setEnding] = useState(false);
  const { source, edge, kind, lastReceivedAt } = stream;
  const { state } = sourceState(stream);
  const isPushed = kind !== 'frames';
  const rows: readonly Row[] = [
    [
      'State',
      <span key="state" className="source-word" data-state={state}>
        <span className="state-dot" data-state={stream.state} aria-hidden /> {stateWords(stream, now)}
      </span>,
    ],
    ...(edge === null
      ? []
      : ([
          ['Edge', <Link key="edge" href="/edges">{`${edge.name}${edge.connected ? '' : ' (away)'}`}</Link>],
        ] as const)),
    ['Newest', lastReceivedAt === null ? '–' : `came ${ago(Date.parse(lastReceivedAt), now)}`],
    ['Arrives', lagWords(stream.clockSkewMs)],
    ...(source === null ? [] : encoderRows(source)),
    ...(isPushed ? [] : ([['Device', stream.deviceId ?? '–']] as const)),
    ['Kept for', duration(stream.effective.retentionHours * 3_600_000)],
  ];
  return (
    <div className="source-panel">
      {isPushed && state === 'waiting' && edge === null && (
        <section>
          <h3>Nothing has come yet</h3>
          <PushHowto stream={stream} />
        </section>
      )}
      <Rows rows={rows} />
      {source !== null && <Counters source={source} />}
      <section>
        <h3>For players</h3>
        <div className="address-list">
          <AddressRow label="HLS" url={new URL(stream.urls.master, location.href).href} />
          <AddressRow label="Live" url={new URL(stream.urls.live, location.href).href} what="Live playlist address" />
        </div>
      </section>
      {isPushed && state !== 'waiting' && edge === null && (
        <details>
          <summary>How to send to it</summary>
          <PushHowto stream={stream} />
        </details>
      )}
      {isPushed && edge === null && (state === 'live' || state === 'away') && (
        <button type="button" className="button" data-kind="danger" onClick={() => setEnding(true)}>
          <CircleStop aria-hidden /> End this stream
        </button>
      )}
      {isEnding && <EndDialog stream={stream} onClose={() => setEnding(false)} onEnded={(ended) => store.set(ended)} />}
    </div>
  );
}
