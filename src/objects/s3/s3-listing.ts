import { checkObjectKey } from '../object-key.ts';
import type { ObjectHead } from '../object-store.ts';
import type { S3Client } from './s3-client.ts';
import { isUnknownRequest } from './s3-errors.ts';
import { childrenOf, readXml, textOf } from './s3-xml.ts';

/** Asked for at once; no server gives more. */
const PAGE = 1000;
/** Longer than any put takes. */
const ABANDONED_MS = 24 * 3_600_000;

/** Objects in the order of their keys, which lose the store's prefix. What others put there under names that are no keys is passed over. */
export async function* listObjects(
  client: S3Client,
  { root, prefix, after }: { readonly root: string; readonly prefix: string; readonly after: string },
): AsyncIterable<ObjectHead> {
  let token = '';
  do {
    const start: Record<string, string> =
      token !== '' ? { 'continuation-token': token } : after === '' ? {} : { 'start-after': root + after };
    const { body } = await client.send({
      method: 'GET',
      query: { 'list-type': '2', 'max-keys': String(PAGE), prefix: root + prefix, ...start },
      action: `list ${prefix}`,
    });
    const page = await readXml(body.toString());
    for (const entry of childrenOf(page, 'Contents')) {
      const key = textOf(entry, 'Key').slice(root.length);
      if (!isKey(key) || key <= after) continue;
      yield { key, sizeBytes: Number(textOf(entry, 'Size')), modifiedAtMs: Date.parse(textOf(entry, 'LastModified')) };
    }
    token = textOf(page, 'IsTruncated') === 'true' ? textOf(page, 'NextContinuationToken') : '';
  } while (token !== '');
}

/** Forgets the parts of uploads that a process began a day ago and did not live to finish. A server that cannot say which there are keeps them: its lifecycle rule must remove them. */
export async function removeAbandonedUploads(
  client: S3Client,
  root: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  let from: Readonly<Record<string, string>> = {};
  for (;;) {
    const query = { uploads: '', prefix: root, ...from };
    const action = 'look for abandoned uploads';
    let text: string;
    try {
      text = (await client.send({ method: 'GET', query, signal, action })).body.toString();
    } catch (error) {
      if (isUnknownRequest(error instanceof Error ? error.cause : error)) return;
      throw error;
    }
    const page = await readXml(text);
    for (const entry of childrenOf(page, 'Upload')) {
      if (nowMs - Date.parse(textOf(entry, 'Initiated')) < ABANDONED_MS) continue;
      const key = textOf(entry, 'Key');
      const uploadId = textOf(entry, 'UploadId');
      if (isKey(key))
        await client.send({ method: 'DELETE', key: key.slice(root.length), query: { uploadId }, signal, action });
    }
    if (textOf(page, 'IsTruncated') !== 'true') return;
    from = { 'key-marker': textOf(page, 'NextKeyMarker'), 'upload-id-marker': textOf(page, 'NextUploadIdMarker') };
  }
}

function isKey(text: string): boolean {
  try {
    checkObjectKey(text);
    return true;
  } catch {
    return false; // That it is none is the answer.
  }
}
