import { avGetCodecName, avGetPixFmtName, Codec, type Packet, type Stream } from 'node-av/lib';
import {
  AVCOL_TRC_ARIB_STD_B67,
  AVCOL_TRC_SMPTE2084,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
  AV_DISPOSITION_ATTACHED_PIC,
  AV_DISPOSITION_DEFAULT,
  AV_DISPOSITION_FORCED,
  AV_DISPOSITION_TIMED_THUMBNAILS,
  AV_PKT_DATA_DISPLAYMATRIX,
  AV_PKT_DATA_ENCRYPTION_INFO,
  AV_PKT_DATA_ENCRYPTION_INIT_INFO,
} from 'node-av/constants';
import { ZoetropeError } from '../../../base/errors.ts';
import type { AudioTrack, SubtitleTrack, VideoTrack } from '../../../timeline/media-description.ts';
import { fieldOrderOf } from '../../packets/decoder.ts';

const TEXT_CODECS = new Set(['subrip', 'ass', 'ssa', 'mov_text', 'webvtt', 'text']);
/** `AVFieldOrder`: what is above it has fields. */
const PROGRESSIVE = 1;
/** Sample entries of protected tracks (ISO/IEC 14496-12 §8.12), as little-endian tags. */
const ENCRYPTED_TAGS = new Set(['encv', 'enca', 'drmi', 'drms', 'enct'].map((tag) => Buffer.from(tag).readUInt32LE()));

/** No encoder makes larger pictures. */
const MAX_SIDE_PX = 16_384;
/** Rates beyond these are damage: a second would hold more samples than there is memory for, or too few to be resampled. */
const MIN_SAMPLE_RATE_HZ = 1000;
const MAX_SAMPLE_RATE_HZ = 768_000;
/** Beyond these, FFmpeg mixes nothing down. */
const MAX_CHANNELS = 64;
const MAX_TITLE_LENGTH = 200;
/** BCP 47 as far as containers use it: `eng`, `pt-BR`, `zh-Hant-TW`. */
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;
/** Would end lines, or turn the direction of what is written behind them. */
const UNSEEN = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/gu;

/** The tracks of a file by kind. */
export interface DescribedTracks {
  readonly video: readonly VideoTrack[];
  readonly audio: readonly AudioTrack[];
  readonly subtitles: readonly SubtitleTrack[];
}

/**
 * Says what is in a file. Tracks that cannot be decoded are left out when another of their kind can be.
 * @throws unsupported_media when no picture and no sound is left, or it is encrypted; corrupt_media when a track does not say what it is
 */
export function describeTracks(streams: readonly Stream[], container: string): DescribedTracks {
  const playable = streams.filter((stream) => !isPicture(stream));
  const ofKind = (type: number): readonly Stream[] => playable.filter(({ codecpar }) => codecpar.codecType === type);
  const video = decodable(ofKind(AVMEDIA_TYPE_VIDEO), 'video');
  const audio = decodable(ofKind(AVMEDIA_TYPE_AUDIO), 'audio');
  if (video.length === 0 && audio.length === 0) {
    throw new ZoetropeError('unsupported_media', `The ${container} file has neither a video nor an audio track.`);
  }
  return {
    video: video.map(describeVideo),
    audio: audio.map(describeAudio),
    subtitles: ofKind(AVMEDIA_TYPE_SUBTITLE).map(describeSubtitles),
  };
}

/** Cover pictures and the like, which are no film. */
function isPicture({ disposition }: Stream): boolean {
  return (disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) !== 0;
}

function decodable(streams: readonly Stream[], kind: 'video' | 'audio'): readonly Stream[] {
  const encrypted = streams.find(isEncrypted);
  if (encrypted !== undefined) throw encryptedTrack(encrypted.index);
  const good = streams.filter(({ codecpar }) => Codec.findDecoder(codecpar.codecId) !== null);
  const [first] = streams;
  if (good.length > 0 || first === undefined) return good;
  const tag = first.codecpar.codecTagString ?? '';
  const name = avGetCodecName(first.codecpar.codecId) ?? 'unknown';
  throw new ZoetropeError(
    'unsupported_media',
    `The ${kind} track ${first.index} has the codec ${name}${tag === '' ? '' : ` (${tag})`}, which cannot be decoded here.`,
  );
}

/** The refusal of a track that is protected. */
export function encryptedTrack(index: number): ZoetropeError {
  return new ZoetropeError('unsupported_media', `Track ${index} is encrypted (DRM). Send the file without protection.`);
}

/** Whether a packet needs a key. */
export function isProtected(packet: Packet): boolean {
  return packet.getSideData(AV_PKT_DATA_ENCRYPTION_INFO) !== null;
}

function isEncrypted({ codecpar, metadata }: Stream): boolean {
  return (
    ENCRYPTED_TAGS.has(codecpar.codecTag) ||
    codecpar.getCodedSideData(AV_PKT_DATA_ENCRYPTION_INIT_INFO) !== null ||
    metadata?.get('enc_key_id') != null
  );
}

