import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { isZoetropeError, systemCodeOf, ZoetropeError, type ErrorCode } from '../base/errors.ts';
import { formatRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { Catalog, Window } from '../catalog/catalog.ts';
import type { Engine, FrameLimits, MediaRef } from '../engine/engine.ts';
import { readJpegHeader } from '../engine/jpeg/read-header.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Epoch } from '../timeline/epoch.ts';
import { segmentEndMs, type Segment } from '../timeline/segment.ts';
import type { Stream } from '../timeline/stream.ts';
import type { RemoteSource } from './remote-source.ts';
import { PushedPictures, type ShownSample } from './pushed-pictures.ts';

/** A JPEG of a stream. */
export interface Picture {
  readonly jpeg: Uint8Array;
  /** Of the frame itself, which may lie before the time asked for. */
  readonly capturedAtMs: WallMs;
  /** A strong entity tag without quotes. */
  readonly etag: string;
}

/** How large a picture is wanted, and until when. */
export interface PictureOptions {
  /** Scales down, never up; null: as it is. */
  readonly widthPx: number | null;
  readonly signal: AbortSignal;
}

/** What pictures are made from. */
export interface PicturesDeps {
  readonly catalog: Pick<Catalog, 'liveWindow' | 'segmentsBetween'>;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly engine: Pick<Engine, 'snapshot'>;
  readonly remote: Pick<RemoteSource, 'arrived' | 'wish'>;
  /** The newest frame that arrived in this process, as it was sent; null when none has since its start. */
  readonly newestFrame: (streamId: string) => { readonly capturedAtMs: WallMs; readonly ref: MediaRef } | null;
  /** Memory for pictures, in bytes. */
  readonly cacheBytes: number;
  /** Of frames: what is beyond them the engine refuses, and so it is not shown here either. */
  readonly limits: FrameLimits;
}

/** How many segments of a stream at an edge are looked at for one that is here. */
const LOOK_BACK = 60;

/** Why a frame as it was sent cannot be shown: its owner took it away or closed it to us, or it is nothing that would reach a segment. */
const UNSHOWABLE: ReadonlySet<ErrorCode> = new Set([
  'missing_input',
  'unsupported_media',
  'corrupt_media',
  'payload_too_large',
]);

/** Single pictures of streams: the newest frame as it was sent, any other decoded from its segment. */
export class Pictures {
  readonly #deps: PicturesDeps;
  readonly #made: LRUCache<string, Picture>;
  readonly #making = new Map<string, Promise<Picture>>();
  readonly #pushed: PushedPictures;

  constructor(deps: PicturesDeps) {
    this.#deps = deps;
    this.#pushed = new PushedPictures(deps.objects);
    this.#made = new LRUCache({
      maxSize: deps.cacheBytes,
      sizeCalculation: (picture) => picture.jpeg.length + 256,
    });
  }

  /**
   * The newest frame, as it was sent where that is wide enough to be worth no decoding; scaled, it comes from the newest segment once that has it. Of a
   * pushed stream the newest keyframe.
   * @throws not_found when no frame has arrived.
   */
  async latest(stream: Stream, options: PictureOptions): Promise<Picture> {
    const sent = await this.#sent(stream.id);
    const window = await this.#deps.catalog.liveWindow(stream.id, stream.edgeId === null ? 1 : LOOK_BACK);
    const segment = await this.#newestHere(window);
    const shownMs = segment === undefined ? null : (segment.frameTimesMs.at(-1) ?? segment.startMs);
    if (sent !== null) {
      // A frame that is in no segment yet is worth more than its size on the screen.
      if (shownMs === null || shownMs < sent.capturedAtMs) return sent;
      // A newer one may have come through another process.
      if (shownMs === sent.capturedAtMs && options.widthPx === null) return sent;
    }
    if (segment === undefined) {
      throw new ZoetropeError('not_found', `The stream ${stream.id} has no pictures yet. Send some.`, {
        retryable: true,
      });
    }
    return this.#decode(window, segment, null, options);
  }

  /** The frame shown at a wall time. @throws not_found in a gap, or outside the retained window. */
  async at(stream: Stream, atMs: WallMs, options: PictureOptions): Promise<Picture> {
    const window = await this.#deps.catalog.segmentsBetween(stream.id, atMs, wallMs(atMs + 1), 100);
    // Where segments overlap, the one that began last is shown.
    const segment = window.segments.findLast((one) => one.startMs <= atMs && segmentEndMs(one) > atMs && !one.lost);
    if (segment === undefined) {
      throw new ZoetropeError(
        'not_found',
        `The stream ${stream.id} shows nothing at ${formatRfc3339(atMs)}. Its stretches are listed under /v1/streams/${stream.id}/timeline.`,
      );
    }
    return this.#decode(window, await this.#deps.remote.arrived(segment), atMs, options);
  }

  /** Of a stream at an edge the newest whose bytes are here. Where none are, the newest is worth waiting for, now and then. */
  async #newestHere({ segments }: Window): Promise<Segment | undefined> {
    const newest = segments.at(-1);
    if (newest === undefined || !newest.remote) return newest;
    const { remote } = this.#deps;
    const isAsked = await remote.wish(newest);
    return segments.findLast((one) => !one.remote && !one.lost) ?? (isAsked ? await remote.arrived(newest) : undefined);
  }

  async #sent(streamId: string): Promise<Picture | null> {
    const newest = this.#deps.newestFrame(streamId);
    if (newest === null) return null;
    const { capturedAtMs, ref } = newest;
    const { limits, objects } = this.#deps;
    const name = 'objectKey' in ref ? ref.objectKey : ref.path;
    try {
      return await this.#once(`${streamId} ${capturedAtMs} ${name}`, async () => {
        const jpeg =
          'objectKey' in ref ? await objects.get(ref.objectKey) : await readPlainFile(ref.path, limits.maxBytes);
        readJpegHeader(jpeg, limits);
        return pictureOf(jpeg, capturedAtMs);
      });
    } catch (error) {
      // The newest segment is the answer then.
      if ((isZoetropeError(error) && UNSHOWABLE.has(error.code)) || systemCodeOf(error) !== undefined) return null;
      throw error;
    }
  }

  /** `atMs` null: the newest. */
  async #decode(window: Window, segment: Segment, atMs: WallMs | null, options: PictureOptions): Promise<Picture> {
    const epoch = window.epochs.find((one) => one.id === segment.epochId);
    if (epoch === undefined) throw new ZoetropeError('internal', `The epoch of segment ${segment.id} is missing.`);
    options.signal.throwIfAborted();
    const shown = await this.#sampleAt(segment, epoch, atMs);
    const { widthPx } = options;
    return this.#once(`${segment.id} ${shown.sampleIndex} ${String(widthPx)}`, async () => {
      const { init } = epoch;
      const request = { init, segmentKey: segment.objectKey, sampleIndex: shown.sampleIndex, widthPx };
      // No signal: others may be waiting for the same picture.
      return pictureOf(await this.#deps.engine.snapshot(request), shown.capturedAtMs);
    });
  }

  /** Which sample is shown at a wall time within the segment. @throws not_found when it has no pictures */
  async #sampleAt(segment: Segment, epoch: Epoch, atMs: WallMs | null): Promise<ShownSample> {
    const times = segment.frameTimesMs;
    const sampleIndex =
      atMs === null
        ? times.length - 1
        : Math.max(
            0,
            times.findLastIndex((time) => time <= atMs),
          );
    const capturedAtMs = times[sampleIndex];
    if (capturedAtMs !== undefined) return { sampleIndex, capturedAtMs };
    const shown = await (atMs === null ? this.#pushed.newest(segment, epoch) : this.#pushed.at(segment, epoch, atMs));
    if (shown !== null) return shown;
    throw new ZoetropeError('not_found', `The stream ${segment.streamId} has sound and no pictures.`);
  }

  /** A picture by key, made once however many ask for it at once. */
  async #once(key: string, make: () => Promise<Picture>): Promise<Picture> {
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    let making = this.#making.get(key);
    if (making === undefined) {
      making = make().finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    const picture = await making;
    this.#made.set(key, picture);
    return picture;
  }
}

function pictureOf(jpeg: Uint8Array, capturedAtMs: WallMs): Picture {
  return { jpeg, capturedAtMs, etag: createHash('sha256').update(jpeg).digest('hex').slice(0, 32) };
}

/** As the engine reads a frame: no link in the last part of its path, no pipe or device. Not blocking as there: others wait here. @throws payload_too_large */
async function readPlainFile(path: string, maxBytes: number): Promise<Uint8Array> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stat = await file.stat();
  if (!stat.isFile()) throw new ZoetropeError('unsupported_media', `${JSON.stringify(path)} is not a plain file.`);
  if (stat.size > maxBytes) {
    throw new ZoetropeError(
      'payload_too_large',
      `The frame has ${stat.size} bytes, more than the ${maxBytes} allowed.`,
    );
  }
  return await file.readFile();
}
