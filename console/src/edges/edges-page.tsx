import { Router, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState, type ReactElement, type ReactNode } from 'react';
import type { EdgeDetailJson } from '../api/edge-api.ts';
import { edgeApi } from '../api/edge-api.ts';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { ProgressBar } from '../assets/progress-bar.tsx';
import { bitRate, bytes } from '../assets/quantities.ts';
import { DeleteDialog } from '../kept/delete-dialog.tsx';
import { Command } from '../shell/command.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { duration, listTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { addSample, backlogWords, diskWords, rateOf, skewWords, type SentSample } from './edge-words.ts';
import '../styles/facts.css';
import '../styles/edges.css';

const EVERY_MS = 3000;
/** A disk this full wants to be looked at. */
const FULL = 0.9;

interface Listed {
  readonly edge: EdgeDetailJson;
  readonly bitsPerS: number | null;
}

async function readAll(signal: AbortSignal): Promise<readonly EdgeDetailJson[]> {
  const found: EdgeDetailJson[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof edgeApi.list>> = await edgeApi.list(cursor, signal);
    found.push(...(await Promise.all(page.items.map(({ id }) => edgeApi.read(id, signal)))));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}

/** Every edge, read again and again while somebody looks. */
function useEdges(): {
  readonly edges: readonly Listed[] | null;
  readonly error: unknown;
  readonly look: () => void;
} {
  const [edges, setEdges] = useState<readonly Listed[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const samples = useRef(new Map<string, readonly SentSample[]>());
  useEffect(() => {
    const reading = new AbortController();
    const read = async (): Promise<void> => {
      try {
        const all = await readAll(reading.signal);
        if (reading.signal.aborted) return;
        const listed = all.map((edge) => {
          const { id, sentBytes, connected, lastSeenAt } = edge;
          const known = samples.current.get(id) ?? [];
          const atMs = Date.parse(lastSeenAt);
          const isNews = sentBytes !== null && known.at(-1)?.atMs !== atMs;
          const next = isNews ? addSample(known, { atMs, sentBytes }) : known;
          samples.current.set(id, next);
          return { edge, bitsPerS: connected ? rateOf(next) : null };
        });
        setEdges(listed);
        setError(null);
      } catch (reason) {
        if (!reading.signal.aborted) setError(reason);
      }
    };
    void read();
    const timer = setInterval(() => {
      if (!document.hidden) void read();
    }, EVERY_MS);
    return () => {
      reading.abort();
      clearInterval(timer);
    };
  }, [turn]);
  return { edges, error, look: () => setTurn(turn + 1) };
}

function Fact({
  name,
  bad = false,
  children,
}: {
  readonly name: string;
  readonly bad?: boolean;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-bad={bad}>{children}</dd>
    </div>
  );
}

function Streams({ edge }: { readonly edge: EdgeDetailJson }): ReactElement {
  const { streams, connected } = edge;
  const watched = streams.filter((stream) => stream.watched).length;
  if (streams.length === 0) return <p className="muted edge-none">It has no streams yet.</p>;
  return (
    <>
      <h3>
        {streams.length} {streams.length === 1 ? 'stream' : 'streams'}
        <span className="muted">
          {watched === 0 ? ', none is sent now: nobody watches or records' : `, ${watched} sent as it comes`}
        </span>
      </h3>
      <ul className="edge-streams" aria-label={`Streams of ${edge.name}`}>
        {streams.map(({ id, name, watched: isWatched }) => (
          <li key={id} data-watched={isWatched && connected}>
            <Link href={`/streams/${encodeURIComponent(id)}`}>{name}</Link>
            {isWatched && <span className="edge-sent">{connected ? 'sent now' : 'wanted'}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Edge({ listed, onForget }: { readonly listed: Listed; readonly onForget: () => void }): ReactElement {
  const { edge, bitsPerS } = listed;
  const now = useNow();
  const shownZone = useStore(zone);
  const skew = skewWords(edge.clockSkewMs);
  const disk = diskWords(edge);
  const sinceMs = Date.parse(edge.connectedSince ?? edge.awaySince ?? edge.lastSeenAt);
  const since = `${duration(Math.max(1000, now - sinceMs))}, since ${listTime(sinceMs, now, shownZone)}`;
  return (
    <li className="edge" data-connected={edge.connected}>
      <header className="edge-head">
        <span className="state-dot" data-state={edge.connected ? 'online' : 'offline'} aria-hidden />
        <h2>{edge.name}</h2>
        <p className="edge-link">{edge.connected ? `Connected for ${since}` : `Away for ${since}`}</p>
        <span className="edge-version muted">{edge.version}</span>
        {!edge.connected && (
          <button
            type="button"
            className="icon-button"
            aria-label={`Forget ${edge.name}`}
            title="Forget"
            onClick={onForget}
          >
            <Trash2 aria-hidden />
          </button>
        )}
      </header>
      {!edge.connected && (
        <p className="edge-away muted">
          It goes on by itself, and sends what is missing when there is a link again. What is below is its last word.
        </p>
      )}
      <dl className="facts" data-wide>
        <Fact name="Round trip">
          {edge.roundTripMs === null ? 'not measured yet' : `${edge.roundTripMs.toFixed(0)} ms`}
        </Fact>
        <Fact name="Clock" bad={skew.matters}>
          {skew.text}
        </Fact>
        <Fact name="Sends">
          {[
            ...(bitsPerS === null ? [] : [bitRate(bitsPerS)]),
            ...(edge.sentBytes === null ? [] : [`${bytes(edge.sentBytes)} since its start`]),
          ].join(', ') || '–'}
        </Fact>
        <Fact name="To come">{backlogWords(edge.backlog, bitsPerS)}</Fact>
        <Fact name="Disk" bad={(disk.part ?? 0) > FULL}>
          {disk.text}
          {disk.part !== null && (
            <ProgressBar part={disk.part} label={`Disk of ${edge.name}`} tone={disk.part > FULL ? 'bad' : 'quiet'} />
          )}
        </Fact>
        <Fact name="Runs for">{edge.uptimeSeconds === null ? '–' : duration(edge.uptimeSeconds * 1000)}</Fact>
      </dl>
      <Streams edge={edge} />
    </li>
  );
}

function NoEdges(): ReactElement {
  return (
    <div className="edges-empty">
      <Router aria-hidden />
      <h2>No edges yet</h2>
      <p className="muted">
        An edge is the same program beside the cameras, behind a firewall. It keeps everything there, dials out to this
        server, and sends only what somebody here watches or records. On the machine beside the cameras:
      </p>
      <Command text={`ZOETROPE_EDGE_KEY=KEY zoetrope edge \\\n  --control ${location.origin} --name "North site"`} />
      <p className="muted">
        KEY is one with the scope ingest, made here with <code>zoetrope keys create --scopes ingest</code>; without
        keys, leave it out. The edge appears here by itself, its streams among the <Link href="/">cameras</Link>.
      </p>
    </div>
  );
}

/** Every edge: its link, its clock, its disk, and what is still to come from it. */
export default function EdgesPage(): ReactElement {
  const { edges, error, look } = useEdges();
  const [doomed, setDoomed] = useState<EdgeDetailJson | null>(null);
  useEffect(() => {
    document.title = 'Edges · Zoetrope';
  }, []);
  if (edges === null && error !== null) {
    return (
      <div className="notice" role="alert">
        <h1>The edges could not be loaded</h1>
        <p className="muted">{describeError(error)}</p>
      </div>
    );
  }
  return (
    <div className="edges-page">
      <h1>Edges</h1>
      {edges === null ? (
        <div className="skeleton edge-skeleton" aria-busy="true" aria-label="Loading edges" />
      ) : edges.length === 0 ? (
        <NoEdges />
      ) : (
        <ul className="edges" aria-label="Edges">
          {edges.map((listed) => (
            <Edge key={listed.edge.id} listed={listed} onForget={() => setDoomed(listed.edge)} />
          ))}
        </ul>
      )}
      {doomed !== null && (
        <DeleteDialog
          noun="edge"
          what={doomed.name}
          note="Its streams stay: what of them is here can still be played, the rest shows as lost. Should it come back, it has them again."
          remove={async () => {
            await edgeApi.remove(doomed.id);
            look();
          }}
          onClose={() => setDoomed(null)}
        />
      )}
    </div>
  );
}
