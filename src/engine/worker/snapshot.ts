import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import { AV_PIX_FMT_YUVJ420P, FF_DECODER_H264, FF_DECODER_HEVC } from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import type { AvcInfo, HevcInfo } from '../../packager/cmaf/init-reader.ts';
import type { ReadMediaSegment } from '../../packager/cmaf/media-reader.ts';
import { readMuxedInit, readMuxedSegment } from '../../packager/cmaf/muxed-reader.ts';
import { joinAnnexB, lengthPrefixedToAnnexB } from '../../packager/h264/nal.ts';
import type { SnapshotRequest } from '../engine.ts';
import { avError, check, setOptions } from './av.ts';
import { JpegEncoder } from './jpeg-encoder.ts';
import { PixelConverter } from './pixel-converter.ts';
import type { WorkerContext } from './worker-context.ts';

const JPEG_QUANTISER = 4;

/** Does {@link Engine.snapshot} in this process: decodes from the last sync sample up to the one wanted. */
export async function snapshot(request: SnapshotRequest, { objects }: WorkerContext): Promise<Uint8Array> {
  const info = decodable(request.init);
  const segment = readMuxedSegment(request.init, await objects.get(request.segmentKey)).video;
  if (segment === null) throw new ZoetropeError('corrupt_media', 'The segment holds no pictures.');
  const { length } = segment.samples;
  if (!Number.isInteger(request.sampleIndex) || request.sampleIndex < 0 || request.sampleIndex >= length) {
    throw new ZoetropeError('out_of_range', `The segment has ${length} samples. Got index ${request.sampleIndex}.`);
  }
  using decoder = new SampleDecoder(info);
  const frame = decoder.decode(segment, request.sampleIndex);
  const { width, height } = sizeWithin(frame, request.widthPx);
  using converter = new PixelConverter();
  const isReady = frame.format === AV_PIX_FMT_YUVJ420P && width === frame.width;
  const picture = isReady ? frame : converter.convert(frame, AV_PIX_FMT_YUVJ420P, width, height);
  using encoder = new JpegEncoder({ width, height, quantiser: JPEG_QUANTISER });
  return encoder.encode(picture);
}

/** Never larger than the picture, in its shape, in whole pairs of pixels. */
function sizeWithin(frame: Frame, widthPx: number | null): { readonly width: number; readonly height: number } {
  if (widthPx === null || widthPx >= frame.width) return { width: frame.width, height: frame.height };
  const even = (value: number): number => Math.max(2, 2 * Math.round(value / 2));
  return { width: even(widthPx), height: even((widthPx * frame.height) / frame.width) };
}

type DecodableInfo = AvcInfo | HevcInfo;

/** The track of pictures. @throws unsupported_media, corrupt_media */
function decodable(init: Uint8Array): DecodableInfo {
  const { video } = readMuxedInit(init);
  if (video?.codec === 'avc1' || video?.codec === 'hvc1') return video;
  throw new ZoetropeError(
    'unsupported_media',
    `A picture can be had of H.264 and HEVC. Got ${video?.codecs ?? 'sound alone'}; transcode it.`,
  );
}

class SampleDecoder implements Disposable {
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  readonly #parameterSets: Uint8Array;

  constructor(info: DecodableInfo) {
    const isAvc = info.codec === 'avc1';
    const codec = Codec.findDecoderByName(isAvc ? FF_DECODER_H264 : FF_DECODER_HEVC);
    if (codec === null) throw new ZoetropeError('engine_failed', `This FFmpeg cannot decode ${info.codecs}.`);
    this.#parameterSets = joinAnnexB(isAvc ? [info.sps, info.pps] : [info.vps, info.sps, info.pps]);
    this.#packet.alloc();
    this.#frame.alloc();
    this.#context.allocContext3(codec);
    this.#context.threadCount = 1;
    setOptions(this.#context, { err_detect: 'explode' });
    check(this.#context.open2Sync(codec, null), 'open the decoder of pictures');
  }

  decode({ samples }: ReadMediaSegment, index: number): Frame {
    const first = Math.max(
      0,
      samples.slice(0, index + 1).findLastIndex((sample) => sample.isSync),
    );
    let decodingTime = 0;
    let wanted = 0n;
    for (const [offset, sample] of samples.slice(first, index + 1).entries()) {
      const time = BigInt(decodingTime + sample.compositionOffset);
      decodingTime += sample.duration;
      if (first + offset === index) wanted = time;
      const sets = sample.isSync ? [this.#parameterSets] : [];
      this.#packet.unref();
      this.#packet.data = Buffer.concat([...sets, lengthPrefixedToAnnexB(sample.data)]);
      this.#packet.pts = time;
      const result = this.#context.sendPacketSync(this.#packet);
      if (result < 0) throw avError(result, 'decode the segment', 'corrupt_media');
      if (this.#receive(first + offset === index ? wanted : null)) return this.#frame;
    }
    check(this.#context.sendPacketSync(null), 'finish decoding the segment');
    if (this.#receive(wanted)) return this.#frame;
    throw new ZoetropeError('corrupt_media', `Sample ${index} of the segment does not decode to a picture.`);
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#packet.free();
    this.#context.freeContext();
  }

  /** Takes pictures out until the wanted one; false when there is none (yet). */
  #receive(wanted: bigint | null): boolean {
    while (this.#context.receiveFrameSync(this.#frame) >= 0) if (this.#frame.pts === wanted) return true;
    return false;
  }
}
