import type { FastifyRequest } from 'fastify';
import { captionsKey, initKey, segmentKey, tsKey, type MediaFiles, type RenditionOwner } from './media-files.ts';
import { noSuchFile, type FoundFile } from './playback-answers.ts';
import type { SegmentCipher } from './segment-cipher.ts';
import { readVariant, type Query } from './variant.ts';

/** Whose files may be had, and how. */
export interface FileOwner extends RenditionOwner {
  /** How its media segments are encrypted on their way out. */
  readonly cipher: SegmentCipher | null;
}

const FILE_NAMES = [
  [/^(epo_[0-9a-z]{10,40})\.mp4$/, 'init'],
  [/^(seg_[0-9a-z]{10,40})\.m4s$/, 'cmaf'],
  [/^(seg_[0-9a-z]{10,40})\.ts$/, 'ts'],
  [/^(seg_[0-9a-z]{10,40})\.vtt$/, 'captions'],
] as const;

/** The init segment or segment that a URL names, if it is of this stream. @throws not_found */
export async function namedFile(files: MediaFiles, request: FastifyRequest, owner: FileOwner): Promise<FoundFile> {
  const found = await findFile(files, request, owner);
  if (found.file.streamId !== owner.streamId) throw noSuchFile(request);
  return found;
}

async function findFile(files: MediaFiles, request: FastifyRequest, owner: FileOwner): Promise<FoundFile> {
  const { kind, id } = readFileName(request);
  const { speed, container } = readVariant(request.query as Query, 1);
  const { cipher } = owner;
  switch (kind) {
    case 'init':
      return { file: await files.init(id, speed, owner), key: initKey(id, speed) };
    case 'cmaf':
      return { file: await files.segment(id, cipher), key: segmentKey(id, cipher) };
    case 'ts':
      return { file: await files.tsSegment(id, speed, cipher), key: tsKey(id, speed, cipher) };
    case 'captions':
      return { file: await files.captions(id, container), key: captionsKey(id, container) };
  }
}

function readFileName(request: FastifyRequest): { readonly kind: (typeof FILE_NAMES)[number][1]; readonly id: string } {
  const { file } = request.params as { readonly file: string };
  const isInit = request.routeOptions.url?.includes('/init/') === true;
  for (const [pattern, kind] of FILE_NAMES) {
    const id = pattern.exec(file)?.[1];
    if (id !== undefined && isInit === (kind === 'init')) return { kind, id };
  }
  throw noSuchFile(request);
}
