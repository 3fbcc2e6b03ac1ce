import { assetApi } from '../api/asset-api.ts';
import { ApiError } from '../api/problem.ts';
import { send } from '../api/client.ts';
import { uploadIdOf, UPLOADS_PATH } from './upload-queue.ts';

/** An upload that stopped before the page was loaded: choose the same file again, and it goes on. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly url: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sentBytes: number;
  /** Until when the server keeps what it has. */
  readonly expiresAtMs: number;
}

interface Kept {
  readonly urlStorageKey: string;
  readonly uploadUrl: string | null;
  readonly size: number | null;
  readonly metadata: Readonly<Record<string, string>>;
}

async function look(kept: Kept): Promise<UnfinishedUpload | null> {
  const { urlStorageKey: key, uploadUrl: url, size } = kept;
  if (url === null || size === null) return null;
  try {
    const { offsetBytes, expiresAt, assetId } = await assetApi.upload(uploadIdOf(url));
    if (assetId !== null || offsetBytes >= size) {
      localStorage.removeItem(key);
      return null;
    }
    const name = kept.metadata['filename'] ?? '';
    return { key, url, name, sizeBytes: size, sentBytes: offsetBytes, expiresAtMs: Date.parse(expiresAt) };
  } catch (error) {
    // Expired or removed: nothing to go on with. Anything else may pass.
    if (error instanceof ApiError && (error.status === 404 || error.status === 410)) localStorage.removeItem(key);
    return null;
  }
}

/** What this browser began to send and did not finish. */
export async function findUnfinished(): Promise<readonly UnfinishedUpload[]> {
  const { defaultOptions } = await import('tus-js-client');
  const all = await defaultOptions.urlStorage.findAllUploads();
  const own = all.filter(({ uploadUrl }) => {
    const parsed = uploadUrl === null ? null : URL.parse(uploadUrl, location.href);
    return parsed?.pathname.startsWith(UPLOADS_PATH) === true;
  });
  const found = await Promise.all(own.map(look));
  return found.filter((upload) => upload !== null);
}

/** Whether this is the file that an upload began with, as far as its name, size and date say. */
export async function isFileOf(upload: UnfinishedUpload, file: File): Promise<boolean> {
  const { defaultOptions } = await import('tus-js-client');
  const endpoint = new URL(UPLOADS_PATH, location.href).href;
  const fingerprint = await defaultOptions.fingerprint(file, { endpoint });
  return upload.key.startsWith(`tus::${fingerprint}::`);
}

/** Forgets an upload, here and on the server. */
export async function discard(upload: UnfinishedUpload): Promise<void> {
  localStorage.removeItem(upload.key);
  await send(`${UPLOADS_PATH}/${encodeURIComponent(uploadIdOf(upload.url))}`, {
    method: 'DELETE',
    headers: { 'tus-resumable': '1.0.0' },
  });
}
