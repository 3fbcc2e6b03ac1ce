import { Readable } from 'node:stream';
import { DataStore, Server, Upload } from '@tus/server';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import { isId, type IdSource } from '../../base/ids.ts';
import { cleanFilename } from '../asset-name.ts';
import { parseAssetOptions, type TenantChoice } from '../asset-request.ts';
import { noUpload, tooLarge } from './upload-errors.ts';
import type { NewUpload, Uploads } from './uploads.ts';

/** A request of the tus protocol. */
export interface TusRequest {
  readonly method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  /** Of the upload; null where one is to be made. */
  readonly id: string | null;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readable;
  /** Whose the asset is that an upload becomes. */
  readonly tenantFor: TenantChoice;
}

/** An answer of the tus protocol; it has no body. */
export interface TusAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is spoken here (tus 1.0, core protocol, Tus-Version and Tus-Extension). */
export const TUS_ABILITIES = {
  'tus-resumable': '1.0.0',
  'tus-version': '1.0.0',
  'tus-extension': 'creation,creation-with-upload,termination,expiration',
} as const;

/** The header that names the asset that an upload became. */
export const ASSET_ID_HEADER = 'zoetrope-asset-id';

const TUS_PATH = '/v1/uploads';
/** How long the holder of an upload may take to end when another request wants it. */
const DRAIN_MS = 1000;
const REQUEST_HEADERS = /^(tus-|upload-|content-type$|content-length$)/;

interface Exchange {
  readonly tenantFor: TenantChoice;
  fault: unknown;
}

/** The resumable way in: tus 1.0, spoken by @tus/server, over {@link Uploads}. Failures are thrown as ours, not answered in text. */
export class TusReception {
  readonly #uploads: Uploads;
  readonly #server: Server;
  readonly #exchanges = new WeakMap<Request, Exchange>();

  constructor(deps: { readonly uploads: Uploads; readonly ids: IdSource; readonly linkOf: (path: string) => string }) {
    const { uploads, ids } = deps;
    this.#uploads = uploads;
    this.#server = new Server({
      path: TUS_PATH,
      datastore: new UploadStore(uploads),
      locker: uploads.locks,
      lockDrainTimeout: DRAIN_MS,
      maxSize: uploads.maxBytes,
      namingFunction: () => ids.next('upload'),
      generateUrl: (_request, { id }) => deps.linkOf(`${TUS_PATH}/${id}`),
      getFileIdFromRequest: (_request, last) => (last !== undefined && isId('upload', last) ? last : undefined),
      onUploadCreate: async (request, upload) => {
        await uploads.begin(newUpload(upload, this.#exchangeOf(request).tenantFor));
        return {};
      },
      onUploadFinish: async (_request, { id }) => {
        const assetId = await uploads.finish(id);
        return assetId === null ? {} : { headers: { [ASSET_ID_HEADER]: assetId } };
      },
      onResponseError: (request, error) => {
        this.#exchangeOf(request).fault = error;
        return undefined;
      },
    });
  }

  /** @throws what is wrong with the request, or with its upload */
  async handle(request: TusRequest): Promise<TusAnswer> {
    const { method, id, headers } = request;
    checkVersion(headers['tus-resumable']);
    if (method === 'HEAD' && id !== null) await this.#uploads.finish(id);
    const hasBody = method === 'PATCH' || method === 'POST';
    const web = new Request(`http://localhost${TUS_PATH}${id === null ? '' : `/${id}`}`, {
      method,
      headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        typeof value === 'string' && REQUEST_HEADERS.test(name) ? [[name, value]] : [],
      ),
      ...(hasBody ? { body: Readable.toWeb(request.body) as ReadableStream, duplex: 'half' } : {}),
    });
    const exchange: Exchange = { tenantFor: request.tenantFor, fault: undefined };
    this.#exchanges.set(web, exchange);
    const response = await this.#server.handleWeb(web);
    if (exchange.fault !== undefined) throw this.#faultOf(exchange.fault, id);
    if (response.status >= 400) {
      throw new ZoetropeError('invalid_argument', `${(await response.text()).trim()} (tus 1.0).`);
    }
    return { status: response.status, headers: await this.#answerHeaders(response.headers, method, id) };
  }

