import { useState, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { Dialog } from '../shell/dialog.tsx';
import { toast } from '../shell/toasts.tsx';

/** Asks before something is deleted for good. */
export function DeleteDialog(props: {
  readonly noun: string;
  readonly what: string;
  /** What goes with it. */
  readonly note: string;
  readonly onClose: () => void;
  readonly remove: () => Promise<void>;
}): ReactElement {
  const { noun, what, note, onClose, remove } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const confirm = async (): Promise<void> => {
    setBusy(true);
    try {
      await remove();
      onClose();
      toast(`The ${noun} is deleted.`);
    } catch (reason) {
      setProblem(`It could not be deleted: ${describeError(reason)}`);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Delete this ${noun}?`} onClose={onClose}>
      <p className="dialog-subject">{what}</p>
      <p className="muted">{note} This cannot be undone.</p>
      {problem !== '' && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" data-first onClick={onClose}>
          Keep it
        </button>
        <button type="button" className="button" data-kind="danger" disabled={busy} onClick={() => void confirm()}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}

/** What goes with a recording or an archive. */
export const KEPT_NOTE = 'Pictures that are older than the camera’s retention go with it.';
