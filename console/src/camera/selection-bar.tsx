import { BookmarkPlus, Link2, Play, X, ZoomIn } from 'lucide-react';
import type { ReactElement } from 'react';
import { playlistPath } from '../api/client.ts';
import { useStore } from '../api/store.ts';
import { zone } from '../shell/preferences.ts';
import { toast } from '../shell/toasts.tsx';
import { clockTime, duration } from '../time/format.ts';
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
}

/** The selected stretch and what can be done with it. */
export function SelectionBar({ model, selection, onMark }: SelectionBarProps): ReactElement {
  const shownZone = useStore(zone);
  const { fromMs, toMs } = selection;
  const playlist = new URL(playlistPath(model.stream.get().id, 'range', fromMs, toMs), location.href).href;
  return (
    <div className="selection-bar" role="group" aria-label="Selection">
      <p>
        <strong>
          {clockTime(fromMs, shownZone)} – {clockTime(toMs, shownZone)}
        </strong>{' '}
        <span className="muted">{duration(toMs - fromMs)}</span>
      </p>
      <div className="selection-tools">
        <button
          type="button"
          className="button"
          title="Play the selection"
          onClick={() => model.player.playStretch(fromMs, toMs)}
        >
          <Play aria-hidden /> <span>Play</span>
        </button>
        <button
          type="button"
          className="button"
          title="Zoom to the selection"
          onClick={() => model.setView(fit(selection, model.bounds()))}
        >
          <ZoomIn aria-hidden /> <span>Zoom</span>
        </button>
        <button type="button" className="button" title="Add a marker over the selection" onClick={onMark}>
          <BookmarkPlus aria-hidden /> <span>Mark</span>
        </button>
        <button
          type="button"
          className="button"
          title="Copy the link to this view"
          onClick={() => void copy(location.href, 'Link to this view')}
        >
          <Link2 aria-hidden /> <span>Copy link</span>
        </button>
        <button
          type="button"
          className="button"
          title="Copy the URL of the selection’s playlist"
          onClick={() => void copy(playlist, 'Playlist URL')}
        >
          <Link2 aria-hidden /> <span>Copy playlist</span>
        </button>
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
