import { ChevronLeft } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { api } from '../api/client.ts';
import { recordingApi, type RecordingJson } from '../api/recording-api.ts';
import { useStore } from '../api/store.ts';
import { bytes } from '../assets/quantities.ts';
import { CameraModel, readOpenAt } from '../camera/camera-model.ts';
import { spanText } from '../kept/kept-list.tsx';
import { keptRecording } from '../kept/kept.ts';
import { KeptPage, type Loaded } from '../kept/kept-page.tsx';
import { zone } from '../shell/preferences.ts';
import { Link, navigate } from '../shell/router.tsx';
import { duration } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { elapsed } from './elapsed.ts';
import { RecordingTools } from './recording-tools.tsx';

const REFRESH_MS = 5_000;

function RecordingHeader({ item, model }: Loaded<RecordingJson>): ReactElement {
  const shownZone = useStore(zone);
  const stream = useStore(model.stream);
  const [recording, setRecording] = useState(item);
  const isRunning = recording.state === 'recording';
  const now = useNow(isRunning);
  const fromMs = Date.parse(recording.from);
  useEffect(() => {
    model.kept.set(keptRecording(recording));
    document.title = `${recording.title}, recording · Zoetrope`;
    if (recording.state !== 'recording') return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) recordingApi.read(recording.id).then(setRecording, () => undefined);
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [recording, model]);
  return (
    <>
      <Link href="/recordings" className="icon-button" aria-label="Back to the recordings" title="Recordings">
        <ChevronLeft aria-hidden />
      </Link>
      <h1>{recording.title}</h1>
      <p className="muted">
        {isRunning ? (
          <span className="rec-elapsed">
            <i className="rec-dot" aria-hidden /> {elapsed(now - fromMs)}
          </span>
        ) : (
          `${spanText(fromMs, Date.parse(recording.to ?? recording.from), shownZone)} (${duration(recording.durationSeconds * 1000)})`
        )}
        {' · '}
        {bytes(recording.sizeBytes)}
        {' · '}
        <Link href={`/streams/${encodeURIComponent(stream.id)}`}>{stream.name}</Link>
      </p>
      <div className="header-tools">
        <RecordingTools recording={recording} onChanged={setRecording} onRemoved={() => navigate('/recordings')} />
      </div>
    </>
  );
}

async function load(id: string, signal: AbortSignal): Promise<Loaded<RecordingJson>> {
  const item = await recordingApi.read(id, signal);
  const stream = await api.stream(item.streamId, signal);
  return { item, model: new CameraModel(stream, keptRecording(item), readOpenAt(location.search)) };
}

/** A recording's page. */
export default function RecordingPage({ id }: { readonly id: string }): ReactElement {
  return (
    <KeptPage
      id={id}
      noun="recording"
      gone="It was deleted."
      list={{ href: '/recordings', name: 'recordings' }}
      load={load}
      header={(loaded) => <RecordingHeader {...loaded} />}
    />
  );
}
