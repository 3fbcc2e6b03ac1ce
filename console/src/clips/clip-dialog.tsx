import { ArrowRight, Scissors } from 'lucide-react';
import { useState, type FormEvent, type ReactElement } from 'react';
import { clipApi, type ClipJson } from '../api/clip-api.ts';
import { pictureUrl } from '../api/client.ts';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { ServerPicture } from '../assets/server-picture.tsx';
import type { CameraModel } from '../camera/camera-model.ts';
import { nextPicturesMs, picturesBeforeMs } from '../kept/kept.ts';
import { Dialog } from '../shell/dialog.tsx';
import { zone } from '../shell/preferences.ts';
import { clockTime, duration, exactLength, shortDate } from '../time/format.ts';
import type { Stretch } from '../timeline/timeline-data.ts';
import { ClipResult } from './clip-result.tsx';
import { Choices } from './choices.tsx';
import { gapsWithin, playedMs } from './clip-length.ts';
import '../styles/clips.css';

const SPEEDS = [1, 2, 4, 10, 60] as const;
const DAY_S = 86_400;
const LIVES: readonly (readonly [string, number | null])[] = [
  ['As usual', null],
  ['1 day', DAY_S],
  ['7 days', 7 * DAY_S],
  ['30 days', 30 * DAY_S],
];

function End(props: {
  readonly label: string;
  readonly streamId: string;
  readonly atMs: number;
  readonly pictureMs: number;
}): ReactElement {
  const { label, streamId, atMs, pictureMs } = props;
  const shownZone = useStore(zone);
  return (
    <figure className="clip-end">
      <div className="clip-end-picture">
        <ServerPicture url={pictureUrl(streamId, pictureMs, 320)} alt={`${label} picture`} />
      </div>
      <figcaption>
        <span className="muted">{label}</span> {clockTime(atMs, shownZone, 'ms')}
      </figcaption>
    </figure>
  );
}

/** What a {@link ClipDialog} makes a clip of. */
export interface ClipDialogProps {
  readonly model: CameraModel;
  readonly range: Stretch;
  readonly onClose: () => void;
}

/** Asks how a clip is to be, makes it, and hands it over. */
export function ClipDialog({ model, range, onClose }: ClipDialogProps): ReactElement {
  const [made, setMade] = useState<ClipJson | null>(null);
  return (
    <Dialog title={made === null ? 'Make a clip' : made.name} wide onClose={onClose}>
      {made === null ? (
        <ClipForm model={model} range={range} onClose={onClose} onMade={setMade} />
      ) : (
        <ClipResult clip={made} onClose={onClose} />
      )}
    </Dialog>
  );
}

function ClipForm(props: ClipDialogProps & { readonly onMade: (clip: ClipJson) => void }): ReactElement {
  const { model, range, onClose, onMade } = props;
  const { id, name: streamName, kind } = model.stream.get();
  const shownZone = useStore(zone);
  const data = useStore(model.feed.data);
  const [name, setName] = useState(
    `${streamName}, ${shortDate(range.fromMs, shownZone)} ${clockTime(range.fromMs, shownZone)}`,
  );
  const [mode, setMode] = useState<ClipJson['mode']>('exact');
  const [gaps, setGaps] = useState<ClipJson['gaps']>('skip');
  const [speed, setSpeed] = useState<number>(1);
  const [expiresIn, setExpiresIn] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const stretches = data?.stretches ?? [];
  const missing = gapsWithin(range, data?.gaps ?? []);
  const lengthMs = playedMs(range, missing, gaps, speed);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy || name.trim() === '') return;
    setBusy(true);
    setProblem('');
    const kept = model.kept.get();
    try {
      onMade(
        await clipApi.make(id, {
          from: new Date(range.fromMs).toISOString(),
          to: new Date(range.toMs).toISOString(),
          ...(kept === null ? {} : { holdId: kept.id }),
          mode,
          gaps,
          speed,
          name: name.trim(),
          ...(expiresIn === null ? {} : { expiresIn }),
        }),
      );
    } catch (error) {
      setProblem(describeError(error));
      setBusy(false);
    }
  };
  return (
    <form className="clip-form" onSubmit={(event) => void submit(event)}>
      <div className="clip-ends">
        <End label="From" streamId={id} atMs={range.fromMs} pictureMs={nextPicturesMs(range.fromMs, stretches)} />
        <ArrowRight aria-hidden />
        <End label="To" streamId={id} atMs={range.toMs} pictureMs={picturesBeforeMs(range.toMs, stretches)} />
      </div>
      <label className="field">
        <span>Name</span>
        <input
          data-first
          required
          maxLength={200}
          value={name}
          onFocus={(event) => event.target.select()}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <Choices
        label="Cut"
        value={mode}
        choices={[
          ['exact', 'To the picture'],
          ['keyframes', 'On keyframes'],
        ]}
        onChoose={setMode}
        note={
          mode === 'exact'
            ? 'Begins and ends with the very pictures above. Only those around the ends are encoded again.'
            : `Nothing is encoded again: it begins with the keyframe before${kind === 'frames' ? '' : ', up to a segment early'}.`
        }
      />
      <Choices
        label="Gaps"
        value={gaps}
        choices={[
          ['skip', 'Leave out'],
          ['black', 'Black'],
        ]}
        onChoose={setGaps}
        note={
          missing.length === 0
            ? 'There is none in it.'
            : `${missing.length === 1 ? 'One' : missing.length}, ${duration(missing.reduce((sum, gap) => sum + gap.toMs - gap.fromMs, 0))} in all. ${gaps === 'skip' ? 'The pictures go on without a pause.' : 'Time in the clip stays wall time.'}`
        }
      />
      <Choices
        label="Speed"
        value={speed}
        choices={SPEEDS.map((value) => [value, `${value}×`] as const)}
        onChoose={setSpeed}
        note={speed === 1 ? 'As it was, with sound if there is any.' : 'Every picture, faster. Without sound.'}
      />
      <Choices
        label="Keep for"
        value={expiresIn}
        choices={LIVES.map(([label, seconds]) => [seconds, label] as const)}
        onChoose={setExpiresIn}
        note="Then it is deleted by itself."
      />
      {problem !== '' && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <p className="clip-length muted">
          {exactLength(range.toMs - range.fromMs)}
          {Math.abs(lengthMs - (range.toMs - range.fromMs)) > 1 && `, plays for ${exactLength(lengthMs)}`}
        </p>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button" data-kind="primary" disabled={busy || name.trim() === ''}>
          <Scissors aria-hidden /> Make the clip
        </button>
      </div>
    </form>
  );
}
