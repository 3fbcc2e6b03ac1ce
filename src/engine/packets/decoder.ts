import { avGetCodecName, Codec, CodecContext, CodecParameters, Rational, type Packet, type Stream } from 'node-av/lib';
import {
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  AV_CHANNEL_ORDER_NATIVE,
  AV_NOPTS_VALUE,
  AV_OPT_TYPE_INT,
  AV_OPT_TYPE_INT64,
  type AVChannelOrder,
  type AVChromaLocation,
  type AVCodecID,
  type AVColorPrimaries,
  type AVColorRange,
  type AVColorSpace,
  type AVColorTransferCharacteristic,
  type AVPacketFlag,
  type AVPacketSideDataType,
  type AVPixelFormat,
  type AVProfile,
  type AVSampleFormat,
} from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import { check, setOptions } from '../worker/av.ts';
import type {
  AudioParameters,
  PacketFileHeader,
  Ratio,
  StoredPacket,
  TrackParameters,
  VideoParameters,
} from './packet-file.ts';

/** Every part of a track repeats it. */
const MAX_EXTRADATA_BYTES = 1 << 20;

/** How a decoder is to run. */
export interface DecoderOptions {
  readonly threadCount?: number;
  /** Pictures larger than this are refused by the decoder too, whatever the container said. */
  readonly maxPixels?: number;
  /** Codec options by FFmpeg's names. */
  readonly options?: Readonly<Record<string, string>>;
}

/** What a demuxer knows of a track, ready to be stored. @throws unsupported_media when it is neither video nor audio */
export function trackParameters(stream: Stream): TrackParameters {
  const { codecpar } = stream;
  const { codecType, codecId, extradata } = codecpar;
  const isVideo = codecType === AVMEDIA_TYPE_VIDEO;
  if (!isVideo && codecType !== AVMEDIA_TYPE_AUDIO) {
    throw new ZoetropeError('unsupported_media', `Track ${stream.index} is neither video nor audio.`);
  }
  if (extradata !== null && extradata.length > MAX_EXTRADATA_BYTES) {
    throw new ZoetropeError(
      'corrupt_media',
      `Track ${stream.index} has ${extradata.length} bytes of codec data; no codec needs more than ${MAX_EXTRADATA_BYTES}.`,
    );
  }
  // The native parameters show neither block size nor field order; a codec context made of them does.
  const context = new CodecContext();
  context.allocContext3(null);
  try {
    check(context.parametersToContext(codecpar), `take over the parameters of track ${stream.index}`);
    return {
      kind: isVideo ? 'video' : 'audio',
      codec: avGetCodecName(codecId) ?? 'unknown',
      codecId,
      codecTag: codecpar.codecTag,
      extradata: extradata === null ? null : new Uint8Array(extradata),
      profile: codecpar.profile,
      level: codecpar.level,
      format: codecpar.format,
      bitRate: Number(codecpar.bitRate),
      bitsPerCodedSample: codecpar.bitsPerCodedSample,
      bitsPerRawSample: codecpar.bitsPerRawSample,
      video: isVideo ? videoParameters(codecpar, context) : null,
      audio: isVideo ? null : audioParameters(codecpar, context),
    };
  } finally {
    context.freeContext();
  }
}

/** FFmpeg's `AVFieldOrder` of a track: 0 unknown, 1 progressive, more for interlaced. */
export function fieldOrderOf(codecpar: CodecParameters): number {
  const context = new CodecContext();
  context.allocContext3(null);
  try {
    check(context.parametersToContext(codecpar), 'take over the parameters of a track');
    return intOption(context, 'field_order');
  } finally {
    context.freeContext();
  }
}

function videoParameters(codecpar: CodecParameters, context: CodecContext): VideoParameters {
  return {
    width: codecpar.width,
    height: codecpar.height,
    sampleAspectRatio: toRatio(codecpar.sampleAspectRatio),
    frameRate: toRatio(codecpar.frameRate),
    colorRange: codecpar.colorRange,
    colorPrimaries: codecpar.colorPrimaries,
    colorTrc: codecpar.colorTrc,
    colorSpace: codecpar.colorSpace,
    chromaLocation: codecpar.chromaLocation,
    fieldOrder: intOption(context, 'field_order'),
    videoDelay: codecpar.videoDelay,
  };
}

function audioParameters(codecpar: CodecParameters, context: CodecContext): AudioParameters {
  const { order, mask } = codecpar.channelLayout;
  return {
    sampleRateHz: codecpar.sampleRate,
    channels: codecpar.channels,
    channelOrder: order,
    channelMask: String(BigInt.asUintN(64, mask)),
    blockAlign: intOption(context, 'block_align'),
    frameSize: codecpar.frameSize,
    initialPadding: codecpar.initialPadding,
  };
}

