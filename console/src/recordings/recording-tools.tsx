import { Pencil, Share2, Square, Trash2 } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { recordingApi, type RecordingJson } from '../api/recording-api.ts';
import { DeleteDialog, KEPT_NOTE } from '../kept/delete-dialog.tsx';
import { RenameDialog } from '../kept/rename-dialog.tsx';
import { ShareKeptDialog } from '../kept/share-kept-dialog.tsx';
import { toast } from '../shell/toasts.tsx';
import '../styles/recordings.css';

/** What {@link RecordingTools} act on. */
export interface RecordingToolsProps {
  readonly recording: RecordingJson;
  readonly onChanged: (recording: RecordingJson) => void;
  readonly onRemoved: () => void;
}

/** What can be done with a recording: stop, rename, share, delete. */
export function RecordingTools({ recording, onChanged, onRemoved }: RecordingToolsProps): ReactElement {
  const [open, setOpen] = useState<'none' | 'rename' | 'share' | 'delete'>('none');
  const [isStopping, setStopping] = useState(false);
  const { id, title } = recording;
  const close = (): void => setOpen('none');
  const stop = async (): Promise<void> => {
    setStopping(true);
    try {
      onChanged(await recordingApi.stop(id));
    } catch (error) {
      toast(`The recording could not be stopped: ${describeError(error)}`, { tone: 'bad' });
    } finally {
      setStopping(false);
    }
  };
  return (
    <>
      {recording.state === 'recording' && (
        <button
          type="button"
          className="button stop-button"
          aria-label={`Stop ${title}`}
          disabled={isStopping}
          onClick={() => void stop()}
        >
          <Square aria-hidden /> <span>Stop</span>
        </button>
      )}
      <button
        type="button"
        className="icon-button"
        aria-label={`Rename ${title}`}
        title="Rename"
        onClick={() => setOpen('rename')}
      >
        <Pencil aria-hidden />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`Share ${title}`}
        title="Share"
        onClick={() => setOpen('share')}
      >
        <Share2 aria-hidden />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`Delete ${title}`}
        title="Delete"
        onClick={() => setOpen('delete')}
      >
        <Trash2 aria-hidden />
      </button>
      {open === 'rename' && (
        <RenameDialog
          noun="recording"
          name={title}
          rename={async (name) => onChanged(await recordingApi.rename(id, name))}
          onClose={close}
        />
      )}
      {open === 'share' && <ShareKeptDialog kept={{ kind: 'recording', id }} onClose={close} />}
      {open === 'delete' && (
        <DeleteDialog
          noun="recording"
          note={KEPT_NOTE}
          what={recording.state === 'recording' ? `${title}. It is still running, and would stop.` : title}
          remove={async () => {
            await recordingApi.remove(id);
            onRemoved();
          }}
          onClose={close}
        />
      )}
    </>
  );
}
