import { open } from 'node:fs/promises';
import type { AssetJson } from '../../api/rest/asset-shapes.ts';
import type { Clock } from '../../base/clock.ts';
import { ERROR_CATALOGUE, messageOf, ZoetropeError, type ErrorCode } from '../../base/errors.ts';
import { readEvents } from './read-events.ts';

/** A file on this machine. */
export interface LocalFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Hexadecimal; null: not told to the server. */
  readonly sha256: string | null;
}

/** What an upload tells of itself. */
export interface UploadWatcher {
  /** The upload exists: with this address it can be gone on with. */
  begun(location: string): Promise<void>;
  /** So many bytes are at the server. */
  progress(offsetBytes: number): void;
}

/** Bytes of the first request; then as many as take about {@link PIECE_MS}. */
const FIRST_PIECE_BYTES = 1024 * 1024;
const MIN_PIECE_BYTES = 64 * 1024;
const MAX_PIECE_BYTES = 32 * 1024 * 1024;
const PIECE_MS = 1000;
const MAX_FAILURES = 8;
/** Before anything has worked, it is more likely the address than the weather. */
const MAX_FIRST_FAILURES = 3;
const MAX_PAUSE_MS = 15_000;
const TUS = { 'tus-resumable': '1.0.0' };

/** Uploads files (tus 1.0) and follows what becomes of them. What fails for a while is tried again. */
export class UploadClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;

  constructor(options: { readonly url: string; readonly key: string | null; readonly clock: Clock }) {
    this.#url = options.url.replace(/\/+$/, '');
    this.#headers = options.key === null ? {} : { authorization: `Bearer ${options.key}` };
    this.#clock = options.clock;
  }

  /**
   * Sends a file and answers the id of its asset. `location` names an upload that was begun before; one that is there no more is begun anew.
   *
   * @param asset the options of the asset, as the body of `POST /v1/assets` without `source`
   */
  async upload(
    file: LocalFile,
    asset: object,
    options: { readonly location: string | null; readonly watcher: UploadWatcher; readonly signal: AbortSignal },
  ): Promise<string> {
    const { watcher, signal } = options;
    let { location } = options;
    let pieceBytes = FIRST_PIECE_BYTES;
    let offset: number | null = null;
    const source = await open(file.path);
    try {
      return await this.#patiently(signal, async (proceeded) => {
        for (;;) {
          if (location === null) {
            location = await this.#begin(file, asset, signal);
            await watcher.begun(location);
            offset = 0;
          }
          // After a failure it is the server that knows where it stands.
          const stands: { offset: number; assetId: string | null } | null =
            offset === null ? await this.#ask(location, signal) : { offset, assetId: null };
          if (stands === null) {
            location = null;
            continue;
          }
          offset = null;
          watcher.progress(stands.offset);
          if (stands.assetId !== null) return stands.assetId;
          const piece = Buffer.alloc(Math.min(pieceBytes, file.sizeBytes - stands.offset));
          await source.read(piece, 0, piece.length, stands.offset);
          const startMs = this.#clock.monotonicMs();
          const sent = await this.#send(location, piece, stands.offset, signal);
          proceeded();
          watcher.progress(sent.offset);
          if (sent.assetId !== null) return sent.assetId;
          pieceBytes = nextPiece(piece.length, this.#clock.monotonicMs() - startMs);
          offset = sent.offset;
        }
      });
    } finally {
      await source.close();
    }
  }

  /** Tells every state of an asset and answers its last. @throws not_found when it is removed */
  async follow(assetId: string, told: (asset: AssetJson) => void, signal: AbortSignal): Promise<AssetJson> {
    return await this.#patiently(signal, async (proceeded) => {
      const response = await this.#fetch(`/v1/assets/${assetId}/events`, { signal });
      for await (const { event, data } of readEvents(response.body)) {
        proceeded();
        if (event === 'removed') throw new ZoetropeError('not_found', `The asset ${assetId} was removed.`);
        if (event !== 'asset') continue;
        const asset = JSON.parse(data) as AssetJson; // Of the server's making.
        told(asset);
        if (asset.state === 'ready' || asset.state === 'failed' || asset.state === 'cancelled') return asset;
      }
      throw new ZoetropeError('unavailable', 'The server ended the events.');
    });
  }

  async #begin(file: LocalFile, asset: object, signal: AbortSignal): Promise<string> {
    const metadata = {
      filename: file.name,
      asset: JSON.stringify(asset),
      ...(file.sha256 === null ? {} : { sha256: file.sha256 }),
    };
    const response = await this.#fetch('/v1/uploads', {
      method: 'POST',
      headers: {
        ...TUS,
        'upload-length': String(file.sizeBytes),
        'upload-metadata': Object.entries(metadata)
          .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
          .join(','),
      },
      signal,
    });
    // The server may know itself by another name than we do; the path is the same.
    return new URL(response.headers.get('location') ?? '', this.#url).pathname;
  }

  /** Null: there is no such upload (any more). */
  async #ask(location: string, signal: AbortSignal): Promise<{ offset: number; assetId: string | null } | null> {
    try {
      return standsOf(await this.#fetch(location, { method: 'HEAD', headers: TUS, signal }));
    } catch (error) {
      if (error instanceof ZoetropeError && (error.code === 'not_found' || error.code === 'gone')) return null;
      throw error;
    }
  }

  async #send(
    location: string,
    piece: Buffer<ArrayBuffer>,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ offset: number; assetId: string | null }> {
    const headers = { ...TUS, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' };
    return standsOf(await this.#fetch(location, { method: 'PATCH', headers, body: piece, signal }));
  }

  /** @throws what the server says is wrong, or unavailable when it cannot be reached */
  async #fetch(
    path: string,
    init: Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.#url + path, { ...init, headers: { ...this.#headers, ...init.headers } });
    } catch (error) {
      init.signal?.throwIfAborted();
      const cause = error instanceof Error ? error.cause : undefined;
      throw new ZoetropeError('unavailable', `Cannot reach ${this.#url}: ${messageOf(cause ?? error)}.`, {
        cause: error,
      });
    }
    if (response.ok) return response;
    throw problemOf(response.status, await response.text());
  }

  /** Runs `work` until it succeeds, fails for good, or fails too often without having got on. */
  async #patiently<T>(signal: AbortSignal, work: (proceeded: () => void) => Promise<T>): Promise<T> {
    let [failures, mostFailures] = [0, MAX_FIRST_FAILURES];
    const proceeded = (): void => {
      [failures, mostFailures] = [0, MAX_FAILURES];
    };
    for (;;) {
      try {
        return await work(proceeded);
      } catch (error) {
        signal.throwIfAborted();
        const broke = !(error instanceof ZoetropeError) || error.retryable || error.code === 'conflict';
        failures += 1;
        if (!broke || failures >= mostFailures) throw error;
        await this.#clock.wait(Math.min(MAX_PAUSE_MS, 250 * 2 ** failures), signal);
      }
    }
  }
}

