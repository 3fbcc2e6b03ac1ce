import { ChevronDown, Circle, Square } from 'lucide-react';
import type { ReactElement } from 'react';
import { useStore } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { zone } from '../shell/preferences.ts';
import { Link } from '../shell/router.tsx';
import { useMenu } from '../shell/use-menu.ts';
import { clockTime } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { useSecondlyPlayhead } from '../timeline/use-playhead.ts';
import { elapsed } from './elapsed.ts';
import type { Recorder } from './recorder.ts';
import '../styles/recordings.css';

/** How far back a recording can be started at a click. */
const BACK: readonly (readonly [string, number])[] = [
  ['1 minute ago', 60_000],
  ['5 minutes ago', 300_000],
  ['15 minutes ago', 900_000],
];

/** Starts and stops recordings: from now at a click, from earlier by its menu. */
export function RecordControl({
  model,
  recorder,
}: {
  readonly model: CameraModel;
  readonly recorder: Recorder;
}): ReactElement {
  useStore(model.feed.data);
  const isBusy = useStore(recorder.isBusy);
  const running = recorder.running();
  useNow(running.length > 0);
  const nowMs = model.feed.nowMs();
  const menu = useMenu();
  const first = running[0];
  const start = (fromMs: number | null) => (): void => {
    menu.close();
    void recorder.start(fromMs);
  };
  return (
    <div ref={menu.box} className="menu-box record" data-running={first !== undefined} onKeyDown={menu.onKeyDown}>
      {first === undefined ? (
        <button
          type="button"
          className="record-button"
          title="Record from now (R)"
          disabled={isBusy}
          onClick={start(null)}
        >
          <Circle aria-hidden />
          <span>Record</span>
        </button>
      ) : running.length === 1 ? (
        <button
          type="button"
          className="record-button"
          aria-label={`Stop the recording, running for ${elapsed(nowMs - first.fromMs)}`}
          title={`Stop “${first.name}”`}
          disabled={isBusy}
          onClick={() => void recorder.stop(first.id)}
        >
          <i className="rec-dot" aria-hidden />
          <span>{elapsed(nowMs - first.fromMs)}</span>
          <span className="record-stop">
            <Square aria-hidden /> <span>Stop</span>
          </span>
        </button>
      ) : (
        <button
          type="button"
          className="record-button"
          aria-label={`${running.length} recordings are running: show them`}
          title={`${running.length} recordings are running`}
          onClick={menu.toggle}
        >
          <i className="rec-dot" aria-hidden />
          <span>{running.length} recordings</span>
        </button>
      )}
      <button
        type="button"
        className="record-more"
        aria-haspopup="menu"
        aria-expanded={menu.isOpen}
        aria-controls={menu.id}
        aria-label="Record from a time, and running recordings"
        title="Record from …"
        onClick={menu.toggle}
      >
        <ChevronDown aria-hidden />
      </button>
      {menu.isOpen && (
        <RecordMenu model={model} recorder={recorder} id={menu.id} nowMs={nowMs} close={menu.close} start={start} />
      )}
    </div>
  );
}

function RecordMenu(props: {
  readonly model: CameraModel;
  readonly recorder: Recorder;
  readonly id: string;
  readonly nowMs: number;
  readonly close: () => void;
  readonly start: (fromMs: number | null) => () => void;
}): ReactElement {
  const { model, recorder, id, nowMs, close, start } = props;
  const playheadMs = useSecondlyPlayhead(model.player);
  const shownZone = useStore(zone);
  const running = recorder.running();
  const earliestMs = model.feed.data.get()?.stretches[0]?.fromMs ?? nowMs;
  return (
    <div id={id} className="menu record-menu" role="menu" aria-label="Record">
      {running.length > 0 && <p className="menu-title">Running</p>}
      {running.map((hold) => (
        <div key={hold.id} role="none" className="record-running">
          <Link href={`/recordings/${encodeURIComponent(hold.id)}`} role="menuitem">
            <i className="rec-dot" aria-hidden />
            <span>{hold.name}</span>
          </Link>
          <button
            type="button"
            role="menuitem"
            aria-label={`Stop ${hold.name}`}
            onClick={() => {
              close();
              void recorder.stop(hold.id);
            }}
          >
            {elapsed(nowMs - hold.fromMs)} <Square aria-hidden />
          </button>
        </div>
      ))}
      <p className="menu-title">{running.length > 0 ? 'Record another' : 'Record'}</p>
      <button type="button" role="menuitem" onClick={start(null)}>
        From now
      </button>
      {BACK.map(([label, backMs]) => (
        <button
          key={label}
          type="button"
          role="menuitem"
          disabled={earliestMs >= nowMs}
          onClick={start(model.feed.nowMs() - backMs)}
        >
          From {label}{' '}
          {nowMs - backMs < earliestMs && earliestMs < nowMs && (
            <span className="muted">only {clockTime(earliestMs, shownZone, 'minute')}</span>
          )}
        </button>
      ))}
      <button type="button" role="menuitem" disabled={playheadMs === null} onClick={start(model.player.playheadMs())}>
        From the playhead <span className="muted">{playheadMs === null ? '' : clockTime(playheadMs, shownZone)}</span>
      </button>
    </div>
  );
}
