import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Component } from '../../base/component.ts';
import { isZoetropeError, messageOf, systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import { isId, type IdSource } from '../../base/ids.ts';
import type { Logger } from '../../base/logger.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { Asset } from '../../timeline/asset.ts';
import { nameOf } from '../asset-name.ts';
import type { ParsedAsset } from '../asset-request.ts';
import type { AssetService } from '../asset-service.ts';
import { digestMismatch, diskFull, noUpload, tooLarge } from './upload-errors.ts';
import { checkMedia, sha256Of, writeUpload } from './upload-file.ts';
import { UploadLocks } from './upload-locks.ts';
import { UploadRecords, type UploadRecord } from './upload-records.ts';

/** What {@link Uploads} needs. */
export interface UploadsDeps {
  /** Made when it is missing. Everything in it belongs to uploads. */
  readonly directory: string;
  readonly assets: Pick<AssetService, 'create'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly maxBytes: number;
  /** How long an upload may rest before it is given up. */
  readonly expiryMs: number;
}

/** An upload to be begun. */
export interface NewUpload extends Pick<UploadRecord, 'filename' | 'sizeBytes' | 'sha256' | 'asset' | 'metadata'> {
  readonly id: string;
}

/** An upload as it stands. */
export interface UploadStatus {
  readonly record: UploadRecord;
  readonly offsetBytes: number;
  readonly expiresAtMs: WallMs;
}

/** A file that comes in one piece. */
export interface WholeFile {
  readonly asset: ParsedAsset;
  readonly filename: string | null;
  readonly body: AsyncIterable<Uint8Array>;
  /** Null: not told. */
  readonly sizeBytes: number | null;
  /** Hexadecimal; null: not told. */
  readonly sha256: string | null;
}

const MAX_LOOK_MS = 600_000;
const MIN_LOOK_MS = 1000;
/** A file without a record that was not written to for so long belongs to no request that lives, whichever process it came to. */
const ORPHAN_MS = 6 * 3_600_000;

/**
 * Files on their way in. A resumable upload is a file and a record of what is to become of it; when its last byte is there it becomes the asset whose
 * id was fixed at its beginning, once, whatever dies in between: the next request for it, or the next look at all of them, finishes it.
 */
export class Uploads implements Component {
  readonly name = 'uploads';
  readonly locks: UploadLocks;
  readonly #deps: UploadsDeps;
  readonly #records: UploadRecords;
  /** Files without a record that come to this process now. */
  readonly #coming = new Set<string>();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
    this.#records = new UploadRecords(deps.directory);
    this.locks = new UploadLocks(deps.clock);
  }

  get maxBytes(): number {
    return this.#deps.maxBytes;
  }

  /** Opens the directory and finishes, behind the start, what had all its bytes when the process before died. */
  async start(): Promise<void> {
    await mkdir(this.#deps.directory, { recursive: true });
    this.#lookAndPlan();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** @throws invalid_argument for an empty file, payload_too_large, storage_full */
  async begin(upload: NewUpload): Promise<UploadRecord> {
    await this.#checkSize(upload.sizeBytes);
    const record: UploadRecord = {
      ...upload,
      state: 'receiving',
      assetId: this.#deps.ids.next('asset'),
      createdAtMs: this.#deps.clock.nowMs(),
      endedAtMs: null,
    };
    await writeUpload(nothing(), { path: this.#pathOf(upload.id), offset: null, maxBytes: 0 });
    await this.#records.put(record);
    return record;
  }

  /** @throws not_found */
  async status(id: string): Promise<UploadStatus> {
    const record = await this.#records.get(id);
    const file = record === null ? null : await this.#statOf(id);
    if (record === null || (file === null && record.state === 'receiving')) throw noUpload(id);
    const isWhole = record.state !== 'receiving' || file === null;
    const restsSinceMs = record.endedAtMs ?? file?.mtimeMs ?? record.createdAtMs;
    return {
      record,
      offsetBytes: isWhole ? record.sizeBytes : file.size,
      expiresAtMs: wallMs(Math.round(restsSinceMs + this.#deps.expiryMs)),
    };
  }

  /** Adds bytes; whoever calls it holds the lock. Answers the new offset. What can be no media ends the upload. @throws as {@link writeUpload} */
  async write(id: string, stream: AsyncIterable<Uint8Array>, offset: number): Promise<number> {
    const { record } = await this.status(id);
    if (record.state !== 'receiving') return record.sizeBytes;
    try {
      return await writeUpload(stream, { path: this.#pathOf(id), offset, maxBytes: record.sizeBytes });
    } catch (error) {
      if (isZoetropeError(error, 'unsupported_media')) await this.#discard(id);
      throw error;
    }
  }

  /** Makes the asset of an upload whose bytes are all there. Any number of calls make one. Answers its id; null: bytes are missing. @throws corrupt_media when they are not those announced (nothing is kept) */
  async finish(id: string): Promise<string | null> {
    return await this.locks.hold(id, async () => {
      const { record, offsetBytes } = await this.status(id);
      if (record.state === 'done') return record.assetId;
      if (offsetBytes < record.sizeBytes) return null;
      try {
        await this.#complete(record);
      } catch (error) {
        // What no further try can change ends here; the file is gone when the asset was made and removed again since.
        const isFinal = isZoetropeError(error) && (!error.retryable || error.code === 'missing_input');
        if (isFinal && error.code !== 'internal') await this.#discard(id);
        throw error;
      }
      return record.assetId;
    });
  }

  /** Ends an upload; an asset that was made of it stays. Whoever calls it holds the lock. @throws not_found */
  async remove(id: string): Promise<void> {
    if ((await this.#records.get(id)) === null) throw noUpload(id);
    await this.#discard(id);
  }

  /** Takes a file in one piece and makes its asset. What breaks off or is refused leaves nothing behind. @throws as {@link writeUpload}, and corrupt_media */
  async receive(file: WholeFile): Promise<Asset> {
    const { asset, filename, body, sizeBytes, sha256 } = file;
    if (sizeBytes !== null) await this.#checkSize(sizeBytes);
    const id = this.#deps.ids.next('upload');
    const path = this.#pathOf(id);
    this.#coming.add(id);
    try {
      const end = await writeUpload(body, { path, offset: null, maxBytes: this.#deps.maxBytes });
      await this.#checkSize(end);
      await this.#checkFile(path, sha256);
      const source = { kind: 'file', path, filename, sizeBytes: end } as const;
      return await this.#deps.assets.create({ ...asset, name: asset.name ?? nameOf(source), source });
    } finally {
      await rm(path, { force: true });
      this.#coming.delete(id);
    }
  }

  /** Finishes what is whole, gives up what expired. Called at the start and now and then. */
  async look(): Promise<void> {
    for (const id of await this.#records.ids()) {
      if (this.#isClosed) return;
      if (this.locks.isHeld(id)) continue;
      try {
        await this.#lookAt(id);
      } catch (error) {
        this.#deps.logger.warn({ uploadId: id, error: messageOf(error) }, 'could not go on with an upload');
      }
    }
    await this.#removeOrphans();
  }

  async #lookAt(id: string): Promise<void> {
    const record = await this.#records.get(id);
    if (record === null) return;
    const status = await this.status(id).catch(() => null); // Its file is gone, so it can never be finished.
    const isExpired = status === null || status.expiresAtMs <= this.#deps.clock.nowMs();
    if (status !== null && record.state !== 'done' && status.offsetBytes === record.sizeBytes) {
      await this.finish(id);
    } else if (isExpired) {
      await this.locks.hold(id, () => this.#discard(id));
    }
  }

  async #complete(record: UploadRecord): Promise<void> {
    const { id, assetId, asset, filename, sizeBytes } = record;
    const path = this.#pathOf(id);
    if (record.state === 'receiving') {
      await this.#checkFile(path, record.sha256);
      await this.#records.put({ ...record, state: 'received' });
    }
    const source = { kind: 'file', path, filename, sizeBytes } as const;
    await this.#deps.assets.create({ ...asset, id: assetId, name: asset.name ?? nameOf(source), source });
    await this.#records.put({ ...record, state: 'done', endedAtMs: this.#deps.clock.nowMs() });
    await rm(path, { force: true });
  }

  async #checkFile(path: string, sha256: string | null): Promise<void> {
    await checkMedia(path);
    if (sha256 === null) return;
    const actual = await sha256Of(path);
    if (actual !== sha256) throw digestMismatch(sha256, actual);
  }

  async #checkSize(sizeBytes: number): Promise<void> {
    const { maxBytes, directory } = this.#deps;
    if (sizeBytes === 0) throw new ZoetropeError('invalid_argument', 'The file is empty. Send one with content.');
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes, sizeBytes);
    const { bavail, bsize } = await statfs(directory);
    if (sizeBytes > bavail * bsize) throw diskFull(`take a file of ${sizeBytes} bytes`);
  }

  async #discard(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true });
    await this.#records.remove(id);
  }

  /** Files of requests that died with their process. */
  async #removeOrphans(): Promise<void> {
    const { directory, clock } = this.#deps;
    const known = new Set([...(await this.#records.ids()), ...this.#coming]);
    for (const name of await readdir(directory)) {
      if (known.has(name) || known.has(name.replace(/\.json$/, ''))) continue;
      const found = await this.#statOf(name);
      if (found !== null && found.mtimeMs + ORPHAN_MS < clock.nowMs()) await rm(join(directory, name), { force: true });
    }
  }

  async #statOf(name: string): Promise<{ readonly size: number; readonly mtimeMs: number } | null> {
    try {
      return await stat(join(this.#deps.directory, name));
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  #pathOf(id: string): string {
    if (!isId('upload', id)) throw noUpload(id);
    return join(this.#deps.directory, id);
  }

  #lookAndPlan(): void {
    if (this.#isClosed) return;
    this.#looking = this.look().catch((error: unknown) =>
      this.#deps.logger.warn({ error: messageOf(error) }, 'could not look after the uploads'),
    );
    const everyMs = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, this.#deps.expiryMs / 4));
    void this.#looking.then(() => {
      if (!this.#isClosed) this.#timer = this.#deps.clock.schedule(everyMs, () => this.#lookAndPlan());
    });
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {}
