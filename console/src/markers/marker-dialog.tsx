import { useId, useState, type FormEvent, type ReactElement } from 'react';
import { api } from '../api/client.ts';
import { describeError } from '../api/problem.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { Dialog } from '../shell/dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { clockTime, duration, listTime } from '../time/format.ts';
import { readMarker, type Stretch } from '../timeline/timeline-data.ts';

/** What a {@link MarkerDialog} makes. */
export interface MarkerDialogProps {
  readonly model: CameraModel;
  /** Capture time of the picture on screen. */
  readonly atMs: number;
  readonly selection: Stretch | null;
  /** Whether the selection was meant, rather than the moment. */
  readonly preferRange: boolean;
  readonly onClose: () => void;
}

const TYPE = /^[a-z0-9._-]{1,64}$/;

/** Asks for a marker's label and type, and makes it. */
export function MarkerDialog({ model, atMs, selection, preferRange, onClose }: MarkerDialogProps): ReactElement {
  const [label, setLabel] = useState('');
  const [type, setType] = useState('note');
  const [isRange, setIsRange] = useState(preferRange && selection !== null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const listId = useId();
  const known = new Set(['note', ...(model.feed.data.get()?.markers ?? []).map((marker) => marker.type)]);
  const typeIsGood = TYPE.test(type);
  const fromMs = isRange && selection !== null ? selection.fromMs : atMs;
  const when = listTime(fromMs, model.feed.nowMs(), zone.get());
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (label.trim() === '' || !typeIsGood || busy) return;
    setBusy(true);
    try {
      const until = isRange && selection !== null ? new Date(Math.round(selection.toMs)).toISOString() : null;
      const made = await api.addMarker(model.stream.get().id, {
        at: new Date(Math.round(fromMs)).toISOString(),
        ...(until === null ? {} : { until }),
        label: label.trim(),
        type,
      });
      model.feed.putMarker(readMarker(made));
      onClose();
    } catch (error) {
      setProblem(describeError(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Add a marker" onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <p className="muted">
          At <strong>{when}</strong>
          {isRange && selection !== null && (
            <>
              {' '}
              until <strong>{clockTime(selection.toMs, zone.get())}</strong>,{' '}
              {duration(selection.toMs - selection.fromMs)}
            </>
          )}
        </p>
        <label className="field">
          <span>Label</span>
          <input
            data-first
            required
            maxLength={200}
            value={label}
            placeholder="What happens here"
            onChange={(event) => setLabel(event.target.value)}
          />
        </label>
        <label className="field">
          <span>Type</span>
          <input
            required
            maxLength={64}
            list={listId}
            spellCheck={false}
            autoCapitalize="none"
            value={type}
            aria-invalid={!typeIsGood}
            onChange={(event) => setType(event.target.value.toLowerCase())}
          />
          <datalist id={listId}>
            {[...known].map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </label>
        {!typeIsGood && <p className="field-error">Lower-case letters, digits, dot, dash and underscore only.</p>}
        {selection !== null && (
          <label className="check">
            <input type="checkbox" checked={isRange} onChange={(event) => setIsRange(event.target.checked)} />
            Mark the whole selection
          </label>
        )}
        {problem !== '' && (
          <p className="field-error" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className="button"
            data-kind="primary"
            disabled={label.trim() === '' || !typeIsGood || busy}
          >
            Add marker
          </button>
        </div>
      </form>
    </Dialog>
  );
}
