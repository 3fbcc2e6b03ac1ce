import type { FastifyRequest } from 'fastify';
import {
  captionsKey,
  initKey,
  segmentKey,
  trackKey,
  tsKey,
  type MediaFiles,
  type RenditionOwner,
} from './media-files.ts';
import { noSuchFile, type FoundFile } from './playback-answers.ts';
import type { SegmentCipher } from './segment-cipher.ts';
import type { Query, Variant } from './variant.ts';

/** Whose files may be had, and how. */
export interface FileOwner extends RenditionOwner {
  /** How its media segments are encrypted on their way out. */
  readonly cipher: SegmentCipher | null;
  /** How a query asks for a file. @throws invalid_argument, out_of_range */
  readonly readVariant: (query: Query) => Variant;
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
  const variant = owner.readVariant(request.query as Query);
  const { track, container } = variant;
  const { cipher } = owner;
  switch (kind) {
    case 'init':
      return { file: await files.init(id, variant, owner), key: initKey(id, variant) };
    case 'cmaf':
      if (track !== null) return { file: await files.track(id, track), key: trackKey(id, track) };
      return { file: await files.segment(id, cipher), key: segmentKey(id, cipher) };
    case 'ts':
      return { file: await files.tsSegment(id, variant, cipher), key: tsKey(id, variant, cipher) };
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
