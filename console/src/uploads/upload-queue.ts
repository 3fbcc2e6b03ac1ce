import type { DetailedError, Upload as Transfer } from 'tus-js-client';
import { assetApi } from '../api/asset-api.ts';
import type { NewAssetOptions } from '../api/asset-types.ts';
import { resyncs } from '../api/connection.ts';
import { ownAddress } from '../api/own-address.ts';
import { describeError } from '../api/problem.ts';
import { authorization } from '../api/session-key.ts';
import { Store } from '../api/store.ts';
import { secondsLeft, TransferRate } from './transfer-rate.ts';

/** A file on its way to the server. */
export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sentBytes: number;
  /** `failed`: it can go on; `refused`: the server does not want it. */
  readonly state: 'waiting' | 'sending' | 'paused' | 'failed' | 'refused' | 'done';
  /** Went on where an earlier try, maybe before a reload, had stopped. */
  readonly isContinued: boolean;
  readonly bytesPerS: number | null;
  readonly etaSeconds: number | null;
  /** What went wrong, in words. */
  readonly why: string;
  /** Once it is done. */
  readonly assetId: string | null;
}

interface Job {
  readonly file: File;
  readonly request: NewAssetOptions;
  readonly rate: TransferRate;
  transfer: Transfer | null;
}

/** Where files are sent to. */
export const UPLOADS_PATH = '/v1/uploads';
const PARALLEL = 3;
/** A connection that comes and goes is waited for, for about five minutes. */
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000, 60_000, 60_000];
/** How often numbers on screen change. */
const NOTE_MS = 250;

function reasonOf(error: Error | DetailedError): { readonly why: string; readonly state: 'failed' | 'refused' } {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  if (response === null || response === undefined) {
    return { why: 'The connection was lost. It goes on where it stopped.', state: 'failed' };
  }
  // What the server cannot do now it may do later; what it refuses it refuses again.
  const state = response.getStatus() >= 500 ? 'failed' : 'refused';
  const body = response.getBody();
  try {
    const problem: unknown = JSON.parse(body);
    const detail: unknown = typeof problem === 'object' && problem !== null ? Reflect.get(problem, 'detail') : null;
    if (typeof detail === 'string') return { why: detail, state };
  } catch {
    // Not JSON: the text itself has to do.
  }
  const text = body.trim() === '' ? `The server answered ${response.getStatus()}.` : body.trim();
  return { why: text.slice(0, 300), state };
}

/** Sends files with tus 1.0: some at once, resumable, also after a reload when the same file is chosen again. */
export class UploadQueue {
  /** Newest first. */
  readonly uploads = new Store<readonly Upload[]>([]);
  readonly #jobs = new Map<number, Job>();
  #counter = 0;

  constructor() {
    resyncs.watch(() => {
      for (const upload of this.uploads.get()) {
        if (upload.state === 'failed') this.resume(upload.id);
      }
    });
    window.addEventListener('beforeunload', (event) => {
      if (this.uploads.get().some(({ state }) => state === 'sending' || state === 'waiting')) event.preventDefault();
    });
  }

  /** Sends files with these options, each as soon as it is its turn. */
  add(files: readonly File[], request: NewAssetOptions): void {
    const added = files.map((file): Upload => {
      this.#counter += 1;
      this.#jobs.set(this.#counter, { file, request, rate: new TransferRate(), transfer: null });
      return {
        id: this.#counter,
        name: file.name,
        sizeBytes: file.size,
        sentBytes: 0,
        state: 'waiting',
        isContinued: false,
        bytesPerS: null,
        etaSeconds: null,
        why: '',
        assetId: null,
      };
    });
    this.uploads.set([...added.toReversed(), ...this.uploads.get()]);
    this.#next();
  }

  /** Stops it where it is. */
  pause(id: number): void {
    const job = this.#jobs.get(id);
    this.#change(id, { state: 'paused', bytesPerS: null, etaSeconds: null });
    job?.rate.reset();
    void job?.transfer?.abort();
    this.#next();
  }

  /** Goes on with one that is paused or failed. */
  resume(id: number): void {
    this.#change(id, { state: 'waiting', why: '' });
    this.#next();
  }

