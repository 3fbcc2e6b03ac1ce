import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { isZoetropeError, systemCodeOf, ZoetropeError } from '../base/errors.ts';
import { shownUrl } from './egress-url.ts';
import type { Answer } from './exchange.ts';

const MAX_RESUMES = 5;
const FIRST_PAUSE_MS = 250;

/** How a file is fetched. */
export interface DownloadOptions {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Longest time in which nothing comes. Default: 30 s. */
  readonly stallMs?: number;
  /** Default: 5. */
  readonly maxRedirects?: number;
  readonly signal?: AbortSignal;
  /** Called after each piece that was written. `totalBytes` is null while the server has not told. */
  readonly onProgress?: (progress: { readonly receivedBytes: number; readonly totalBytes: number | null }) => void;
}

/** What was fetched. */
export interface Downloaded {
  readonly sizeBytes: number;
  /** As the server calls it; null: it does not say. */
  readonly contentType: string | null;
}

/** How a file is asked for. */
export interface DownloadDeps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  open(headers: Readonly<Record<string, string>>): Promise<Answer>;
}

/** Fetches to a file and makes it durable. See `GuardedHttp.fetchToFile`. */
export async function download(path: string, options: DownloadOptions, deps: DownloadDeps): Promise<Downloaded> {
  const file = await onDisk(() => open(path, 'w'));
  try {
    const downloaded = await new Download(file, options, deps).run();
    await onDisk(() => file.sync());
    await file.close();
    return downloaded;
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

class Download {
  readonly #file: FileHandle;
  readonly #options: DownloadOptions;
  readonly #deps: DownloadDeps;
  #receivedBytes = 0;
  #totalBytes: number | null = null;
  #contentType: string | null = null;
  /** What makes sure that a later part is of the same file; null: the server has nothing that does. */
  #validator: string | null = null;

  constructor(file: FileHandle, options: DownloadOptions, deps: DownloadDeps) {
    this.#file = file;
    this.#options = options;
    this.#deps = deps;
  }

  async run(): Promise<Downloaded> {
    for (let resumes = 0; ; resumes++) {
      try {
        await this.#receive();
        return { sizeBytes: this.#receivedBytes, contentType: this.#contentType };
      } catch (error) {
        const canGoOn = this.#validator !== null && resumes < MAX_RESUMES && !this.#deps.signal.aborted;
        if (!canGoOn || !isBroken(error)) throw error;
      }
      await this.#deps.clock.wait(FIRST_PAUSE_MS * 2 ** resumes, this.#deps.signal);
    }
  }

  async #receive(): Promise<void> {
    const isRest = this.#receivedBytes > 0 && this.#validator !== null;
    const answer = await this.#deps.open(
      isRest ? { range: `bytes=${this.#receivedBytes}-`, 'if-range': this.#validator ?? '' } : {},
    );
    try {
      assertGiven(answer);
      if (answer.status === 206) this.#continue(answer);
      else await this.#begin(answer);
      this.#assertSize(answer, this.#totalBytes ?? 0);
      for await (const chunk of answer.body) {
        this.#assertSize(answer, this.#receivedBytes + chunk.length);
        await this.#write(chunk);
      }
      this.#assertWhole(answer);
    } finally {
      await answer.close();
    }
  }

  /** The whole file, from its beginning: also when it has changed since the part before. */
  async #begin({ headers }: Answer): Promise<void> {
    this.#receivedBytes = 0;
    await onDisk(() => this.#file.truncate(0));
    this.#totalBytes = lengthOf(headers['content-length']);
    this.#contentType = headers['content-type'] ?? null;
    this.#validator = validatorOf(headers);
  }

  /** The part behind what is there (RFC 9110 14.4). */
  #continue({ headers, url }: Answer): void {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    if (Number(from) !== this.#receivedBytes || this.#receivedBytes === 0) {
      throw new ZoetropeError(
        'unavailable',
        `${shownUrl(url)} answers with another part than the one that was asked for, from byte ${this.#receivedBytes} on.`,
        { retryable: false },
      );
    }
    this.#totalBytes = lengthOf(total) ?? this.#totalBytes;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length;) {
      const from = written;
      const position = this.#receivedBytes + from;
      const { bytesWritten } = await onDisk(() => this.#file.write(chunk, from, chunk.length - from, position));
      written += bytesWritten;
    }
    this.#receivedBytes += chunk.length;
    this.#options.onProgress?.({ receivedBytes: this.#receivedBytes, totalBytes: this.#totalBytes });
  }

  #assertSize({ url }: Answer, sizeBytes: number): void {
    const { maxBytes } = this.#options;
    if (sizeBytes <= maxBytes) return;
    throw new ZoetropeError(
      'payload_too_large',
      `The file at ${shownUrl(url)} is larger than ${maxBytes} bytes, the most that is taken.`,
    );
  }

  #assertWhole({ url }: Answer): void {
    if (this.#totalBytes === null || this.#receivedBytes === this.#totalBytes) return;
    throw new ZoetropeError(
      'unavailable',
      `${shownUrl(url)} sent ${this.#receivedBytes} of ${this.#totalBytes} bytes and then no more. Try again later.`,
    );
  }
}

/** @throws when the answer does not hold the file's own bytes. */
function assertGiven({ url, status, headers }: Answer): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (status !== 200 && status !== 206) throw notGiven(url, status);
  if (encoding === 'identity') return;
  throw new ZoetropeError(
    'unsupported_media',
    `${shownUrl(url)} answers packed (Content-Encoding: ${JSON.stringify(encoding.slice(0, 40))}), though that was not asked for. Serve the file as it is.`,
  );
}

function notGiven(url: URL, status: number): ZoetropeError {
  const message = `${shownUrl(url)} answers ${status} instead of the file.`;
  if (status === 401 || status === 403) {
    return new ZoetropeError('permission_denied', `${message} Check that the URL is signed and has not expired.`);
  }
  const mayPass = status >= 500 || status === 408 || status === 425 || status === 429;
  return mayPass
    ? new ZoetropeError('unavailable', `${message} Try again later.`)
    : new ZoetropeError('missing_input', `${message} Check the URL.`, { retryable: false });
}

/** Whether the connection or the server failed in a way that may pass; a full disk passes too, but not in a second. */
function isBroken(error: unknown): boolean {
  return isZoetropeError(error) && error.retryable && error.code !== 'storage_full';
}

/** A strong validator for `If-Range` (RFC 9110 13.1.5): an entity tag that is not weak, or a date that is old enough to be one. */
function validatorOf(headers: Readonly<Record<string, string>>): string | null {
  if (headers['accept-ranges'] === 'none') return null;
  const { etag, date } = headers;
  if (etag !== undefined) return etag.startsWith('"') ? etag : null;
  const modified = headers['last-modified'];
  const ageMs = Date.parse(date ?? '') - Date.parse(modified ?? '');
  return modified !== undefined && ageMs >= 1000 ? modified : null;
}

function lengthOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

async function onDisk<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new ZoetropeError(
        'storage_full',
        'The disk is full: the file cannot be kept. Make room, or lower what is kept.',
        { cause: error },
      );
    }
    throw new ZoetropeError('internal', `The file cannot be written: ${code ?? 'unknown'}.`, { cause: error });
  }
}
