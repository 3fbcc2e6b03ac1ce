import { createHash } from 'node:crypto';
import { isZoetropeError, ZoetropeError } from '../base/errors.ts';
import { wallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { selectTrackInit } from '../packager/cmaf/muxed-reader.ts';
import { retimeInit } from '../packager/cmaf/retime.ts';
import type { TrackKind } from '../packager/cmaf/track-boxes.ts';
import type { OutputFile } from '../timeline/asset.ts';
import type { Epoch } from '../timeline/epoch.ts';
import { segmentEndMs, type Segment } from '../timeline/segment.ts';
import type { RemoteSource } from './remote-source.ts';
import type { HotFile, HotFiles } from './hot-files.ts';
import type { SegmentCipher } from './segment-cipher.ts';
import { trackOf } from './track-view.ts';
import { mapToTsClock, repackageAsTs } from './ts-container.ts';
import type { Variant } from './variant.ts';

/** What media files are read from. */
export interface MediaFilesDeps {
  readonly catalog: Pick<Catalog, 'getSegment' | 'getEpoch'>;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly hot: HotFiles;
  readonly remote: Pick<RemoteSource, 'arrived'>;
}

/** Whose files are asked for. */
export interface RenditionOwner {
  readonly streamId: string;
  /** Whether a rendition is one of the stream's. */
  readonly owns: (renditionId: string) => boolean;
}

/** What of a variant changes a file's bytes besides its container. */
export type FileVariant = Pick<Variant, 'speed' | 'track'>;

/** What epochs of captions have as their codec. */
const CAPTIONS_CODEC = 'wvtt';

/** The media type of WebVTT. */
export const CAPTIONS_TYPE = 'text/vtt; charset=utf-8';

/** How long files may be kept by others whose URL does not say which version they are. */
export const REPLACEABLE = 'max-age=300';

/** Segments and init segments by id, from memory where possible. Who asks must check that the file belongs to what was asked for. */
export class MediaFiles {
  readonly #deps: MediaFilesDeps;

  constructor(deps: MediaFilesDeps) {
    this.#deps = deps;
  }

  /** A segment as it is stored. @throws not_found when it is unknown or its bytes were lost. */
  segment(segmentId: string, cipher: SegmentCipher | null = null): Promise<HotFile> {
    return this.#deps.hot.load(segmentKey(segmentId, cipher), async () => {
      const segment = await this.#deps.catalog.getSegment(segmentId);
      return fileOf(segment, await this.#read(segment), 'video/mp4', cipher);
    });
  }

  /** One track of a segment. @throws as {@link MediaFiles.segment}, also when it holds nothing of that track */
  track(segmentId: string, kind: TrackKind): Promise<HotFile> {
    return this.#deps.hot.load(trackKey(segmentId, kind), async () => {
      const { segment, epoch, stored } = await this.#whole(segmentId);
      return fileOf(segment, trackOf(segment, epoch, stored.bytes, kind), `${kind}/mp4`, null);
    });
  }

  /** A segment as MPEG-TS. @throws as {@link MediaFiles.track} */
  tsSegment(segmentId: string, variant: FileVariant, cipher: SegmentCipher | null = null): Promise<HotFile> {
    return this.#deps.hot.load(tsKey(segmentId, variant, cipher), async () => {
      const { segment, epoch, stored } = await this.#whole(segmentId);
      const { speed, track } = variant;
      const bytes = repackageAsTs(epoch.init, stored.bytes, { sequenceNumber: segment.sequence, speed, track });
      return fileOf(segment, bytes, 'video/mp2t', cipher);
    });
  }

  /** A segment of captions, beside media of a container. @throws as {@link MediaFiles.segment} */
  captions(segmentId: string, container: Variant['container']): Promise<HotFile> {
    return this.#deps.hot.load(captionsKey(segmentId, container), async () => {
      const segment = await this.#deps.catalog.getSegment(segmentId);
      const { codecs } = await this.#deps.catalog.getEpoch(segment.epochId);
      // Pictures and sound must not leave under this name past their encryption.
      if (codecs !== CAPTIONS_CODEC) throw new ZoetropeError('not_found', `Segment ${segmentId} holds no captions.`);
      const stored = await this.#read(segment);
      return fileOf(segment, container === 'ts' ? mapToTsClock(stored) : stored, CAPTIONS_TYPE, null);
    });
  }

  /** Captions for saving or a `<track>`. @throws as {@link MediaFiles.segment} */
  captionsFile(segmentId: string): Promise<HotFile> {
    return this.#deps.hot.load(captionsFileKey(segmentId), async () => ({
      ...(await this.captions(segmentId, 'cmaf')),
      cacheControl: REPLACEABLE,
    }));
  }

  /** An init segment, if the owner has it. @throws not_found, also when it has no such track */
  init(epochId: string, variant: FileVariant, owner: RenditionOwner): Promise<HotFile> {
    return this.#deps.hot.load(initKey(epochId, variant), async () => {
      const epoch = await this.#deps.catalog.getEpoch(epochId);
      // Thrown, so that nothing is kept: who really has it may ask next.
      if (!owner.owns(epoch.renditionId)) throw new ZoetropeError('not_found', `There is no epoch ${epochId} here.`);
      const { speed, track } = variant;
      const init = track === null ? epoch.init : selectTrackInit(epoch.init, track);
      const bytes = speed === 1 ? init : retimeInit(init, speed);
      return {
        bytes,
        tag: tagOf(bytes),
        contentType: `${track ?? 'video'}/mp4`,
        streamId: owner.streamId,
        startMs: wallMs(Number.NEGATIVE_INFINITY),
        endMs: wallMs(Number.POSITIVE_INFINITY),
      };
    });
  }

  /** A small file of an asset, such as a picture. Its URL may name another one after a retry. @throws missing_input */
  outputFile(file: OutputFile, assetId: string): Promise<HotFile> {
    return this.#deps.hot.load(outputFileKey(file.objectKey), async () => ({
      bytes: await this.#deps.objects.get(file.objectKey),
      tag: outputFileTag(file),
      contentType: file.contentType,
      cacheControl: REPLACEABLE,
      streamId: assetId,
      startMs: wallMs(Number.NEGATIVE_INFINITY),
      endMs: wallMs(Number.POSITIVE_INFINITY),
    }));
  }

  async #whole(
    segmentId: string,
  ): Promise<{ readonly segment: Segment; readonly epoch: Epoch; readonly stored: HotFile }> {
    const segment = await this.#deps.catalog.getSegment(segmentId);
    const [epoch, stored] = await Promise.all([this.#deps.catalog.getEpoch(segment.epochId), this.segment(segmentId)]);
    return { segment, epoch, stored };
  }

  async #read(row: Segment): Promise<Uint8Array> {
    const segment = await this.#deps.remote.arrived(row);
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

/** Strong: an object is written once under its key. */
export function outputFileTag(file: OutputFile): string {
  return tagOf(file.objectKey);
}

/** Keys of files in memory. */
export function segmentKey(segmentId: string, cipher: SegmentCipher | null = null): string {
  return `${segmentId}.m4s${cipherKey(cipher)}`;
}

/** See {@link segmentKey}. */
export function trackKey(segmentId: string, kind: TrackKind): string {
  return `${segmentId}.m4s ${kind}`;
}

/** See {@link segmentKey}. */
export function tsKey(segmentId: string, variant: FileVariant, cipher: SegmentCipher | null = null): string {
  return `${segmentId}.ts@${variantKey(variant)}${cipherKey(cipher)}`;
}

/** See {@link segmentKey}. */
export function captionsKey(segmentId: string, container: Variant['container']): string {
  return `${segmentId}.vtt@${container}`;
}

/** See {@link segmentKey}. */
export function captionsFileKey(segmentId: string): string {
  return `${segmentId}.vtt alone`;
}

/** See {@link segmentKey}. */
export function initKey(epochId: string, variant: FileVariant): string {
  return `${epochId}.mp4@${variantKey(variant)}`;
}

/** See {@link segmentKey}. */
export function outputFileKey(objectKey: string): string {
  return `file ${objectKey}`;
}

function variantKey({ speed, track }: FileVariant): string {
  return track === null ? String(speed) : `${speed} ${track}`;
}

/** Of whatever asset is asked for: one asset's segment under another's key must not be taken for its own. */
function cipherKey(cipher: SegmentCipher | null): string {
  return cipher === null ? '' : ` for ${cipher.assetId}`;
}

function tagOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

function fileOf(segment: Segment, bytes: Uint8Array, contentType: string, cipher: SegmentCipher | null): HotFile {
  const sent = cipher?.encrypt(bytes, segment.sequence) ?? bytes;
  return {
    bytes: sent,
    tag: tagOf(sent),
    contentType,
    streamId: segment.streamId,
    startMs: segment.startMs,
    endMs: segmentEndMs(segment),
  };
}
