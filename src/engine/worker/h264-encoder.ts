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
 * How much coarser a quantiser than the `crf` asked for gives the same: constant quantiser 27 and x264's own `crf` 26 need the same bytes for the same
 * PSNR on camera pictures (within 5 % and 0.4 dB, measured on noisy and calm scenes at 640×480 and 1280×720).
 *
 * The quantiser is constant because x264's rate control has a memory: it takes a segment's first quantiser from what it encoded before, which in
 * an encoder shared by cameras was another camera. Without memory an encoder serves any number of segments, each the same as if it were alone, and
 * neither the opening (1.5 ms) nor the look-ahead is paid for every segment: a quarter less CPU in all.
 */
const QUANTISER_ABOVE_CRF = 1;
const COARSEST_QUANTISER = 51;

/**
 * The clock that the encoder is told; the packager stamps the true times. It decides the level alone, which must not depend on how often a camera
 * sends.
 */
const NOMINAL_RATE = 25;

/** x264's SEI is 600 bytes of settings in a segment: of no use to a player. */
const DROPPED_NALS = new Set([...OUT_OF_BAND_NALS, NAL.sei]);

/** What an encoder is for. */
export interface H264EncoderOptions {
  readonly width: number;
  readonly height: number;
  /** Constant rate factor, 0 (lossless) to 51, as x264 counts it. */
  readonly crf: number;
}

/** Encodes segments of pictures: the first is an IDR, the others refer back only, one goes out for each that comes in. */
export class H264Encoder implements Disposable {
  readonly width: number;
  readonly height: number;
  readonly parameterSets: ParameterSets;
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  #count = 0n;
  #isFirst = true;

  constructor(options: H264EncoderOptions) {
    this.width = options.width;
    this.height = options.height;
    this.#context = openEncoder(options);
    this.#packet.alloc();
    const { extraData } = this.#context;
    if (extraData === null) throw new ZoetropeError('engine_failed', 'The H.264 encoder gave no parameter sets.');
    this.parameterSets = parameterSetsOf(extraData);
  }

  /** The next picture begins a segment: it refers to nothing before it. */
  beginSegment(): void {
    this.#isFirst = true;
  }

  /** The picture as an `avc1` sample: NAL units with lengths of four bytes. */
  encode(frame: Frame): Uint8Array {
    frame.pts = this.#count;
    // Decoded JPEGs say "I" of themselves, which would make every picture one.
    frame.pictType = this.#isFirst ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    this.#isFirst = false;
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

function openEncoder({ width, height, crf }: H264EncoderOptions): CodecContext {
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
    qp: String(crf === 0 ? 0 : Math.min(COARSEST_QUANTISER, crf + QUANTISER_ABOVE_CRF)),
    'forced-idr': '1',
    'x264-params': 'scenecut=0',
  });
  const result = context.open2Sync(codec, null);
  if (result < 0) context.freeContext();
  check(result, `open an H.264 encoder for ${width}×${height}`);
  return context;
}
