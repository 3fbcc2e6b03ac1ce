import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import {
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AV_OPT_TYPE_INT64,
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ444P,
  FF_DECODER_MJPEG,
  FF_DECODER_PNG,
  FF_DECODER_WEBP,
  type FFDecoderCodec,
} from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import type { ObjectStore } from '../../../objects/object-store.ts';
import type { WatermarkRequest } from '../../../timeline/asset.ts';
import { check } from '../av.ts';
import type { GraphInput } from './filter-graph.ts';
import type { MarkPlace } from './picture-filters.ts';

const MAX_BYTES = 16 << 20;
const MAX_PIXELS = 16_000_000;

/** A picture to be laid over others, decoded. */
export class Watermark implements Disposable {
  /** As decoded; it is the watermark's. */
  readonly frame: Frame;
  readonly #request: WatermarkRequest;

  constructor(request: WatermarkRequest, frame: Frame) {
    this.#request = request;
    this.frame = frame;
  }

  get input(): GraphInput {
    const { width, height, format, colorSpace, colorRange } = this.frame;
    return { width, height, format, colorSpace, colorRange };
  }

  /** Where it lies on pictures of a size. It keeps its shape, and is smaller than asked for where it would not fit between the margins. */
  placeOn(picture: { readonly width: number; readonly height: number }): MarkPlace {
    const { position, size, opacity, margin } = this.#request;
    const marginPx = Math.round(margin * picture.width);
    const room = {
      width: Math.max(1, picture.width - 2 * marginPx),
      height: Math.max(1, picture.height - 2 * marginPx),
    };
    const shape = this.frame.height / this.frame.width;
    const wanted = Math.min(size * picture.width, room.width, room.height / shape);
    const width = Math.max(1, Math.round(wanted));
    const height = Math.max(1, Math.min(room.height, Math.round(wanted * shape)));
    const [right, bottom] = [picture.width - width - marginPx, picture.height - height - marginPx];
    const centre = { x: Math.round((picture.width - width) / 2), y: Math.round((picture.height - height) / 2) };
    const places = {
      'top-left': { x: marginPx, y: marginPx },
      'top-right': { x: right, y: marginPx },
      'bottom-left': { x: marginPx, y: bottom },
      'bottom-right': { x: right, y: bottom },
      center: centre,
    };
    const { x, y } = places[position];
    // Margins that leave no room end at the edge.
    const within = (place: number, most: number): number => Math.min(Math.max(0, place), Math.max(0, most));
    const [lastX, lastY] = [picture.width - width, picture.height - height];
    return { x: within(x, lastX), y: within(y, lastY), width, height, opacity };
  }

  [Symbol.dispose](): void {
    this.frame.free();
  }
}

/** Loads the picture that a request names. @throws missing_input, payload_too_large, unsupported_media, corrupt_media */
export async function loadWatermark(request: WatermarkRequest, objects: ObjectStore): Promise<Watermark> {
  const { sizeBytes } = await objects.head(request.objectKey);
  if (sizeBytes > MAX_BYTES) {
    throw new ZoetropeError(
      'payload_too_large',
      `The watermark ${request.objectKey} has ${sizeBytes} bytes, more than the ${MAX_BYTES} allowed; send a smaller picture.`,
    );
  }
  const bytes = await objects.get(request.objectKey);
  return new Watermark(request, decodeMark(bytes, request.objectKey));
}

function decodeMark(bytes: Uint8Array, key: string): Frame {
  const codec = Codec.findDecoderByName(decoderFor(bytes, key));
  if (codec === null) throw new ZoetropeError('engine_failed', 'This FFmpeg lacks a decoder for watermarks.');
  using context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  check(context.setOption('max_pixels', BigInt(MAX_PIXELS), AV_OPT_TYPE_INT64), 'bound the pixels');
  check(context.open2Sync(codec, null), 'open the decoder for the watermark');
  using packet = new Packet();
  packet.alloc();
  packet.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frame = new Frame();
  frame.alloc();
  try {
    const what = `decode the watermark ${key} (a PNG, JPEG or WebP of at most ${MAX_PIXELS} pixels)`;
    check(context.sendPacketSync(packet), what, 'corrupt_media');
    check(context.sendPacketSync(null), what, 'corrupt_media');
    check(context.receiveFrameSync(frame), what, 'corrupt_media');
    const isFull = FULL_RANGE_FORMATS.has(frame.format);
    frame.colorRange = isFull ? AVCOL_RANGE_JPEG : frame.colorRange === 0 ? AVCOL_RANGE_MPEG : frame.colorRange;
    frame.pts = 0n;
    return frame;
  } catch (error) {
    frame.free();
    throw error;
  }
}

const FULL_RANGE_FORMATS: ReadonlySet<number> = new Set([
  AV_PIX_FMT_YUVJ420P,
  AV_PIX_FMT_YUVJ422P,
  AV_PIX_FMT_YUVJ444P,
]);

/** By the first bytes, never by a name. */
function decoderFor(bytes: Uint8Array, key: string): FFDecoderCodec {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1');
  if (head.startsWith('\u0089PNG\r\n\u001a\n')) return FF_DECODER_PNG;
  if (head.startsWith('\u00ff\u00d8\u00ff')) return FF_DECODER_MJPEG;
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return FF_DECODER_WEBP;
  throw new ZoetropeError(
    'unsupported_media',
    `The watermark ${key} is neither PNG, JPEG nor WebP; send one of these.`,
  );
}
