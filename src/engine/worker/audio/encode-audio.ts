import { createHash } from 'node:crypto';
import { ZoetropeError } from '../../../base/errors.ts';
import { AAC_PACKET_SAMPLES } from '../../../packager/aac/audio-specific-config.ts';
import { readInit } from '../../../packager/cmaf/init-reader.ts';
import { writeInitSegment } from '../../../packager/cmaf/init-writer.ts';
import { writeMediaSegment } from '../../../packager/cmaf/media-writer.ts';
import type { EncodeAudioRequest, EncodeAudioResult, EncodedInit, EncodedMediaSegment } from '../../transcoder.ts';
import type { Progress, TranscodeContext } from '../transcode-context.ts';
import { SegmentStore } from '../video/segment-store.ts';
import { AacEncoder, type AacPacket } from './aac-encoder.ts';
import { decodeStretch } from './decode-stretch.ts';
import { resample, type Stretch } from './resample.ts';
import type { SoundTimeline } from './sound-timeline.ts';

/**
 * Encoded before a chunk and thrown away: what the encoder remembers (block switching, bit reservoir) is then what it would remember had it begun
 * with the track, and the overlap of the first packet kept has the right other half.
 */
const WARM_UP_S = 2;
/** Packets encoded behind a chunk and thrown away: the encoder looks ahead. */
const AHEAD_PACKETS = 4;

/** Does {@link Transcoder.encodeAudio} in this process. */
export async function encodeAudio(
  request: EncodeAudioRequest,
  { objects, progress }: TranscodeContext,
): Promise<EncodeAudioResult> {
  checkRequest(request);
  const { spec, fromSample, toSample, isLast } = request;
  const warmUp = roundUp(WARM_UP_S * spec.sampleRateHz);
  const stretch: Stretch = {
    from: Math.max(0, fromSample - warmUp),
    to: roundUp(toSample) + (isLast ? 0 : AHEAD_PACKETS * AAC_PACKET_SAMPLES),
  };
  const source = await decodeStretch(request, stretch, objects, progress);
  const sound = resample(source, spec.sampleRateHz, stretch);
  // What lies behind the end of the track is silence, whatever its last packet held.
  if (isLast) for (const plane of sound.planes) plane.fill(0, Math.max(0, toSample - sound.from));
  const { packets, init } = await encode(request, sound, stretch, progress);
  const store = new SegmentStore(objects);
  const segments: EncodedMediaSegment[] = [];
  for (const number of request.segmentStarts.keys()) {
    const { segment, bytes } = writeSegment(request, number, packets);
    await store.room();
    store.put(segment.objectKey, bytes);
    segments.push(segment);
  }
  await store.settled();
  return { rendition: { id: request.id, init, segments } };
}

async function encode(
  { spec, fromSample, toSample, isFirst }: EncodeAudioRequest,
  sound: SoundTimeline,
  stretch: Stretch,
  progress: Progress,
): Promise<{ readonly packets: ReadonlyMap<number, Uint8Array>; readonly init: EncodedInit }> {
  using encoder = new AacEncoder({ ...spec });
  const kept = new Map<number, Uint8Array>();
  const keep = (packets: readonly AacPacket[]): void => {
    for (const { number, data } of packets) if (number >= first && number < end) kept.set(number, data);
  };
  const [first, end] = [firstPacket(fromSample, isFirst), lastPacket(toSample) + 1];
  for (let at = stretch.from; at < stretch.to; at += AAC_PACKET_SAMPLES) {
    const planes = sound.planes.map((plane) => plane.subarray(at - sound.from, at - sound.from + AAC_PACKET_SAMPLES));
    keep(encoder.encode(at, planes));
    await progress.at(0.5 + (at - stretch.from) / (stretch.to - stretch.from) / 2);
  }
  keep(encoder.finish());
  const bytes = writeInitSegment({
    codec: 'mp4a',
    audioConfig: encoder.config,
    primingSamples: AAC_PACKET_SAMPLES,
  });
  const { codecs, width, height } = readInit(bytes);
  const base64 = Buffer.from(bytes).toString('base64');
  return { packets: kept, init: { base64, sha256: sha256(bytes), codecs, width, height } };
}

function writeSegment(
  { spec, segmentStarts, toSample, isFirst, outputPrefix }: EncodeAudioRequest,
  number: number,
  packets: ReadonlyMap<number, Uint8Array>,
): { readonly segment: EncodedMediaSegment; readonly bytes: Uint8Array } {
  const from = segmentStarts[number] ?? 0;
  const to = segmentStarts[number + 1] ?? toSample;
  const first = firstPacket(from, isFirst && number === 0);
  const samples = Array.from({ length: lastPacket(to) + 1 - first }, (_, index) => {
    const data = packets.get(first + index);
    if (data === undefined) throw new ZoetropeError('engine_failed', `The AAC encoder lost packet ${first + index}.`);
    return { data, duration: AAC_PACKET_SAMPLES, isSync: true };
  });
  const bytes = writeMediaSegment({
    sequenceNumber: first + 1,
    baseMediaDecodeTime: first * AAC_PACKET_SAMPLES,
    samples,
  });
  const to90k = (sample: number): number => Math.round((sample * 90_000) / spec.sampleRateHz);
  const segment: EncodedMediaSegment = {
    mediaStart90k: to90k(from),
    duration90k: to90k(to) - to90k(from),
    objectKey: `${outputPrefix}${number}.m4s`,
    sizeBytes: bytes.length,
    sha256: sha256(bytes),
    keyframeBytes: null,
  };
  return { segment, bytes };
}

/** The number of the packet that decodes to the samples from here on; the track's first segment holds the priming too. */
function firstPacket(sample: number, withPriming: boolean): number {
  return withPriming ? 0 : sample / AAC_PACKET_SAMPLES + 1;
}

/** The number of the packet that decodes to the samples right before here. */
function lastPacket(sample: number): number {
  return roundUp(sample) / AAC_PACKET_SAMPLES;
}

function roundUp(sample: number): number {
  return Math.ceil(sample / AAC_PACKET_SAMPLES) * AAC_PACKET_SAMPLES;
}

function checkRequest({ fromSample, toSample, isFirst, isLast, segmentStarts }: EncodeAudioRequest): void {
  const onGrid = [fromSample, ...segmentStarts, ...(isLast ? [] : [toSample])];
  const offGrid = onGrid.find((sample) => !Number.isSafeInteger(sample) || sample % AAC_PACKET_SAMPLES !== 0);
  if (offGrid !== undefined) {
    throw new ZoetropeError(
      'invalid_argument',
      `Positions must be multiples of ${AAC_PACKET_SAMPLES}. Got ${offGrid}.`,
    );
  }
  const rising = [...segmentStarts, toSample];
  const isRising = rising.every((sample, index) => index === 0 || sample > (rising[index - 1] ?? 0));
  if (segmentStarts[0] !== fromSample || !isRising || (isFirst && fromSample !== 0) || fromSample < 0) {
    throw new ZoetropeError(
      'invalid_argument',
      `Segments must begin at the stretch's start (0 in the first) and rise up to its end. Got ${segmentStarts.join(', ')} in ${fromSample}–${toSample}.`,
    );
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
