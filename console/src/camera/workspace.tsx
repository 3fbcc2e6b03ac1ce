import { useCallback, useEffect, useRef, useState, type MouseEvent, type ReactElement, type ReactNode } from 'react';
import { useStore } from '../api/store.ts';
import { ClipDialog } from '../clips/clip-dialog.tsx';
import { MarkerDialog } from '../markers/marker-dialog.tsx';
import { Controls } from '../player/controls.tsx';
import { PlayerView } from '../player/player-view.tsx';
import type { Recorder } from '../recordings/recorder.ts';
import { toast } from '../shell/toasts.tsx';
import { setQuery } from '../shell/router.tsx';
import { Overview } from '../timeline/overview.tsx';
import { TimelineBar } from '../timeline/timeline-bar.tsx';
import { Timeline } from '../timeline/timeline.tsx';
import type { Stretch } from '../timeline/timeline-data.ts';
import type { CameraModel } from './camera-model.ts';
import { Side } from './side.tsx';
import { useShortcuts } from './shortcuts.ts';
import '../styles/camera.css';
import '../styles/timeline.css';

/** What a {@link Workspace} shows. */
export interface WorkspaceProps {
  readonly model: CameraModel;
  readonly header: ReactNode;
  /** Absent where there is nothing to record: on the page of what is kept. */
  readonly recorder?: Recorder;
}

/** Says aloud what changed by itself. */
function useAnnouncements(model: CameraModel): readonly [string, (text: string) => void] {
  const [text, setText] = useState('');
  const { state } = useStore(model.stream);
  const { live, phase } = useStore(model.player.state);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) setText(state === 'online' ? 'The camera is online' : 'The camera is offline');
    first.current = false;
  }, [state]);
  useEffect(() => {
    if (phase === 'ready') setText(live ? 'Live' : '');
  }, [live, phase]);
  return [text, setText];
}

/** A button that was clicked gives the keyboard back to the shortcuts: Space means play, not the same button again. */
function releaseFocus(event: MouseEvent): void {
  const isPointer = event.detail > 0;
  if (isPointer && event.target instanceof Element) event.target.closest<HTMLElement>('button')?.blur();
}

/** The player, the timeline and the markers of one camera, archive or recording. */
export function Workspace({ model, header, recorder }: WorkspaceProps): ReactElement {
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const selection = useStore(model.selection);
  const [clipping, setClipping] = useState<Stretch | null>(null);
  const [adding, setAdding] = useState<{ readonly atMs: number; readonly preferRange: boolean } | null>(null);
  const [spoken, announce] = useAnnouncements(model);
  useEffect(() => model.follow(), [model]);

  const fullscreen = useCallback(() => {
    const done = document.fullscreenElement === null ? stage.current?.requestFullscreen() : document.exitFullscreen();
    done?.catch(() => toast('This browser does not allow full screen here.'));
  }, []);
  const addMarker = (preferRange = false): void => {
    const atMs = model.player.state.get().frameMs;
    if (atMs === null) toast('There is no picture to mark yet.');
    else setAdding({ atMs, preferRange });
  };
  const clip = (): void => {
    const range = model.selection.get() ?? model.whole();
    if (range === null) toast('Mark a range first: I at its first picture, O at its last.');
    else setClipping(range);
  };
  useShortcuts(model, { addMarker, fullscreen, announce, record: () => void recorder?.toggle(), clip });

  // The address names the moment on screen whenever the picture is held.
  const { playing, frameMs } = useStore(model.player.state);
  useEffect(() => {
    if (!playing && frameMs !== null) setQuery({ t: new Date(frameMs).toISOString() });
  }, [playing, frameMs]);

  return (
    <div className="camera-page" onClick={releaseFocus}>
      <div className="camera-header">{header}</div>
      <div ref={stage} className="stage">
        <PlayerView model={model} video={video} />
        <Controls model={model} video={video} onFullscreen={fullscreen} />
      </div>
      <div className="timeline" role="group" aria-label="Timeline and tools">
        <TimelineBar model={model} onMark={() => addMarker(true)} onClip={clip} />
        <Timeline model={model} />
        <Overview model={model} />
      </div>
      <Side model={model} onAdd={() => addMarker()} />
      {adding !== null && (
        <MarkerDialog model={model} {...adding} selection={selection} onClose={() => setAdding(null)} />
      )}
      {clipping !== null && <ClipDialog model={model} range={clipping} onClose={() => setClipping(null)} />}
      <p className="visually-hidden" role="status" aria-live="polite">
        {spoken}
      </p>
    </div>
  );
}
