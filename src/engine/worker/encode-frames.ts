import { createHash } from 'node:crypto';
import { ZoetropeError } from '../../base/errors.ts';
import { pts90k, TICKS_PER_MS, type WallMs } from '../../base/time.ts';
import { readInit } from '../../packager/cmaf/init-reader.ts';
import { writeInitSegment } from '../../packager/cmaf/init-writer.ts';
import { writeMediaSegment } from '../../packager/cmaf/media-writer.ts';
import type { ParameterSets } from '../../packager/h264/nal.ts';
import type {
  EncodedEpoch,
  EncodedSegment,
  EncodeFramesRequest,
  EncodeFramesResult,
  FrameInput,
  RejectedFrame,
} from '../engine.ts';
import { CaptureTimeStamp } from '../overlay/capture-time-stamp.ts';
import { FrameSource, rejection } from './frame-source.ts';
import type { EncoderPool } from './encoder-pool.ts';
import type { H264Encoder } from './h264-encoder.ts';
import { JpegDecoder } from './jpeg-decoder.ts';
import type { WorkerContext } from './worker-context.ts';

/** Frames of one size in a row, encoded. */
interface Run {
  readonly width: number;
  readonly height: number;
  readonly parameterSets: ParameterSets;
  readonly times: WallMs[];
  readonly samples: Uint8Array[];
}

/** The epoch that the next run may go on with. */
type OpenEpoch = NonNullable<EncodeFramesRequest['epoch']>;

/** Does {@link Engine.encodeFrames} in this process. */
export async function encodeFrames(request: EncodeFramesRequest, context: WorkerContext): Promise<EncodeFramesResult> {
  checkRequest(request);
  const before = process.cpuUsage();
  const source = new FrameSource(request, context.objects);
  const unreadable = await source.prepare();
  const awaited = request.allowMissing ? [] : unreadable.filter(isAwaited);
  const segments: EncodedSegment[] = [];
  const rejected = [...unreadable];
  if (awaited.length > 0) {
    rejected.splice(0, rejected.length, ...awaited);
  } else {
    const failed = new Set(unreadable.map((frame) => frame.capturedAtMs));
    const readable = request.frames.filter((frame) => !failed.has(frame.capturedAtMs));
    const runs = await encodeRuns(readable, request, source, rejected, context.encoders);
    let epoch = request.epoch;
    for (const [index, run] of runs.entries()) {
      const endMs = runs[index + 1]?.times[0] ?? request.nextCapturedAtMs;
      const segment = await storeRun(run, endMs, epoch, request, context);
      segments.push(segment.encoded);
      epoch = segment.epoch;
    }
  }
  rejected.sort((a, b) => a.capturedAtMs - b.capturedAtMs);
  const used = process.cpuUsage(before);
  return { segments, rejected, cpuMs: (used.user + used.system) / 1000 };
}

/** A file that is not there yet. One that can never be opened is no reason to wait: it is rejected, and the rest is encoded. */
function isAwaited(frame: RejectedFrame): boolean {
  return frame.code === 'missing_input' && frame.retryable;
}

async function encodeRuns(
  frames: readonly FrameInput[],
  request: EncodeFramesRequest,
  source: FrameSource,
  rejected: RejectedFrame[],
  encoders: EncoderPool,
): Promise<readonly Run[]> {
  using decoder = new JpegDecoder(request.limits);
  const stamp = request.overlay === null ? null : new CaptureTimeStamp(request.overlay);
  const runs: Run[] = [];
  let encoder: H264Encoder | undefined;
  try {
    for (const frame of frames) {
      const picture = await decodeFrame(frame, source, decoder, rejected);
      if (picture === null) continue;
      if (encoder?.width !== picture.width || encoder.height !== picture.height) {
        const { width, height } = picture;
        encoder = encoders.open({ width, height, crf: request.crf });
        runs.push({ width, height, parameterSets: encoder.parameterSets, times: [], samples: [] });
      }
      stamp?.draw(picture, frame.capturedAtMs);
      const run = runs.at(-1);
      run?.times.push(frame.capturedAtMs);
      run?.samples.push(encoder.encode(picture));
    }
  } catch (error) {
    encoders.clear();
    throw error;
  }
  encoders.trim();
  return runs;
}

async function decodeFrame(
  frame: FrameInput,
  source: FrameSource,
  decoder: JpegDecoder,
  rejected: RejectedFrame[],
): Promise<ReturnType<JpegDecoder['decode']> | null> {
  try {
    return decoder.decode(await source.load(frame));
  } catch (error) {
    rejected.push(rejection(frame, error));
    return null;
  }
}

async function storeRun(
  run: Run,
  endMs: WallMs | null,
  open: OpenEpoch | null,
  request: EncodeFramesRequest,
  { objects, ids }: WorkerContext,
): Promise<{ readonly encoded: EncodedSegment; readonly epoch: OpenEpoch }> {
  const startMs = run.times[0];
  if (startMs === undefined) throw new ZoetropeError('internal', 'A run of frames is empty.');
  const init = writeInitSegment({ codec: 'avc1', ...run.parameterSets, width: run.width, height: run.height });
  const initSha256 = sha256(init);
  const goesOn = open !== null && open.initSha256 === initSha256 && startMs >= open.anchorMs;
  const anchorMs = goesOn ? open.anchorMs : startMs;
  const mediaStart90k = ticks(startMs - anchorMs);
  const durations = run.times.map((time, index) => {
    const untilMs = run.times[index + 1] ?? endMs;
    return untilMs === null ? ticks(request.lastFrameDurationMs) : ticks(untilMs - time);
  });
  const bytes = writeMediaSegment({
    sequenceNumber: 0,
    baseMediaDecodeTime: mediaStart90k,
    samples: run.samples.map((data, index) => ({ data, duration: durations[index] ?? 0, isSync: index === 0 })),
  });
  const objectKey = `${request.outputPrefix}${ids.next('segment')}.m4s`;
  await objects.put(objectKey, bytes);
  const newEpoch: EncodedEpoch | null = goesOn
    ? null
    : { anchorMs, init, initSha256, codecs: readInit(init).codecs, width: run.width, height: run.height };
  return {
    epoch: { initSha256, anchorMs },
    encoded: {
      newEpoch,
      startMs,
      mediaStart90k: pts90k(mediaStart90k),
      duration90k: pts90k(durations.reduce((sum, duration) => sum + duration, 0)),
      frameTimesMs: run.times,
      objectKey,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
    },
  };
}

function checkRequest({ frames, nextCapturedAtMs, lastFrameDurationMs }: EncodeFramesRequest): void {
  const times = [
    ...frames.map((frame) => frame.capturedAtMs),
    ...(nextCapturedAtMs === null ? [] : [nextCapturedAtMs]),
  ];
  times.forEach((time, index) => {
    const previous = times[index - 1];
    if (previous !== undefined && !(time > previous)) {
      throw new ZoetropeError('invalid_argument', `Frames must rise in capture time. Got ${time} after ${previous}.`);
    }
  });
  if (!(lastFrameDurationMs > 0)) {
    throw new ZoetropeError('invalid_argument', `A frame must last longer than 0 ms. Got ${lastFrameDurationMs}.`);
  }
}

function ticks(ms: number): number {
  return Math.round(ms * TICKS_PER_MS);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
