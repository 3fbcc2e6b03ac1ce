import { Plus } from 'lucide-react';
import { useEffect, useState, type FormEvent, type ReactElement } from 'react';
import { api, type StreamJson } from '../api/client.ts';
import { describeError } from '../api/problem.ts';
import { Choices } from '../clips/choices.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { Link } from '../shell/router.tsx';
import { PushHowto } from './push-howto.tsx';
import { sourceLine, stateWords } from './source-state.ts';
import '../styles/clips.css';
import '../styles/sources.css';

const LOOK_EVERY_MS = 1500;
const NOTES: Readonly<Record<'push' | 'chunks', string>> = {
  push: 'An encoder sends HLS, as ffmpeg does. Also RTSP cameras, through ffmpeg.',
  chunks: 'An encoder puts chunks into the object store itself, and announces them.',
};

/** Makes a stream that is pushed to, and shows how; says when its first segment has come. */
export function AddSourceDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const [made, setMade] = useState<StreamJson | null>(null);
  return (
    <Dialog title={made === null ? 'Add a source' : made.name} wide onClose={onClose}>
      {made === null ? <Form onMade={setMade} onClose={onClose} /> : <Made stream={made} onClose={onClose} />}
    </Dialog>
  );
}

function Form(props: { readonly onMade: (stream: StreamJson) => void; readonly onClose: () => void }): ReactElement {
  const { onMade, onClose } = props;
  const [name, setName] = useState('');
  const [kind, setKind] = useState<'push' | 'chunks'>('push');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy || name.trim() === '') return;
    setBusy(true);
    setProblem('');
    try {
      onMade(await api.makeStream(name.trim(), kind));
    } catch (error) {
      setProblem(describeError(error));
      setBusy(false);
    }
  };
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <p className="muted">
        Cameras that send single pictures need none of this: each is here with its first frame. What pushes video needs
        a stream to push to.
      </p>
      <label className="field">
        <span>Name</span>
        <input
          data-first
          required
          maxLength={200}
          placeholder="Studio"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <Choices
        label="It sends"
        value={kind}
        choices={[
          ['push', 'HLS'],
          ['chunks', 'Chunk events'],
        ]}
        onChoose={setKind}
        note={NOTES[kind]}
      />
      {problem !== '' && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button" data-kind="primary" disabled={busy || name.trim() === ''}>
          <Plus aria-hidden /> Add source
        </button>
      </div>
    </form>
  );
}

function Made({ stream, onClose }: { readonly stream: StreamJson; readonly onClose: () => void }): ReactElement {
  const [now, setNow] = useState(stream);
  const hasCome = now.source !== null || now.state !== 'new';
  useEffect(() => {
    // What is known of an encoder is written down a moment after its first segment.
    if (now.source !== null) return undefined;
    const timer = setInterval(() => {
      // A server that is away is told of by the banner; the next turn asks again.
      api.stream(stream.id).then(setNow, () => undefined);
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [stream.id, now.source]);
  return (
    <>
      <PushHowto stream={stream} />
      <p className="source-word" data-state={hasCome ? 'live' : 'waiting'} role="status">
        <span className="state-dot" data-state={now.state} aria-hidden />
        {hasCome
          ? `It is here: ${now.source === null ? stateWords(now, Date.now()) : sourceLine(now.source)}`
          : 'Waits for the first segment…'}
      </p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Done
        </button>
        <Link
          className="button"
          data-kind={hasCome ? 'primary' : undefined}
          href={`/streams/${encodeURIComponent(stream.id)}`}
          onClick={onClose}
        >
          Open it
        </Link>
      </div>
    </>
  );
}
