import { useState, type FormEvent, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { Dialog } from '../shell/dialog.tsx';

/** Gives something another name. */
export function RenameDialog(props: {
  readonly noun: string;
  readonly name: string;
  readonly onClose: () => void;
  readonly rename: (name: string) => Promise<void>;
}): ReactElement {
  const { noun, name, onClose, rename } = props;
  const [text, setText] = useState(name);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (text.trim() === '' || busy) return;
    setBusy(true);
    try {
      await rename(text.trim());
      onClose();
    } catch (error) {
      setProblem(describeError(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Rename the ${noun}`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>Title</span>
          <input
            data-first
            required
            maxLength={200}
            value={text}
            aria-invalid={text.trim() === ''}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setText(event.target.value)}
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
          <button type="submit" className="button" data-kind="primary" disabled={busy || text.trim() === ''}>
            Rename
          </button>
        </div>
      </form>
    </Dialog>
  );
}