function standsOf(response: Response): { offset: number; assetId: string | null } {
  return {
    offset: Number(response.headers.get('upload-offset') ?? 0),
    assetId: response.headers.get('zoetrope-asset-id'),
  };
}

function nextPiece(bytes: number, tookMs: number): number {
  const wanted = Math.round((bytes * PIECE_MS) / Math.max(1, tookMs));
  return Math.min(MAX_PIECE_BYTES, Math.max(MIN_PIECE_BYTES, Math.min(wanted, bytes * 4)));
}

function problemOf(status: number, body: string): ZoetropeError {
  const { code, detail } = parsed(body);
  if (code !== undefined && code in ERROR_CATALOGUE) return new ZoetropeError(code, detail ?? body);
  if (status === 404) return new ZoetropeError('not_found', 'There is no such thing at the server.');
  const words = `The server answered ${status}: ${body.slice(0, 200)}`;
  return new ZoetropeError(status >= 500 || status === 409 ? 'unavailable' : 'invalid_argument', words);
}

function parsed(body: string): { readonly code?: ErrorCode; readonly detail?: string } {
  try {
    return JSON.parse(body) as { readonly code?: ErrorCode; readonly detail?: string };
  } catch {
    return {}; // Not a problem document: HEAD has none, and something else than Zoetrope may have answered.
  }
}