  /** Stops it for good, and has the server forget what it has. */
  cancel(id: number): void {
    const transfer = this.#jobs.get(id)?.transfer;
    this.dismiss(id);
    // What cannot be removed now goes by itself when it expires.
    transfer?.abort(true).catch(() => undefined);
    this.#next();
  }

  /** Takes it off the list. */
  dismiss(id: number): void {
    this.#jobs.delete(id);
    this.uploads.set(this.uploads.get().filter((upload) => upload.id !== id));
  }

  #change(id: number, change: Partial<Upload>): void {
    this.uploads.set(this.uploads.get().map((upload) => (upload.id === id ? { ...upload, ...change } : upload)));
  }

  #stateOf(id: number): Upload['state'] | undefined {
    return this.uploads.get().find((upload) => upload.id === id)?.state;
  }

  #next(): void {
    const all = this.uploads.get();
    const free = PARALLEL - all.filter(({ state }) => state === 'sending').length;
    const due = all.filter(({ state }) => state === 'waiting').toReversed();
    for (const { id } of due.slice(0, Math.max(0, free))) {
      this.#change(id, { state: 'sending' });
      this.#send(id).catch((error: unknown) => this.#fail(id, describeError(error), 'refused'));
    }
  }

  #fail(id: number, why: string, state: 'failed' | 'refused'): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    job.rate.reset();
    this.#change(id, { state, why, bytesPerS: null, etaSeconds: null });
    this.#next();
  }

  async #send(id: number): Promise<void> {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    if (job.transfer !== null) {
      job.transfer.start();
      return;
    }
    const { Upload: Transfer, DefaultHttpStack } = await import('tus-js-client');
    const http = new DefaultHttpStack({});
    const transfer = new Transfer(job.file, {
      endpoint: new URL(UPLOADS_PATH, location.href).href,
      metadata: { filename: job.file.name, filetype: job.file.type, asset: JSON.stringify(job.request) },
      retryDelays: RETRY_DELAYS_MS,
      removeFingerprintOnSuccess: true,
      // The server may call itself by a public name that is not the one this page came from.
      httpStack: {
        createRequest: (method, url) => http.createRequest(method, ownAddress(url)),
        getName: () => http.getName(),
      },
      onBeforeRequest: (request) => {
        for (const [name, value] of Object.entries(authorization())) request.setHeader(name, value);
      },
      onProgress: this.#noteProgress(id, job),
      onError: (error) => {
        const { why, state } = reasonOf(error);
        this.#fail(id, why, state);
      },
      onSuccess: ({ lastResponse }) => {
        const assetId = lastResponse.getHeader('Zoetrope-Asset-Id') ?? null;
        this.#change(id, { state: 'done', sentBytes: job.file.size, bytesPerS: null, etaSeconds: null, assetId });
        if (assetId === null) void this.#askForAsset(id, transfer.url);
        this.#next();
      },
    });
    job.transfer = transfer;
    const [previous] = await transfer.findPreviousUploads();
    if (previous !== undefined) {
      transfer.resumeFromPreviousUpload(previous);
      this.#change(id, { isContinued: true });
    }
    // Paused or cancelled while it was looked up.
    if (this.#stateOf(id) === 'sending') transfer.start();
  }

  #noteProgress(id: number, job: Job): (sent: number, total: number) => void {
    let notedAt = 0;
    return (sent, total) => {
      if (this.#stateOf(id) !== 'sending') return;
      const now = performance.now();
      job.rate.add(now, sent);
      if (now - notedAt < NOTE_MS && sent < total) return;
      notedAt = now;
      const bytesPerS = job.rate.bytesPerS();
      this.#change(id, { sentBytes: sent, bytesPerS, etaSeconds: secondsLeft(sent, total, bytesPerS) });
    };
  }

  /** The bytes were all there already: the answer to the question how many named no asset. */
  async #askForAsset(id: number, url: string | null): Promise<void> {
    try {
      const { assetId } = await assetApi.upload(uploadIdOf(url ?? ''));
      this.#change(id, { assetId });
    } catch {
      // The asset shows in the list all the same; only this line does not know which one it became.
      this.dismiss(id);
    }
  }
}

/** The id at the end of an upload's address. */
export function uploadIdOf(url: string): string {
  return decodeURIComponent(new URL(url, location.href).pathname.split('/').at(-1) ?? '');
}

/** The uploads of this tab; they go on while other pages of the console are shown. */
export const uploadQueue = new UploadQueue();
