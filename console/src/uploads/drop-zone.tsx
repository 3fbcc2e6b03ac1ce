import { FileVideo, Link2, SlidersHorizontal, UploadCloud } from 'lucide-react';
import { useEffect, useId, useRef, useState, type FormEvent, type ReactElement } from 'react';
import { assetApi } from '../api/asset-api.ts';
import type { AssetJson } from '../api/asset-types.ts';
import { describeError } from '../api/problem.ts';
import { Store, useStore } from '../api/store.ts';
import { toast } from '../shell/toasts.tsx';
import { OptionsPanel } from './options-panel.tsx';
import { DEFAULT_FORM, faultsOf, requestOf, summaryOf, type RequestForm } from './request-form.ts';
import { uploadQueue } from './upload-queue.ts';

/** The options of the next uploads; they stay while one looks at other pages. */
const form = new Store<RequestForm>(DEFAULT_FORM);

function sendFiles(files: readonly File[], onFaults: () => void): void {
  if (files.length === 0) return;
  const empty = files.filter((file) => file.size === 0);
  const good = files.filter((file) => file.size > 0);
  if (empty.length > 0) toast(`${empty.map((file) => file.name).join(', ')}: the file is empty.`, { tone: 'bad' });
  if (good.length === 0) return;
  if (Object.keys(faultsOf(form.get())).length > 0) {
    onFaults();
    toast('Something in the options is not right. Nothing was sent yet.', { tone: 'bad' });
    return;
  }
  uploadQueue.add(good, requestOf(form.get()));
}

/** Files that are dragged over the page, wherever they are let go. */
function useDroppedFiles(onFiles: (files: readonly File[]) => void): boolean {
  const [over, setOver] = useState(false);
  const take = useRef(onFiles);
  useEffect(() => {
    take.current = onFiles;
  }, [onFiles]);
  useEffect(() => {
    let depth = 0;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
    const stop = new AbortController();
    const { signal } = stop;
    const onEnter = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const onLeave = (): void => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const onOver = (event: DragEvent): void => {
      if (hasFiles(event)) event.preventDefault();
    };
    const onDrop = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      take.current([...(event.dataTransfer?.files ?? [])]);
    };
    window.addEventListener('dragenter', onEnter, { signal });
    window.addEventListener('dragleave', onLeave, { signal });
    window.addEventListener('dragover', onOver, { signal });
    window.addEventListener('drop', onDrop, { signal });
    return () => stop.abort();
  }, []);
  return over;
}

function UrlForm(props: { readonly onFaults: () => void; readonly onMade: (asset: AssetJson) => void }): ReactElement {
  const { onFaults, onMade } = props;
  const [url, setUrl] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const problemId = useId();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wanted = url.trim();
    if (wanted === '' || busy) return;
    if (Object.keys(faultsOf(form.get())).length > 0) {
      onFaults();
      return;
    }
    setBusy(true);
    setProblem('');
    try {
      onMade(await assetApi.fromUrl(wanted, requestOf(form.get())));
      setUrl('');
    } catch (error) {
      setProblem(describeError(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="url-form" onSubmit={(event) => void submit(event)}>
      <label className="url-field">
        <Link2 aria-hidden />
        <input
          type="url"
          inputMode="url"
          placeholder="https://…/film.mp4"
          aria-label="Address of a file"
          aria-invalid={problem !== ''}
          aria-describedby={problem === '' ? undefined : problemId}
          value={url}
          onChange={(event) => {
            setUrl(event.target.value);
            setProblem('');
          }}
        />
      </label>
      <button type="submit" className="button" disabled={url.trim() === '' || busy}>
        Fetch
      </button>
      {problem !== '' && (
        <p id={problemId} className="field-error" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

/** Where files come in: dropped, picked or named by an address, with what is to be made of them. */
export function DropZone({ onMade }: { readonly onMade: (asset: AssetJson) => void }): ReactElement {
  const values = useStore(form);
  const [open, setOpen] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const panelId = useId();
  const showFaults = (): void => setOpen(true);
  const take = (files: readonly File[]): void => sendFiles(files, showFaults);
  const over = useDroppedFiles(take);
  return (
    <section className="drop-card" aria-label="Upload">
      <div className="drop-zone" data-over={over} onClick={() => picker.current?.click()}>
        <span className="drop-icon" aria-hidden>
          {over ? <FileVideo /> : <UploadCloud />}
        </span>
        <div className="drop-words">
          <p className="drop-title">{over ? 'Let go to upload' : 'Drop videos here'}</p>
          <p className="muted">Whatever the format, however long. It plays seconds after it has arrived.</p>
        </div>
        <button
          type="button"
          className="button"
          data-kind="primary"
          onClick={(event) => {
            event.stopPropagation();
            picker.current?.click();
          }}
        >
          Choose files
        </button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          accept="video/*,audio/*,.mkv,.ts,.m2ts,.mts,.mxf,.flv,.avi,.mov,.wmv"
          aria-label="Files to upload"
          onClick={(event) => event.stopPropagation()}
          onChange={(event) => {
            take([...(event.target.files ?? [])]);
            // The same file may be chosen again.
            event.target.value = '';
          }}
        />
      </div>
      <div className="drop-foot">
        <UrlForm onFaults={showFaults} onMade={onMade} />
        <button
          type="button"
          className="options-toggle"
          aria-expanded={open}
          aria-controls={panelId}
          onClick={() => setOpen(!open)}
        >
          <SlidersHorizontal aria-hidden />
          <span className="options-summary">
            <span className="options-title">Options</span>
            <span className="muted">{summaryOf(values)}</span>
          </span>
        </button>
      </div>
      <div id={panelId} hidden={!open}>
        {open && <OptionsPanel values={values} onChange={(change) => form.set({ ...form.get(), ...change })} />}
      </div>
    </section>
  );
}
