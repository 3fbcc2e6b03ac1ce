import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { messageOf, systemCodeOf, ZoetropeError } from '../../base/errors.ts';
import { readMediaSegment } from '../../packager/cmaf/media-reader.ts';
import { segmentTable, type MovieTrack } from '../../packager/mp4/movie-track.ts';
import { planMovie } from '../../packager/mp4/movie-writer.ts';
import type { WriteMovieRequest, WrittenObject } from '../transcoder.ts';
import type { TranscodeContext } from './transcode-context.ts';

/** Reading the tables is the smaller part of the work. */
const TABLES_PART = 0.3;

/**
 * Does {@link Transcoder.writeMovie} in this process. Segments are read twice, for their tables and for their bytes: no more than one of each track is
 * held. The movie grows as a file beside the objects and is then taken in whole.
 */
export async function writeMovie(
  { tracks, outputKey }: WriteMovieRequest,
  { objects, progress, scratchPath }: TranscodeContext,
): Promise<WrittenObject & { readonly durationMs: number }> {
  if (scratchPath === null) throw new ZoetropeError('internal', 'A movie was to be written without a place for it.');
  const keys = tracks.map(({ segmentKeys }) => segmentKeys);
  const total = keys.flat().length;
  let read = 0;
  const planned: MovieTrack[] = [];
  for (const { init, segmentKeys } of tracks) {
    const segments: MovieTrack['segments'][number][] = [];
    for (const key of segmentKeys) {
      segments.push(segmentTable(readMediaSegment(await objects.get(key))));
      await progress.at((++read / total) * TABLES_PART);
    }
    planned.push({ init, segments });
  }
  const plan = planMovie(planned);
  const hash = createHash('sha256').update(plan.header);
  const held = new Map<number, { readonly segment: number; readonly bytes: Uint8Array }>();
  let written = plan.header.length;
  await using file = await open(scratchPath, 'wx');
  const write = (bytes: Uint8Array): Promise<void> => file.writeFile(bytes).catch(diskError);
  await write(plan.header);
  for (const { track, segment, offset, size } of plan.chunks) {
    let current = held.get(track);
    if (current?.segment !== segment) {
      current = { segment, bytes: await objects.get(keys[track]?.[segment] ?? '') };
      held.set(track, current);
    }
    const bytes = current.bytes.subarray(offset, offset + size);
    hash.update(bytes);
    await write(bytes);
    written += size;
    await progress.at(TABLES_PART + (written / plan.sizeBytes) * (1 - TABLES_PART));
  }
  await file.close();
  await objects.adopt(outputKey, scratchPath);
  return { objectKey: outputKey, sizeBytes: plan.sizeBytes, sha256: hash.digest('hex'), durationMs: plan.durationMs };
}

/** Says of a failed write whether the disk is full. */
export function diskError(error: unknown): never {
  const isFull = systemCodeOf(error) === 'ENOSPC' || systemCodeOf(error) === 'EDQUOT';
  throw new ZoetropeError(
    isFull ? 'storage_full' : 'unavailable',
    `The movie cannot be written: ${messageOf(error)}.${isFull ? ' Make room where the data directory lies.' : ''}`,
    { cause: error },
  );
}
