import { BookmarkPlus, Link2, ListVideo, Repeat, Scissors, Square, X, ZoomIn } from 'lucide-react';
import type { ReactElement } from 'react';
import { playlistPath } from '../api/client.ts';
import { useStore } from '../api/store.ts';
import { zone } from '../shell/preferences.ts';
import { toast } from '../shell/toasts.tsx';
import { clockTime, exactLength } from '../time/format.ts';
import type { Stretch } from '../timeline/timeline-data.ts';
import { fit } from '../timeline/viewport.ts';
import type { CameraModel } from './camera-model.ts';

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied.`);
  } catch {
    // No clipboard without HTTPS or permission: then at least it can be read and copied by hand.
    toast(text, { forMs: 15_000 });
  }
}

/** What a {@link SelectionBar} shows and acts on. */
export interface SelectionBarProps {
  readonly model: CameraModel;
  readonly selection: Stretch;
  readonly onMark: () => void;
  readonly onClip: () => void;
}

/** The selected stretch and what can be done with it. */
export function SelectionBar({ model, selection, onMark, onClip }: SelectionBarProps): ReactElement {
  const shownZone = useStore(zone);
  const isLooping = useStore(model.player.state).stretch?.loop === true;
  const { fromMs, toMs } = selection;
  const playlist = new URL(playlistPath(model.stream.get().id, 'range', selection), location.href).href;
  return (
    <div className="selection-bar" role="group" aria-label="Selection">
      <p>
        <strong>
          {clockTime(fromMs, shownZone, 'ms')} – {clockTime(toMs, shownZone, 'ms')}
        </strong>{' '}
        <span className="muted">{exactLength(toMs - fromMs)}</span>
      </p>
      <div className="selection-tools">
        <button type="button" className="button" data-kind="primary" title="Make a clip of it (C)" onClick={onClip}>
          <Scissors aria-hidden /> <span>Clip</span>
        </button>
        <button
          type="button"
          className="button"
          aria-pressed={isLooping}
          title={isLooping ? 'Stop the loop (X)' : 'Play it in a loop (X)'}
          onClick={() => model.toggleLoop()}
        >
          {isLooping ? <Square aria-hidden /> : <Repeat aria-hidden />} <span>{isLooping ? 'Stop' : 'Preview'}</span>
        </button>
        {[
          ['Zoom to the selection', ZoomIn, () => model.setView(fit(selection, model.bounds()))] as const,
          ['Add a marker over the selection', BookmarkPlus, onMark] as const,
          ['Copy the link to this view', Link2, () => void copy(location.href, 'Link to this view')] as const,
          ['Copy the URL of the selection’s playlist', ListVideo, () => void copy(playlist, 'Playlist URL')] as const,
        ].map(([what, Icon, run]) => (
          <button
            key={what}
            type="button"
            className="icon-button"
            data-rare={Icon === ListVideo || Icon === ZoomIn}
            aria-label={what}
            title={what}
            onClick={run}
          >
            <Icon aria-hidden />
          </button>
        ))}
        <button
          type="button"
          className="icon-button"
          aria-label="Clear the selection"
          title="Clear (Esc)"
          onClick={() => model.select(null)}
        >
          <X aria-hidden />
        </button>
      </div>
    </div>
  );
}
