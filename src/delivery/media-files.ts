import { createHash } from 'node:crypto';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import { wallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { readInit } from '../packager/cmaf/init-reader.ts';
import { readMediaSegment } from '../packager/cmaf/media-reader.ts';
import { retimeInit } from '../packager/cmaf/retime.ts';
import { writeTsSegment } from '../packager/mpegts/ts-writer.ts';
import { segmentEndMs, type Segment } from '../timeline/segment.ts';
import type { HotFile, HotFiles } from './hot-files.ts';

/** What media files are read from. */
export interface MediaFilesDeps {
  readonly catalog: Pick<Catalog, 'getSegment' | 'getEpoch'>;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly hot: HotFiles;
}

/** Segments and init segments by id, from memory where possible. Who asks must check that the file belongs to what was asked for. */
export class MediaFiles {
  readonly #deps: MediaFilesDeps;

  constructor(deps: MediaFilesDeps) {
    this.#deps = deps;
  }

  /** A segment as it is stored. @throws not_found when it is unknown or its bytes were lost. */
  segment(segmentId: string): Promise<HotFile> {
    return this.#deps.hot.load(segmentKey(segmentId), async () => {
      const segment = await this.#deps.catalog.getSegment(segmentId);
      const bytes = await this.#read(segment);
      return fileOf(segment, bytes, segment.sha256.slice(0, 32), 'video/mp4');
    });
  }

  /** A segment as MPEG-TS, at a speed. @throws as {@link MediaFiles.segment} */
  tsSegment(segmentId: string, speed: number): Promise<HotFile> {
    return this.#deps.hot.load(tsKey(segmentId, speed), async () => {
      const segment = await this.#deps.catalog.getSegment(segmentId);
      const [epoch, stored] = await Promise.all([
        this.#deps.catalog.getEpoch(segment.epochId),
        this.segment(segmentId),
      ]);
      const { baseMediaDecodeTime, samples } = readMediaSegment(stored.bytes);
      const bytes = writeTsSegment({
        parameterSets: readInit(epoch.init),
        sequenceNumber: segment.sequence,
        baseTime90k: baseMediaDecodeTime,
        samples,
        speed,
      });
      return fileOf(segment, bytes, tagOf(bytes), 'video/mp2t');
    });
  }

  /** An init segment for a speed. `ownerOf` names the stream that an epoch's rendition belongs to. @throws not_found */
  init(epochId: string, speed: number, ownerOf: (renditionId: string) => string): Promise<HotFile> {
    return this.#deps.hot.load(initKey(epochId, speed), async () => {
      const epoch = await this.#deps.catalog.getEpoch(epochId);
      const bytes = speed === 1 ? epoch.init : retimeInit(epoch.init, speed);
      return {
        bytes,
        tag: tagOf(bytes),
        contentType: 'video/mp4',
        streamId: ownerOf(epoch.renditionId),
        startMs: wallMs(Number.NEGATIVE_INFINITY),
        endMs: wallMs(Number.POSITIVE_INFINITY),
      };
    });
  }

  async #read(segment: Segment): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#deps.objects.get(segment.objectKey);
    } catch (error) {
      if (!isZoetropeError(error, 'missing_input')) throw error;
      throw new ZoetropeError(
        'not_found',
        `The bytes of segment ${segment.id} are gone. Run "zoetrope doctor --repair", so that playlists show the gap.`,
        { cause: error },
      );
    }
    if (bytes.length === segment.sizeBytes) return bytes;
    throw new ZoetropeError(
      'corrupt_media',
      `Segment ${segment.id} must have ${segment.sizeBytes} bytes; the store has ${bytes.length}. Run "zoetrope doctor".`,
    );
  }
}

/** Keys of files in memory. */
export function segmentKey(segmentId: string): string {
  return `${segmentId}.m4s`;
}

/** See {@link segmentKey}. */
export function tsKey(segmentId: string, speed: number): string {
  return `${segmentId}.ts@${speed}`;
}

/** See {@link segmentKey}. */
export function initKey(epochId: string, speed: number): string {
  return `${epochId}.mp4@${speed}`;
}

function tagOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

function fileOf(segment: Segment, bytes: Uint8Array, tag: string, contentType: string): HotFile {
  return {
    bytes,
    tag,
    contentType,
    streamId: segment.streamId,
    startMs: segment.startMs,
    endMs: segmentEndMs(segment),
  };
}