function describeVideo(stream: Stream): VideoTrack {
  const { codecpar, index } = stream;
  const { width: codedWidth, height: codedHeight } = codecpar;
  if (codedWidth <= 0 || codedHeight <= 0) {
    throw new ZoetropeError('corrupt_media', `The size of the pictures of track ${index} cannot be found.`);
  }
  const sampleAspectRatio = aspectOf(stream);
  const rotation = rotationOf(stream);
  const seenWidth = Math.max(1, Math.round(codedWidth * sampleAspectRatio));
  if (Math.max(seenWidth, codedHeight) > MAX_SIDE_PX) {
    throw new ZoetropeError(
      'payload_too_large',
      `The pictures of track ${index} are shown at ${seenWidth}×${codedHeight}; no side may be longer than ${MAX_SIDE_PX}.`,
    );
  }
  const isTurned = rotation === 90 || rotation === 270;
  const pixelFormat = avGetPixFmtName(codecpar.format as Parameters<typeof avGetPixFmtName>[0]) ?? 'unknown';
  return {
    index,
    codec: avGetCodecName(codecpar.codecId) ?? 'unknown',
    codedWidth,
    codedHeight,
    width: isTurned ? codedHeight : seenWidth,
    height: isTurned ? seenWidth : codedHeight,
    rotation,
    sampleAspectRatio,
    frameRate: rateOf(stream),
    pixelFormat,
    bitDepth: bitDepthOf(pixelFormat),
    isInterlaced: fieldOrderOf(codecpar) > PROGRESSIVE,
    hdr: hdrOf(codecpar.colorTrc),
    bitsPerS: bitRateOf(stream),
  };
}

function describeAudio(stream: Stream): AudioTrack {
  const { codecpar, index, disposition } = stream;
  const { sampleRate, channels } = codecpar;
  if (sampleRate > 0 && (sampleRate < MIN_SAMPLE_RATE_HZ || sampleRate > MAX_SAMPLE_RATE_HZ)) {
    throw new ZoetropeError(
      'out_of_range',
      `Track ${index} has ${sampleRate} samples a second; from ${MIN_SAMPLE_RATE_HZ} to ${MAX_SAMPLE_RATE_HZ} are taken.`,
    );
  }
  if (channels > MAX_CHANNELS) {
    throw new ZoetropeError(
      'out_of_range',
      `Track ${index} has ${channels} channels, more than the ${MAX_CHANNELS} that can be mixed. Send it with fewer.`,
    );
  }
  if (sampleRate <= 0 || channels <= 0) {
    throw new ZoetropeError('corrupt_media', `The sample rate or the channels of track ${index} cannot be found.`);
  }
  return {
    index,
    codec: avGetCodecName(codecpar.codecId) ?? 'unknown',
    sampleRateHz: sampleRate,
    channels,
    ...namesOf(stream),
    isDefault: (disposition & AV_DISPOSITION_DEFAULT) !== 0,
    bitsPerS: bitRateOf(stream),
  };
}

function describeSubtitles(stream: Stream): SubtitleTrack {
  const { codecpar, index, disposition } = stream;
  const codec = avGetCodecName(codecpar.codecId) ?? 'unknown';
  return {
    index,
    codec,
    ...namesOf(stream),
    isText: TEXT_CODECS.has(codec),
    isDefault: (disposition & AV_DISPOSITION_DEFAULT) !== 0,
    isForced: (disposition & AV_DISPOSITION_FORCED) !== 0,
  };
}

function namesOf({ metadata }: Stream): { readonly language: string | null; readonly title: string | null } {
  const language = metadata?.get('language') ?? '';
  const title = (metadata?.get('title') ?? '').replace(UNSEEN, '').trim().slice(0, MAX_TITLE_LENGTH).toWellFormed();
  return {
    language: ['und', 'unk', 'mis'].includes(language) || !LANGUAGE.test(language) ? null : language,
    title: title === '' ? null : title,
  };
}

function aspectOf({ sampleAspectRatio, codecpar }: Stream): number {
  for (const { num, den } of [sampleAspectRatio, codecpar.sampleAspectRatio]) {
    const ratio = num / den;
    if (num > 0 && den > 0 && ratio >= 1 / 16 && ratio <= 16) return ratio;
  }
  return 1;
}

/** From the display matrix (ISO/IEC 14496-12 §8.2.2), nearest quarter; mirroring is not undone. */
function rotationOf({ codecpar }: Stream): VideoTrack['rotation'] {
  const matrix = codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX);
  if (matrix === null || matrix.length < 36) return 0;
  const value = (index: number): number => matrix.readInt32LE(index * 4);
  const [across, down] = [Math.hypot(value(0), value(3)), Math.hypot(value(1), value(4))];
  if (across === 0 || down === 0) return 0;
  const degrees = (Math.atan2(value(1) / down, value(0) / across) * 180) / Math.PI;
  return ([0, 90, 180, 270] as const)[((Math.round(degrees / 90) % 4) + 4) % 4] ?? 0;
}

function rateOf({ avgFrameRate, rFrameRate }: Stream): number | null {
  for (const { num, den } of [avgFrameRate, rFrameRate]) if (num > 0 && den > 0) return num / den;
  return null;
}

function bitDepthOf(pixelFormat: string): number {
  const match = /(?:p|gray|rgb|bgr|x2rgb|nv\d*)(9|10|12|14|16)(?:le|be)?$/.exec(pixelFormat);
  if (match !== null) return Number(match[1]);
  if (/^p0?(10|12|16)/.test(pixelFormat)) return Number(/^p0?(10|12|16)/.exec(pixelFormat)?.[1]);
  return /48|64/.test(pixelFormat) && /rgb|bgr/.test(pixelFormat) ? 16 : 8;
}

function hdrOf(transfer: number): VideoTrack['hdr'] {
  if (transfer === AVCOL_TRC_SMPTE2084) return 'pq';
  return transfer === AVCOL_TRC_ARIB_STD_B67 ? 'hlg' : null;
}

function bitRateOf({ codecpar }: Stream): number | null {
  const bitRate = Number(codecpar.bitRate);
  return bitRate > 0 ? bitRate : null;
}
