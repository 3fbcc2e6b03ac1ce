import { api } from '../api/client.ts';
import { describeError } from '../api/problem.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { toast } from '../shell/toasts.tsx';
import type { Marker } from '../timeline/timeline-data.ts';

const UNDO_MS = 6000;

/** Takes a marker away at once, and tells the server once it can no longer be undone, or when the page goes. */
export function deleteMarker(model: CameraModel, marker: Marker): void {
  const streamId = model.stream.get().id;
  model.feed.hideMarker(marker);
  const finish = (leaving: boolean): void => {
    settle();
    api.deleteMarker(streamId, marker.id, leaving).catch((error: unknown) => {
      model.feed.showMarker(marker);
      toast(`“${marker.label}” could not be deleted: ${describeError(error)}`, { tone: 'bad' });
    });
  };
  const onLeave = (): void => finish(true);
  const timer = setTimeout(() => finish(false), UNDO_MS);
  const settle = (): void => {
    clearTimeout(timer);
    window.removeEventListener('pagehide', onLeave);
  };
  window.addEventListener('pagehide', onLeave);
  const undo = (): void => {
    settle();
    model.feed.showMarker(marker);
  };
  toast(`Deleted “${marker.label}”.`, { forMs: UNDO_MS - 200, action: { label: 'Undo', run: undo } });
}