/** Opens a decoder for a file's packets. The caller frees it. @throws unsupported_media without one, corrupt_media when it takes offence */
export function openDecoder({ parameters, timeBase }: PacketFileHeader, options: DecoderOptions = {}): CodecContext {
  const { codecId, video, audio } = parameters;
  const codec = Codec.findDecoder(codecId as AVCodecID);
  if (codec === null) throw new ZoetropeError('unsupported_media', `There is no decoder for ${parameters.codec}.`);
  const context = new CodecContext();
  context.allocContext3(codec);
  try {
    const codecpar = toCodecParameters(parameters);
    try {
      check(context.parametersToContext(codecpar), 'hand over the parameters of a track');
    } finally {
      codecpar.free();
    }
    context.pktTimebase = new Rational(timeBase.num, timeBase.den);
    context.threadCount = options.threadCount ?? 1;
    if (video !== null) {
      setIntOption(context, 'field_order', video.fieldOrder);
      if (options.maxPixels !== undefined) {
        check(context.setOption('max_pixels', BigInt(options.maxPixels), AV_OPT_TYPE_INT64), 'bound the pixels');
      }
    }
    if (audio !== null && audio.blockAlign > 0) setIntOption(context, 'block_align', audio.blockAlign);
    setOptions(context, options.options ?? {});
    check(context.open2Sync(codec, null), `open the ${parameters.codec} decoder`, 'corrupt_media');
    return context;
  } catch (error) {
    context.freeContext();
    throw error;
  }
}

/** Puts a stored packet into a native one, which is emptied first. */
export function fillPacket(packet: Packet, stored: StoredPacket): void {
  const { data, sideData } = stored;
  packet.unref();
  packet.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  packet.pts = stored.pts === null ? AV_NOPTS_VALUE : BigInt(stored.pts);
  packet.dts = stored.dts === null ? AV_NOPTS_VALUE : BigInt(stored.dts);
  packet.duration = BigInt(stored.duration);
  packet.flags = stored.flags as AVPacketFlag;
  for (const side of sideData) {
    check(packet.addSideData(side.type as AVPacketSideDataType, Buffer.from(side.data)), 'add side data to a packet');
  }
}

function toCodecParameters(parameters: TrackParameters): CodecParameters {
  const { video, audio, extradata } = parameters;
  const codecpar = new CodecParameters();
  codecpar.alloc();
  codecpar.codecType = parameters.kind === 'video' ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
  codecpar.codecId = parameters.codecId as AVCodecID;
  codecpar.codecTag = parameters.codecTag;
  codecpar.extradata = extradata === null ? null : Buffer.from(extradata);
  codecpar.profile = parameters.profile as AVProfile;
  codecpar.level = parameters.level;
  codecpar.format = parameters.format as AVPixelFormat | AVSampleFormat;
  codecpar.bitRate = BigInt(parameters.bitRate);
  codecpar.bitsPerCodedSample = parameters.bitsPerCodedSample;
  codecpar.bitsPerRawSample = parameters.bitsPerRawSample;
  if (video !== null) {
    codecpar.width = video.width;
    codecpar.height = video.height;
    codecpar.sampleAspectRatio = new Rational(video.sampleAspectRatio.num, video.sampleAspectRatio.den);
    codecpar.frameRate = new Rational(video.frameRate.num, video.frameRate.den);
    codecpar.colorRange = video.colorRange as AVColorRange;
    codecpar.colorPrimaries = video.colorPrimaries as AVColorPrimaries;
    codecpar.colorTrc = video.colorTrc as AVColorTransferCharacteristic;
    codecpar.colorSpace = video.colorSpace as AVColorSpace;
    codecpar.videoDelay = video.videoDelay;
    codecpar.chromaLocation = video.chromaLocation as AVChromaLocation;
  }
  if (audio !== null) {
    codecpar.sampleRate = audio.sampleRateHz;
    codecpar.channelLayout = channelLayoutOf(audio);
    codecpar.frameSize = audio.frameSize;
    codecpar.initialPadding = audio.initialPadding;
  }
  return codecpar;
}

/** As FFmpeg has it: a native order with a mask, else the count alone. */
function channelLayoutOf({ channels, channelOrder, channelMask }: AudioParameters): {
  nbChannels: number;
  order: AVChannelOrder;
  mask: bigint;
} {
  const isNative = channelOrder === AV_CHANNEL_ORDER_NATIVE && channelMask !== '0';
  return {
    nbChannels: channels,
    order: isNative ? AV_CHANNEL_ORDER_NATIVE : (0 as AVChannelOrder),
    mask: isNative ? BigInt(channelMask) : 0n,
  };
}

function toRatio({ num, den }: { readonly num: number; readonly den: number }): Ratio {
  return { num, den: den === 0 ? 1 : den };
}

function intOption(context: CodecContext, name: string): number {
  const value = context.getOption(name);
  return typeof value === 'number' ? value : Number(value ?? 0);
}

function setIntOption(context: CodecContext, name: string, value: number): void {
  check(context.setOption(name, value, AV_OPT_TYPE_INT), `set the codec option ${name}=${value}`);
}
