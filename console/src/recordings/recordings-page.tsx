import { Play } from 'lucide-react';
import { useEffect, useState, type ReactElement } from 'react';
import { recordingApi, type RecordingJson } from '../api/recording-api.ts';
import { useStore } from '../api/store.ts';
import { bytes } from '../assets/quantities.ts';
import { KeptItems, KeptList, spanText } from '../kept/kept-list.tsx';
import { KeptRow } from '../kept/kept-row.tsx';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { clockTime, duration, shortDate } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { elapsed } from './elapsed.ts';
import { RecordingTools } from './recording-tools.tsx';

const REFRESH_MS = 10_000;

function Row(props: {
  readonly recording: RecordingJson;
  readonly name: string | undefined;
  readonly list: KeptItems<RecordingJson>;
}): ReactElement {
  const { recording, name, list } = props;
  const isRunning = recording.state === 'recording';
  const now = useNow(isRunning);
  const shownZone = useStore(zone);
  const fromMs = Date.parse(recording.from);
  const href = `/recordings/${encodeURIComponent(recording.id)}`;
  const missingS = recording.durationSeconds - recording.coveredSeconds;
  const span =
    recording.to === null
      ? `since ${shortDate(fromMs, shownZone)} ${clockTime(fromMs, shownZone)}`
      : spanText(fromMs, Date.parse(recording.to), shownZone);
  const length = isRunning ? (
    <span className="rec-elapsed">
      <i className="rec-dot" aria-hidden /> {elapsed(now - fromMs)}
    </span>
  ) : (
    duration(recording.durationSeconds * 1000)
  );
  return (
    <KeptRow
      href={href}
      streamId={recording.streamId}
      pictureMs={fromMs}
      title={recording.title}
      isRunning={isRunning}
      facts={[
        <Link key="stream" href={`/streams/${encodeURIComponent(recording.streamId)}`}>
          {name ?? '…'}
        </Link>,
        span,
        length,
        bytes(recording.sizeBytes),
        ...(recording.gapCount > 0
          ? [`${recording.gapCount} ${recording.gapCount === 1 ? 'gap' : 'gaps'}, ${duration(missingS * 1000)} missing`]
          : []),
      ]}
      tools={
        <>
          <Link href={href} className="button">
            <Play aria-hidden /> <span>Play</span>
          </Link>
          <RecordingTools
            recording={recording}
            onChanged={(changed) => list.put(changed)}
            onRemoved={() => list.drop(recording.id)}
          />
        </>
      }
    />
  );
}

/** Every recording. */
export default function RecordingsPage(): ReactElement {
  const [list] = useState(() => new KeptItems<RecordingJson>(recordingApi.list));
  const running = (useStore(list.items) ?? []).filter(({ state }) => state === 'recording').map(({ id }) => id);
  const runningIds = running.join(' ');
  useEffect(() => {
    if (runningIds === '') return undefined;
    // What is running grows; somebody else may stop it.
    const timer = setInterval(() => {
      if (document.hidden) return;
      for (const id of runningIds.split(' '))
        recordingApi.read(id).then(
          (fresh) => list.put(fresh),
          () => undefined,
        );
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [runningIds, list]);
  return (
    <KeptList
      title="Recordings"
      list={list}
      empty={
        <div className="kept-empty">
          <p>No recordings yet.</p>
          <p className="muted">
            Open a camera and press <kbd>R</kbd> or <strong>Record</strong>: from now, or from some minutes ago. What is
            recorded stays until it is deleted here, also when the camera’s timeline has moved on.
          </p>
          <Link className="button" href="/">
            To the cameras
          </Link>
        </div>
      }
      row={(recording, name) => <Row key={recording.id} recording={recording} name={name} list={list} />}
    />
  );
}
