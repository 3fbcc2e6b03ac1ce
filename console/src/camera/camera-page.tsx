import { ChevronLeft } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { api } from '../api/client.ts';
import { resyncs } from '../api/connection.ts';
import { ApiError, describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { RecordControl } from '../recordings/record-control.tsx';
import { Recorder } from '../recordings/recorder.ts';
import { Link } from '../shell/router.tsx';
import { sourceLine, stateWords } from '../sources/source-state.ts';
import { ago } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { CameraModel, readOpenAt } from './camera-model.ts';
import { PageSkeleton } from './page-skeleton.tsx';
import { Workspace } from './workspace.tsx';

function CameraHeader({ model, recorder }: { readonly model: CameraModel; readonly recorder: Recorder }): ReactElement {
  const stream = useStore(model.stream);
  const now = useNow();
  const seen =
    stream.source !== null
      ? `${stateWords(stream, now)} · ${sourceLine(stream.source)}`
      : stream.lastCapturedAt === null
        ? stateWords(stream, now)
        : `newest frame ${ago(Date.parse(stream.lastCapturedAt), now)}`;
  return (
    <>
      <Link href="/" className="icon-button" aria-label="Back to the cameras" title="Cameras">
        <ChevronLeft aria-hidden />
      </Link>
      <span className="state-dot" data-state={stream.state} role="img" aria-label={stream.state} />
      <h1>{stream.name}</h1>
      <p className="muted" title={seen}>
        {seen}
        {stream.edge !== null && (
          <>
            {' · at '}
            <Link href="/edges">{stream.edge.name}</Link>
            {!stream.edge.connected && ', which is away'}
          </>
        )}
      </p>
      <div className="header-tools">
        <RecordControl model={model} recorder={recorder} />
      </div>
    </>
  );
}

/** A camera's page. */
export default function CameraPage({ id }: { readonly id: string }): ReactElement {
  const [page, setPage] = useState<{ readonly model: CameraModel; readonly recorder: Recorder } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const resync = useStore(resyncs);
  const loaded = page !== null;
  useEffect(() => {
    if (loaded) return undefined;
    const loading = new AbortController();
    api.stream(id, loading.signal).then(
      (stream) => {
        if (loading.signal.aborted) return;
        document.title = `${stream.name} · Zoetrope`;
        const model = new CameraModel(stream, null, readOpenAt(location.search));
        setPage({ model, recorder: new Recorder(model) });
      },
      (reason: unknown) => {
        if (!loading.signal.aborted) setError(reason);
      },
    );
    return () => loading.abort();
  }, [id, resync, loaded]);
  if (page !== null) return <Workspace {...page} header={<CameraHeader {...page} />} />;
  if (error instanceof ApiError && error.status === 404) {
    return (
      <div className="notice">
        <h1>No such camera</h1>
        <p className="muted">
          There is no stream <code>{id}</code>. It may have been deleted, or belongs to another tenant.
        </p>
        <Link className="button" href="/">
          Back to the cameras
        </Link>
      </div>
    );
  }
  if (error !== null) {
    return (
      <div className="notice" role="alert">
        <h1>The camera could not be loaded</h1>
        <p className="muted">{describeError(error)}</p>
      </div>
    );
  }
  return <PageSkeleton />;
}
