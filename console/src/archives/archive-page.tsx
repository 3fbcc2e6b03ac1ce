import { ChevronLeft } from 'lucide-react';
import type { ReactElement } from 'react';
import { api, type ArchiveJson } from '../api/client.ts';
import { useStore } from '../api/store.ts';
import { CameraModel, readOpenAt } from '../camera/camera-model.ts';
import { keptArchive } from '../kept/kept.ts';
import { KeptPage, type Loaded } from '../kept/kept-page.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { clockTime, duration, shortDate } from '../time/format.ts';

function ArchiveHeader({ item, model }: Loaded<ArchiveJson>): ReactElement {
  const shownZone = useStore(zone);
  const stream = useStore(model.stream);
  const [fromMs, toMs] = [Date.parse(item.from), Date.parse(item.to)];
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

async function load(id: string, signal: AbortSignal): Promise<Loaded<ArchiveJson>> {
  const item = await api.archive(id, signal);
  const stream = await api.stream(item.streamId, signal);
  return { item, model: new CameraModel(stream, keptArchive(item), readOpenAt(location.search)) };
}

/** An archive's page. */
export default function ArchivePage({ id }: { readonly id: string }): ReactElement {
  return (
    <KeptPage
      id={id}
      noun="archive"
      gone="It expired, or was deleted."
      list={{ href: '/archives', name: 'archives' }}
      load={load}
      header={(loaded) => <ArchiveHeader {...loaded} />}
    />
  );
}
