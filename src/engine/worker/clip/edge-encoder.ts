import { CodecContext, Codec, Frame, Packet, Rational } from 'node-av/lib';
import {
  AVCOL_RANGE_JPEG,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUVJ420P,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
  type AVColorPrimaries,
  type AVColorRange,
  type AVColorSpace,
  type AVColorTransferCharacteristic,
  type AVPixelFormat,
} from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import { videoSampleOf, videoTrackOf } from '../../../packager/cmaf/encoded-video.ts';
import { writeInitSegment } from '../../../packager/cmaf/init-writer.ts';
import { sampleEntryOf } from '../../../packager/mp4/sample-description.ts';
import { check, setOptions } from '../av.ts';
import { PixelConverter } from '../pixel-converter.ts';
import { x264VectorParameters } from '../video/x264-vectors.ts';

/** What pictures are like. */
export interface PictureLook {
  readonly width: number;
  readonly height: number;
  readonly format: AVPixelFormat;
  readonly range: AVColorRange;
  readonly primaries: AVColorPrimaries;
  readonly transfer: AVColorTransferCharacteristic;
  readonly matrix: AVColorSpace;
  readonly aspect: { readonly num: number; readonly den: number };
}

/** What a decoded picture is like. */
export function lookOf(frame: Frame): PictureLook {
  const { num, den } = frame.sampleAspectRatio;
  return {
    width: frame.width,
    height: frame.height,
    format: frame.format as AVPixelFormat,
    range: frame.colorRange,
    primaries: frame.colorPrimaries,
    transfer: frame.colorTrc,
    matrix: frame.colorSpace,
    aspect: num > 0 && den > 0 ? { num, den } : { num: 1, den: 1 },
  };
}

/** What to encode, for which place. */
export interface EdgeEncoderOptions {
  readonly look: PictureLook;
  readonly codec: 'avc1' | 'hvc1';
  /** `profile_idc` of the pictures around, so that one sample description fits all; of HEVC, nothing. */
  readonly profileIdc: number | null;
  /** An id of parameter sets that the pictures around do not use. */
  readonly setId: number;
}

/** A coded picture. */
export interface EdgePicture {
  readonly data: Uint8Array;
  readonly isSync: boolean;
}

/** The packager stamps true times. */
const NOMINAL_RATE = 25;
/** Finer than what cameras and encoders send: the few pictures that are encoded again should not be told from their neighbours. */
const QUALITY = '17';
const ENDLESS = 1 << 20;

/** x264's names of profiles, by `profile_idc` (ITU-T H.264 annex A). */
const PROFILES: Readonly<Record<number, string>> = {
  66: 'baseline',
  77: 'main',
  88: 'main',
  100: 'high',
  110: 'high10',
  122: 'high422',
  244: 'high444',
};

/** Encodes pictures that join others: the first is an IDR picture, the others refer back only, one comes out for each that goes in. */
export class EdgeEncoder implements Disposable {
  readonly #options: EdgeEncoderOptions;
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  #count = 0;
  #entry: Uint8Array | undefined;

  /** @throws unsupported_media when there is no encoder for such pictures */
  constructor(options: EdgeEncoderOptions) {
    this.#options = options;
    this.#context = openEncoder(options);
    this.#packet.alloc();
  }

  /** What its pictures must be like. */
  get look(): PictureLook {
    return this.#options.look;
  }

