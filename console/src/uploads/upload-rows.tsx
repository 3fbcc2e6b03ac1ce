import { FileVideo, Pause, Play, RotateCcw, Undo2, X } from 'lucide-react';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { describeError } from '../api/problem.ts';
import { useStore } from '../api/store.ts';
import { bytes, percent, timeLeft } from '../assets/quantities.ts';
import { ProgressBar } from '../assets/progress-bar.tsx';
import { toast } from '../shell/toasts.tsx';
import { duration } from '../time/format.ts';
import { useNow } from '../time/now.ts';
import { requestOf, DEFAULT_FORM } from './request-form.ts';
import { discard, findUnfinished, isFileOf, type UnfinishedUpload } from './unfinished.ts';
import { uploadQueue, type Upload } from './upload-queue.ts';

function statusOf(upload: Upload): string {
  const amount = `${bytes(upload.sentBytes)} of ${bytes(upload.sizeBytes)}`;
  switch (upload.state) {
    case 'waiting':
      return `Waiting its turn · ${bytes(upload.sizeBytes)}`;
    case 'sending':
      if (upload.sentBytes >= upload.sizeBytes) return `${amount} · the server takes it in`;
      return [
        amount,
        upload.bytesPerS !== null && `${bytes(upload.bytesPerS)}/s`,
        upload.etaSeconds !== null && timeLeft(upload.etaSeconds),
        upload.isContinued && 'continued',
      ]
        .filter((part) => part !== false)
        .join(' · ');
    case 'paused':
      return `Paused · ${amount}`;
    case 'failed':
      return `Stopped · ${amount}`;
    case 'refused':
      return bytes(upload.sizeBytes);
    case 'done':
      return `Uploaded · ${bytes(upload.sizeBytes)}`;
  }
}

const STATE_WORDS: Readonly<Record<Upload['state'], string>> = {
  waiting: 'Uploading',
  sending: 'Uploading',
  paused: 'Paused',
  failed: 'Stopped',
  refused: 'Refused',
  done: 'Uploaded',
};

/** A file on its way. */
export function UploadRow({ upload }: { readonly upload: Upload }): ReactElement {
  const { id, name, state } = upload;
  const isStopped = state === 'failed' || state === 'refused';
  const part = upload.sizeBytes === 0 ? 0 : upload.sentBytes / upload.sizeBytes;
  return (
    <li className="job" data-upload={state}>
      <div className="job-head">
        <span className="job-poster" aria-hidden>
          <FileVideo />
        </span>
        <div className="job-main">
          <p className="job-title">
            <span className="job-name">{name}</span>
            <span className="state-badge" data-state={isStopped ? 'failed' : 'uploading'}>
              {STATE_WORDS[state]}
            </span>
          </p>
          <p className="job-facts muted">{statusOf(upload)}</p>
          <div className="job-progress">
            <ProgressBar
              part={part}
              label={`Upload of ${name}`}
              tone={isStopped ? 'bad' : state === 'paused' ? 'quiet' : 'accent'}
            />
            <span className="job-percent">{percent(part)}</span>
          </div>
        </div>
        <div className="job-tools">
          {state === 'sending' && (
            <button
              type="button"
              className="icon-button"
              aria-label={`Pause ${name}`}
              title="Pause"
              onClick={() => uploadQueue.pause(id)}
            >
              <Pause aria-hidden />
            </button>
          )}
          {(state === 'paused' || state === 'failed') && (
            <button
              type="button"
              className="icon-button"
              aria-label={`Continue ${name}`}
              title="Continue"
              onClick={() => uploadQueue.resume(id)}
            >
              {state === 'failed' ? <RotateCcw aria-hidden /> : <Play aria-hidden />}
            </button>
          )}
          <button
            type="button"
            className="icon-button"
            aria-label={`Cancel the upload of ${name}`}
            title="Cancel"
            onClick={() => uploadQueue.cancel(id)}
          >
            <X aria-hidden />
          </button>
        </div>
      </div>
      {isStopped && (
        <p className="job-cause" role="alert">
          {upload.why}
        </p>
      )}
    </li>
  );
}

function UnfinishedRow(props: { readonly upload: UnfinishedUpload; readonly onGone: () => void }): ReactElement {
  const { upload, onGone } = props;
  const { name, sentBytes, sizeBytes, expiresAtMs } = upload;
  const picker = useRef<HTMLInputElement>(null);
  const now = useNow();
  const choose = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    if (!(await isFileOf(upload, file))) {
      toast(`That is another file. Choose ${name} as it was, ${bytes(sizeBytes)} long.`, { tone: 'bad' });
      return;
    }
    // The server kept the options that it began with.
    uploadQueue.add([file], requestOf(DEFAULT_FORM));
    onGone();
  };
  const remove = async (): Promise<void> => {
    onGone();
    try {
      await discard(upload);
    } catch (error) {
      toast(`The server could not remove it: ${describeError(error)} It goes by itself when it expires.`);
    }
  };
  const leftMs = expiresAtMs - now;
  return (
    <li className="job" data-upload="unfinished">
      <div className="job-head">
        <span className="job-poster" aria-hidden>
          <Undo2 />
        </span>
        <div className="job-main">
          <p className="job-title">
            <span className="job-name">{name}</span>
            <span className="state-badge" data-state="uploading">
              Unfinished
            </span>
          </p>
          <p className="job-facts muted">
            {bytes(sentBytes)} of {bytes(sizeBytes)} are there
            {leftMs > 60_000 && `, kept for ${duration(leftMs)}`}. Choose the file again to go on.
          </p>
          <div className="job-progress">
            <ProgressBar part={sentBytes / sizeBytes} label={`Unfinished upload of ${name}`} tone="quiet" />
            <span className="job-percent">{percent(sentBytes / sizeBytes)}</span>
          </div>
        </div>
        <div className="job-tools">
          <button type="button" className="button" onClick={() => picker.current?.click()}>
            Go on
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={`Discard the upload of ${name}`}
            title="Discard"
            onClick={() => void remove()}
          >
            <X aria-hidden />
          </button>
          <input
            ref={picker}
            type="file"
            hidden
            aria-label={`Choose ${name} again`}
            onChange={(event) => void choose(event.target.files?.[0])}
          />
        </div>
      </div>
    </li>
  );
}

/** Uploads of before the page was loaded, which can go on. */
export function UnfinishedUploads(): ReactElement | null {
  const [found, setFound] = useState<readonly UnfinishedUpload[]>([]);
  const active = useStore(uploadQueue.uploads);
  useEffect(() => {
    let isOver = false;
    findUnfinished().then(
      (uploads) => {
        if (!isOver) setFound(uploads);
      },
      // Without the browser's storage or the server there is nothing to go on with.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, []);
  const shown = found.filter((upload) => !active.some((each) => each.name === upload.name));
  if (shown.length === 0) return null;
  return (
    <>
      {shown.map((upload) => (
        <UnfinishedRow
          key={upload.key}
          upload={upload}
          onGone={() => setFound((before) => before.filter(({ key }) => key !== upload.key))}
        />
      ))}
    </>
  );
}