  async #answerHeaders(from: Headers, method: string, id: string | null): Promise<Record<string, string>> {
    const headers = Object.fromEntries([...from].filter(([name]) => !name.startsWith('access-control-')));
    const about = id ?? headers['location']?.split('/').at(-1);
    if (method === 'DELETE' || about === undefined) return headers;
    const { record, expiresAtMs } = await this.#uploads.status(about);
    if (record.state === 'done') headers[ASSET_ID_HEADER] = record.assetId;
    else headers['upload-expires'] = new Date(expiresAtMs).toUTCString();
    return headers;
  }

  #exchangeOf(request: Request): Exchange {
    const exchange = this.#exchanges.get(request);
    if (exchange === undefined) throw new ZoetropeError('internal', 'A tus request lost its exchange.');
    return exchange;
  }

  #faultOf(fault: unknown, id: string | null): unknown {
    if (isZoetropeError(fault) || fault instanceof Error) return fault;
    const { status_code: status, body = '' } = fault as { readonly status_code?: number; readonly body?: string };
    switch (status ?? 500) {
      case 404:
      case 410:
        return noUpload(id ?? '');
      case 409:
        return new ZoetropeError(
          'conflict',
          'Upload-Offset is not where the upload stands. Ask with HEAD and go on from the offset in its answer.',
        );
      case 413:
        return tooLarge(this.#uploads.maxBytes, null);
      default:
        return body.startsWith('Request aborted')
          ? new ZoetropeError(
              'conflict',
              'Another request took this upload over, or the connection broke. Ask with HEAD and go on.',
            )
          : new ZoetropeError('invalid_argument', `${body.trim()}. See the tus 1.0 protocol.`);
    }
  }
}

/** What @tus/server reads and writes: {@link Uploads}. */
class UploadStore extends DataStore {
  readonly #uploads: Uploads;

  constructor(uploads: Uploads) {
    super();
    this.#uploads = uploads;
    this.extensions = TUS_ABILITIES['tus-extension'].split(',');
  }

  override async getUpload(id: string): Promise<Upload> {
    const { record, offsetBytes } = await this.#uploads.status(id);
    return new Upload({
      id,
      size: record.sizeBytes,
      offset: offsetBytes,
      metadata: record.metadata,
      creation_date: new Date(record.createdAtMs).toISOString(),
    });
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    return await this.#uploads.write(id, stream, offset);
  }

  override async remove(id: string): Promise<void> {
    await this.#uploads.remove(id);
  }
}

function checkVersion(version: string | readonly string[] | undefined): void {
  if (version === TUS_ABILITIES['tus-resumable']) return;
  throw new ZoetropeError(
    'precondition_failed',
    `The header Tus-Resumable must be 1.0.0. Got ${JSON.stringify(version ?? 'none')}. To send a file in one piece use PUT /v1/uploads/FILENAME.`,
  );
}

function newUpload({ id, size, metadata = {} }: Upload, tenantFor: TenantChoice): NewUpload {
  if (size === undefined) {
    throw new ZoetropeError('invalid_argument', 'Upload-Length is missing. Give the size of the file in bytes.');
  }
  const { filename, sha256, asset } = metadata;
  return {
    id,
    sizeBytes: size,
    filename: typeof filename === 'string' ? cleanFilename(filename) : null,
    sha256: typeof sha256 === 'string' ? checkSha256(sha256, 'sha256 in Upload-Metadata') : null,
    asset: parseAssetOptions(typeof asset === 'string' ? parseJson(asset, 'asset in Upload-Metadata') : {}, tenantFor),
    metadata,
  };
}

/** A SHA-256 from outside in small hexadecimal digits. @throws invalid_argument */
export function checkSha256(text: string, what: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new ZoetropeError(
    'invalid_argument',
    `${what} must be 64 hexadecimal digits, as sha256sum prints them. Got ${JSON.stringify(text.slice(0, 80))}.`,
  );
}

/** JSON from outside. @throws invalid_argument telling where it breaks */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ZoetropeError('invalid_argument', `${what} is not JSON: ${messageOf(error).slice(0, 200)}.`);
  }
}
