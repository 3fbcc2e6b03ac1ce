import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdSource } from '../base/ids.ts';
import type { GuardedHttp } from '../egress/guarded-http.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { TryContext } from './worker.ts';

/** Fetches a URL into an object. */
export type FetchFile = (
  url: string,
  objectKey: string,
  context: TryContext,
) => Promise<{ readonly sizeBytes: number }>;

/** What fetching needs. */
export interface FetchFileDeps {
  readonly http: Pick<GuardedHttp, 'fetchToFile'>;
  readonly objects: Pick<ObjectStore, 'adopt'>;
  readonly ids: IdSource;
  /** For what is on its way. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** Fetches through the guarded client into a file, then takes that over: an object is there whole or not at all. */
export function createFetchFile(deps: FetchFileDeps): FetchFile {
  const { http, objects, ids, directory, maxBytes, timeoutMs } = deps;
  return async (url, objectKey, { signal, onProgress }) => {
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${ids.next('request')}.part`);
    try {
      const { sizeBytes } = await http.fetchToFile(url, path, {
        maxBytes,
        timeoutMs,
        signal,
        onProgress: ({ receivedBytes, totalBytes }) => onProgress(totalBytes === null ? 0 : receivedBytes / totalBytes),
      });
      await objects.adopt(objectKey, path);
      return { sizeBytes };
    } finally {
      await rm(path, { force: true });
    }
  };
}
