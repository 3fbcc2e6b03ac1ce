import type { FastifyReply, FastifyRequest } from 'fastify';
import { ZoetropeError } from '../base/errors.ts';
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
  reply.header('cache-control', `${shareOf(admission)}, ${IMMUTABLE}`);
  reply.header('etag', etag);
  reply.header('accept-ranges', 'bytes');
  if (matchesTag(request.headers['if-none-match'], file.tag)) return reply.code(304).send();
  const total = file.bytes.length;
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
  reply.header('content-type', file.contentType);
  if (range === null) return reply.send(asBuffer(file.bytes));
  reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${total}`);
  return reply.send(asBuffer(file.bytes.subarray(range.start, range.end + 1)));
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
