import { BookmarkPlus, Link2, Play, X, ZoomIn } from 'lucide-react';
import type { ReactElement } from 'react';
import { playlistPath } from '../api/client.ts';
import { useStore } from '../api/store.ts';
import { zone } from '../shell/preferences.ts';
import { toast } from '../shell/toasts.tsx';
import { clockTime, duration } from '../time/format.ts';
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

/** The selected stretch and what can be done with it; null while nothing is selected. */
export function SelectionBar({
  model,
  onMark,
}: {
  readonly model: CameraModel;
  readonly onMark: () => void;
}): ReactElement | null {
  const selection = useStore(model.selection);
  const shownZone = useStore(zone);
  if (selection === null) return null;
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
        <button type="button" className="button" onClick={() => model.player.playStretch(fromMs, toMs)}>
          <Play aria-hidden /> Play
        </button>
        <button type="button" className="button" onClick={() => model.setView(fit(selection, model.bounds()))}>
          <ZoomIn aria-hidden /> Zoom
        </button>
        <button type="button" className="button" onClick={onMark}>
          <BookmarkPlus aria-hidden /> Mark
        </button>
        <button type="button" className="button" onClick={() => void copy(location.href, 'Link to this view')}>
          <Link2 aria-hidden /> Copy link
        </button>
        <button type="button" className="button" onClick={() => void copy(playlist, 'Playlist URL')}>
          <Link2 aria-hidden /> Copy playlist
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