  /** The sample entry of what it encodes. Known from the first picture on. */
  get entry(): Uint8Array {
    if (this.#entry === undefined) throw new ZoetropeError('internal', 'An encoder was asked for its entry too early.');
    return this.#entry;
  }

  encode(frame: Frame): readonly EdgePicture[] {
    frame.pts = BigInt(this.#count);
    frame.pictType = this.#count === 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    this.#count += 1;
    check(this.#context.sendFrameSync(frame), 'encode a picture');
    return this.#receive();
  }

  /** The pictures that it still holds. */
  finish(): readonly EdgePicture[] {
    check(this.#context.sendFrameSync(null), 'finish encoding');
    return this.#receive();
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#context.freeContext();
  }

  #receive(): readonly EdgePicture[] {
    const pictures: EdgePicture[] = [];
    const codec = this.#options.codec === 'avc1' ? 'h264' : 'hevc';
    for (;;) {
      const result = this.#context.receivePacketSync(this.#packet);
      if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return pictures;
      check(result, 'take a coded picture');
      const { data } = this.#packet;
      if (data === null) throw new ZoetropeError('engine_failed', 'The encoder gave an empty packet.');
      this.#entry ??= sampleEntryOf(
        writeInitSegment(
          videoTrackOf({ codec, extradata: this.#context.extraData, keyFrame: data, frameRate: NOMINAL_RATE }),
        ),
      );
      pictures.push({ data: Uint8Array.from(videoSampleOf(codec, data)), isSync: this.#packet.isKeyframe });
      this.#packet.unref();
    }
  }
}

function openEncoder({ look, codec, profileIdc, setId }: EdgeEncoderOptions): CodecContext {
  const name = codec === 'avc1' ? FF_ENCODER_LIBX264 : FF_ENCODER_LIBX265;
  const found = Codec.findEncoderByName(name);
  if (found === null) throw new ZoetropeError('unsupported_media', `This FFmpeg has no encoder ${name}.`);
  const context = new CodecContext();
  context.allocContext3(found);
  try {
    context.width = look.width;
    context.height = look.height;
    context.pixelFormat = look.format;
    context.colorRange = look.range;
    context.colorPrimaries = look.primaries;
    context.colorTrc = look.transfer;
    context.colorSpace = look.matrix;
    context.sampleAspectRatio = new Rational(look.aspect.num, look.aspect.den);
    context.timeBase = new Rational(1, NOMINAL_RATE);
    context.framerate = new Rational(NOMINAL_RATE, 1);
    context.gopSize = ENDLESS;
    context.maxBFrames = 0;
    context.threadCount = 1;
    context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    setOptions(context, codec === 'avc1' ? avcOptions(look, profileIdc, setId) : HEVC_OPTIONS);
    check(context.open2Sync(found, null), `open ${name} for ${look.width}×${look.height}`, 'unsupported_media');
    return context;
  } catch (error) {
    context.freeContext();
    throw error;
  }
}

function avcOptions(look: PictureLook, profileIdc: number | null, setId: number): Readonly<Record<string, string>> {
  const profile = PROFILES[profileIdc ?? 0];
  return {
    preset: 'veryfast',
    tune: 'zerolatency',
    crf: QUALITY,
    'forced-idr': '1',
    ...(profile === undefined ? {} : { profile }),
    'x264-params': `scenecut=0:sps-id=${setId}${x264VectorParameters(look.width)}`,
  };
}

const HEVC_OPTIONS: Readonly<Record<string, string>> = {
  preset: 'veryfast',
  tune: 'zerolatency',
  crf: QUALITY,
  'forced-idr': '1',
  'x265-params':
    'pools=none:frame-threads=1:wpp=0:keyint=-1:scenecut=0:open-gop=0:bframes=0:info=0:repeat-headers=0:log-level=none',
};

/** Black in 4:2:0 with eight bits, of limited and of full range. */
const BLACK = { limited: [16, 128, 128], full: [0, 128, 128] } as const;

/** Encodes one black picture: an IDR picture, to be shown for any time and as often as needed. */
export function encodeBlack(options: EdgeEncoderOptions): { readonly data: Uint8Array; readonly entry: Uint8Array } {
  const { look } = options;
  const isFull = look.range === AVCOL_RANGE_JPEG;
  using encoder = new EdgeEncoder(options);
  using converter = new PixelConverter();
  using frame = new Frame();
  frame.alloc();
  frame.format = isFull ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
  frame.width = look.width;
  frame.height = look.height;
  check(frame.allocBuffer(), 'allocate a picture');
  const values = BLACK[isFull ? 'full' : 'limited'];
  for (const [index, plane] of (frame.data ?? []).slice(0, 3).entries()) plane.fill(values[index] ?? 128);
  const picture = frame.format === look.format ? frame : converter.convert(frame, look.format, look.width, look.height);
  picture.colorRange = look.range;
  const [coded] = [...encoder.encode(picture), ...encoder.finish()];
  if (coded === undefined) throw new ZoetropeError('engine_failed', 'The encoder gave no black picture.');
  return { data: coded.data, entry: encoder.entry };
}
