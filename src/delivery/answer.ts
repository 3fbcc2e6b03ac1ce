import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ZoetropeError } from '../base/errors.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Admission } from './gate.ts';
import type { HotFile } from './hot-files.ts';
import { IMMUTABLE } from './hot-path.ts';
import { matchesTag, type Rendering } from './rendering.ts';

/** Sends a playlist: compressed as the client likes, or 304. */
export async function sendPlaylist(
  request: FastifyRequest,
  reply: FastifyReply,
  rendering: Rendering,
  admission: Admission,
): Promise<FastifyReply> {
  const encoding = rendering.choose(request.headers['accept-encoding']);
  reply.header('cache-control', `${shareOf(admission)}, ${rendering.cacheControl}`);
  reply.header('etag', rendering.etag(encoding));
  addVary(reply, 'Accept-Encoding');
  if (matchesTag(request.headers['if-none-match'], rendering.tag)) return reply.code(304).send();
  reply.header('content-type', rendering.contentType);
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.send(await rendering.encoded(encoding));
}

/** Sends an immutable file, or the one byte range asked for, or 304. @throws range_not_satisfiable */
export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  file: HotFile,
  admission: Admission,
): FastifyReply {
  const etag = `"${file.tag}"`;
  reply.header('cache-control', `${shareOf(admission)}, ${file.cacheControl ?? IMMUTABLE}`);
  reply.header('etag', etag);
  reply.header('accept-ranges', 'bytes');
  if (matchesTag(request.headers['if-none-match'], file.tag)) return reply.code(304).send();
  const range = chooseRange(request, reply, etag, file.bytes.length);
  reply.header('content-type', file.contentType);
  if (range === null) return reply.send(asBuffer(file.bytes));
  return reply.send(asBuffer(file.bytes.subarray(range.start, range.end + 1)));
}

/** A file that is too large for memory. */
export interface StoredFile {
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly tag: string;
  readonly contentType: string;
  readonly cacheControl: string;
  /** What a browser saves it as. */
  readonly saveAs: string;
}

/** Sends a file, or the one byte range asked for, straight from the store. @throws range_not_satisfiable; what the store throws */
export function sendStored(
  request: FastifyRequest,
  reply: FastifyReply,
  file: StoredFile,
  admission: Admission,
  objects: Pick<ObjectStore, 'open'>,
): FastifyReply {
  const etag = `"${file.tag}"`;
  reply.header('cache-control', `${shareOf(admission)}, ${file.cacheControl}`);
  reply.header('etag', etag);
  reply.header('accept-ranges', 'bytes');
  reply.header('content-disposition', attachment(file.saveAs));
  if (matchesTag(request.headers['if-none-match'], file.tag)) return reply.code(304).send();
  const range = chooseRange(request, reply, etag, file.sizeBytes);
  reply.header('content-type', file.contentType);
  reply.header('content-length', range === null ? file.sizeBytes : range.end - range.start + 1);
  // For HEAD a stream too: it keeps the length that was said.
  const pieces = request.method === 'HEAD' ? [] : objects.open(file.objectKey, range ?? {});
  return reply.send(Readable.from(pieces, { objectMode: false }));
}

/** `Content-Disposition` of a file to be saved (RFC 6266 §4.3; RFC 8187 for names outside ASCII). */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%/]/g, '_');
  const extended = encodeURIComponent(name).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`;
}

/** The range to send, with its headers and status set; null: the whole file. @throws range_not_satisfiable */
function chooseRange(request: FastifyRequest, reply: FastifyReply, etag: string, total: number): ByteRange | null {
  const condition = request.headers['if-range'];
  const isConditionMet = condition === undefined || condition === etag;
  const range = isConditionMet ? readByteRange(request.headers.range, total) : null;
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${total}`);
    throw new ZoetropeError(
      'range_not_satisfiable',
      `The file has ${total} bytes; none of them is in ${JSON.stringify(request.headers.range)}.`,
    );
  }
  if (range !== null) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${total}`);
  return range;
}

/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a `Range` header (RFC 9110 §14.2). Null, which means the whole file, where there is none, it is not of bytes or not valid, or it names
 * more than one range: a server may ignore those.
 */
export function readByteRange(header: string | undefined, total: number): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/i.exec((header ?? '').replaceAll(' ', ''));
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const count = Math.min(Number(last), total);
    return count === 0 ? 'unsatisfiable' : { start: total - count, end: total - 1 };
  }
  const start = Number(first);
  const end = last === '' ? total - 1 : Math.min(Number(last), total - 1);
  if (last !== '' && Number(last) < start) return null;
  return start >= total ? 'unsatisfiable' : { start, end };
}

/** Whether shared caches may keep the answer: not one that an `Authorization` header opened (RFC 9111 §3.5). */
function shareOf(admission: Admission): string {
  return admission.principal === null ? 'public' : 'private';
}

function addVary(reply: FastifyReply, field: string): void {
  const vary = reply.getHeader('vary');
  reply.header('vary', vary === undefined ? field : `${String(vary)}, ${field}`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
