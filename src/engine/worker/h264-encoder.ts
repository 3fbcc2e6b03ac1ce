import { Codec, CodecContext, Packet, Rational, type Frame } from 'node-av/lib';
import {
  AVCOL_PRI_BT709,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_BT470BG,
  AVCOL_TRC_IEC61966_2_1,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUVJ420P,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import {
  annexBToLengthPrefixed,
  NAL,
  OUT_OF_BAND_NALS,
  parameterSetsOf,
  type ParameterSets,
} from '../../packager/h264/nal.ts';
import { check, setOptions } from './av.ts';

/**
 * The clock that rate control sees. x264's CRF spends more on frames that last longer: at the true 5 s a frame a segment is four times the size
 * at the same quality setting, so the encoder is told 25 frames a second and the packager stamps the true times.
 */
const NOMINAL_RATE = 25;

/** x264's SEI is 600 bytes of settings in every segment: of no use to a player. */
const DROPPED_NALS = new Set([...OUT_OF_BAND_NALS, NAL.sei]);

/** Encodes the pictures of one segment: the first is an IDR, the others refer back only, one goes out for each that comes in. */
export class H264Encoder implements Disposable {
  readonly width: number;
  readonly height: number;
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  #count = 0n;

  constructor(options: { readonly width: number; readonly height: number; readonly crf: number }) {
    this.width = options.width;
    this.height = options.height;
    this.#context = openEncoder(options.width, options.height, options.crf);
    this.#packet.alloc();
  }

  get parameterSets(): ParameterSets {
    const extraData = this.#context.extraData;
    if (extraData === null) throw new ZoetropeError('engine_failed', 'The H.264 encoder gave no parameter sets.');
    return parameterSetsOf(extraData);
  }

  /** The picture as an `avc1` sample: NAL units with lengths of four bytes. */
  encode(frame: Frame): Uint8Array {
    frame.pts = this.#count;
    // Decoded JPEGs say "I" of themselves, which would make every picture one.
    frame.pictType = this.#count === 0n ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    this.#count += 1n;
    check(this.#context.sendFrameSync(frame), 'encode a picture');
    check(this.#context.receivePacketSync(this.#packet), 'encode a picture');
    const accessUnit = this.#packet.data;
    if (accessUnit === null) throw new ZoetropeError('engine_failed', 'The H.264 encoder gave an empty packet.');
    const sample = annexBToLengthPrefixed(accessUnit, DROPPED_NALS);
    this.#packet.unref();
    return sample;
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#context.freeContext();
  }
}

function openEncoder(width: number, height: number, crf: number): CodecContext {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
  if (codec === null) throw new ZoetropeError('engine_failed', 'This FFmpeg has no libx264 encoder.');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.pixelFormat = AV_PIX_FMT_YUVJ420P;
  context.colorRange = AVCOL_RANGE_JPEG;
  context.colorSpace = AVCOL_SPC_BT470BG;
  context.colorPrimaries = AVCOL_PRI_BT709;
  context.colorTrc = AVCOL_TRC_IEC61966_2_1;
  context.timeBase = new Rational(1, NOMINAL_RATE);
  context.framerate = new Rational(NOMINAL_RATE, 1);
  context.gopSize = 1 << 20;
  context.maxBFrames = 0;
  context.threadCount = 1;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  setOptions(context, {
    preset: 'ultrafast',
    tune: 'zerolatency',
    crf: String(crf),
    'forced-idr': '1',
    'x264-params': 'scenecut=0',
  });
  const result = context.open2Sync(codec, null);
  if (result < 0) context.freeContext();
  check(result, `open an H.264 encoder for ${width}×${height}`);
  return context;
}
