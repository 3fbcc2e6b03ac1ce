import { createHash } from 'node:crypto';
import { ZoetropeError } from '../../base/errors.ts';
import type { ReadSample } from '../../packager/cmaf/fragment-reader.ts';
import { readInit, type InitInfo } from '../../packager/cmaf/init-reader.ts';
import { readMediaSegment, type ReadMediaSegment } from '../../packager/cmaf/media-reader.ts';
import { writeMovie } from '../../packager/mp4/movie-writer.ts';
import { writeTsSegment } from '../../packager/mpegts/ts-writer.ts';
import type { RemuxRequest, RemuxResult } from '../engine.ts';
import type { WorkerContext } from './worker-context.ts';

/** The most that one remux holds in memory: its output is put as a whole. */
const MAX_INPUT_BYTES = 512 << 20;

/** Does {@link Engine.remux} in this process. A stretch without segments is bridged by the picture before it, so that times stay true. */
export async function remux(request: RemuxRequest, { objects }: WorkerContext): Promise<RemuxResult> {
  const { init, segmentKeys } = request.source;
  const info = readInit(init);
  if (segmentKeys.length === 0)
    throw new ZoetropeError('invalid_argument', 'A remux needs at least one segment. Got none.');
  const segments: ReadMediaSegment[] = [];
  let inputBytes = 0;
  for (const key of segmentKeys) {
    const bytes = await objects.get(key);
    inputBytes += bytes.length;
    if (inputBytes > MAX_INPUT_BYTES) {
      throw new ZoetropeError(
        'payload_too_large',
        `The segments to be put together exceed ${MAX_INPUT_BYTES >> 20} MiB; ask for a shorter range.`,
      );
    }
    segments.push(readMediaSegment(bytes));
  }
  const seamless = bridge(segments);
  const output = request.container === 'mp4' ? writeMovie({ init, chunks: seamless }) : writeTs(info, seamless);
  await objects.put(request.outputKey, output);
  const duration = seamless.flat().reduce((sum, sample) => sum + sample.duration, 0);
  return {
    sizeBytes: output.length,
    sha256: createHash('sha256').update(output).digest('hex'),
    durationMs: (duration / info.timescale) * 1000,
  };
}

function bridge(segments: readonly ReadMediaSegment[]): readonly (readonly ReadSample[])[] {
  return segments.map((segment, index) => {
    const next = segments[index + 1];
    const samples = [...segment.samples];
    const last = samples.pop();
    if (last === undefined) return samples;
    const lastStart = segment.baseMediaDecodeTime + samples.reduce((sum, sample) => sum + sample.duration, 0);
    const duration = next === undefined ? last.duration : next.baseMediaDecodeTime - lastStart;
    if (duration <= 0) {
      throw new ZoetropeError(
        'invalid_argument',
        `The segments must rise in time: number ${index + 1} begins at ${next?.baseMediaDecodeTime}, before the end of number ${index}.`,
      );
    }
    return [...samples, { ...last, duration }];
  });
}

function writeTs(info: InitInfo, chunks: readonly (readonly ReadSample[])[]): Uint8Array {
  let baseTime = 0;
  const written = chunks.map((samples, index) => {
    const bytes = writeTsSegment({ track: info, sequenceNumber: index, baseTime, samples, speed: 1 });
    baseTime += samples.reduce((sum, sample) => sum + sample.duration, 0);
    return bytes;
  });
  return Buffer.concat(written);
}
