import { ChevronLeft } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { api } from '../api/client.ts';
import { resyncs } from '../api/connection.ts';
import { ApiError, describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { CameraModel, readOpenAt } from '../camera/camera-model.ts';
import { PageSkeleton } from '../camera/page-skeleton.tsx';
import { Workspace } from '../camera/workspace.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { clockTime, duration, shortDate } from '../time/format.ts';

function ArchiveHeader({ model }: { readonly model: CameraModel }): ReactElement {
  const shownZone = useStore(zone);
  const stream = useStore(model.stream);
  const { archive } = model;
  const [fromMs, toMs] = [Date.parse(archive?.from ?? ''), Date.parse(archive?.to ?? '')];
  return (
    <>
      <Link href="/archives" className="icon-button" aria-label="Back to the archives" title="Archives">
        <ChevronLeft aria-hidden />
      </Link>
      <h1>{stream.name}</h1>
      <p className="muted">
        Archive of {shortDate(fromMs, shownZone)}, {clockTime(fromMs, shownZone, 'minute')} –{' '}
        {clockTime(toMs, shownZone, 'minute')} ({duration(toMs - fromMs)}){' · '}
        <Link href={`/streams/${encodeURIComponent(stream.id)}`}>to the camera</Link>
      </p>
    </>
  );
}

/** An archive's page: the camera's page, within the archive's bounds. */
export default function ArchivePage({ id }: { readonly id: string }): ReactElement {
  const [model, setModel] = useState<CameraModel | null>(null);
  const [error, setError] = useState<unknown>(null);
  const resync = useStore(resyncs);
  const loaded = model !== null;
  useEffect(() => {
    if (loaded) return undefined;
    const loading = new AbortController();
    const load = async (): Promise<void> => {
      const archive = await api.archive(id, loading.signal);
      const stream = await api.stream(archive.streamId, loading.signal);
      if (loading.signal.aborted) return;
      document.title = `${stream.name}, archive · Zoetrope`;
      setModel(new CameraModel(stream, archive, readOpenAt(location.search)));
    };
    load().catch((reason: unknown) => {
      if (!loading.signal.aborted) setError(reason);
    });
    return () => loading.abort();
  }, [id, resync, loaded]);
  if (model !== null) return <Workspace model={model} header={<ArchiveHeader model={model} />} />;
  if (error !== null) {
    const gone = error instanceof ApiError && error.status === 404;
    return (
      <div className="notice" role={gone ? undefined : 'alert'}>
        <h1>{gone ? 'No such archive' : 'The archive could not be loaded'}</h1>
        <p className="muted">{gone ? 'It expired, or was deleted.' : describeError(error)}</p>
        <Link className="button" href="/archives">
          Back to the archives
        </Link>
      </div>
    );
  }
  return <PageSkeleton />;
}
