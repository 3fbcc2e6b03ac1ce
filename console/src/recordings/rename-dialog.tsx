import { useState, type FormEvent, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { recordingApi, type RecordingJson } from '../api/recording-api.ts';
import { Dialog } from '../shell/dialog.tsx';

/** Gives a recording another title. */
export function RenameDialog(props: {
  readonly recording: RecordingJson;
  readonly onClose: () => void;
  readonly onRenamed: (recording: RecordingJson) => void;
}): ReactElement {
  const { recording, onClose, onRenamed } = props;
  const [title, setTitle] = useState(recording.title);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (title.trim() === '' || busy) return;
    setBusy(true);
    try {
      onRenamed(await recordingApi.rename(recording.id, title.trim()));
      onClose();
    } catch (error) {
      setProblem(describeError(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Rename the recording" onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>Title</span>
          <input
            data-first
            required
            maxLength={200}
            value={title}
            aria-invalid={title.trim() === ''}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setTitle(event.target.value)}
          />
        </label>
        {problem !== '' && (
          <p className="field-error" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" data-kind="primary" disabled={busy || title.trim() === ''}>
            Rename
          </button>
        </div>
      </form>
    </Dialog>
  );
}
