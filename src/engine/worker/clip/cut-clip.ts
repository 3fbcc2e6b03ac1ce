import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { ZoetropeError } from '../../../base/errors.ts';
import { TICKS_PER_MS, wallMs } from '../../../base/time.ts';
import { planMovie } from '../../../packager/mp4/movie-writer.ts';
import type { MovieTrack } from '../../../packager/mp4/movie-track.ts';
import { sampleEntryOf } from '../../../packager/mp4/sample-description.ts';
import type { CutClipRequest, CutClipResult } from '../../transcoder.ts';
import { diskError } from '../write-movie.ts';
import type { TranscodeContext } from '../transcode-context.ts';
import { toBlocks } from './clip-blocks.ts';
import { DescriptionList } from './clip-descriptions.ts';
import { layOutSound, type ClipSound } from './clip-sound.ts';
import { readSource, SegmentBytes } from './clip-source.ts';
import { ClipTracks } from './clip-tracks.ts';
import { PictureMaker } from './made-pictures.ts';
import { layOutPictures, placePieces } from './lay-out-pictures.ts';
import { planPictures } from './plan-pictures.ts';
import { steadyClock } from './steady-clock.ts';

/** Parts of the work, as far as progress is concerned: reading tables, encoding, and writing the rest. */
const TABLES_PART = 0.3;
const ENCODE_PART = 0.3;

/**
 * Does {@link Transcoder.cutClip} in this process. Segments are read twice, for their tables and for their bytes; what is encoded is held in memory, and
 * the movie grows as a file beside the objects and is then taken in whole.
 */
export async function cutClip(request: CutClipRequest, context: TranscodeContext): Promise<CutClipResult> {
  const { objects, progress, scratchPath } = context;
  if (scratchPath === null) throw new ZoetropeError('internal', 'A clip was to be cut without a place for it.');
  const tracks = new ClipTracks(request.inits);
  const keys = request.segments.map(({ objectKey }) => objectKey);
  const bytes = new SegmentBytes(objects, keys);
  const source = steadyClock(await readSource(request, tracks, bytes, { progress, part: TABLES_PART }));
  const { gapToleranceMs, mode, gaps, speed, fromMs, toMs } = request;
  const blocks = toBlocks(source, gapToleranceMs === null ? null : gapToleranceMs * TICKS_PER_MS);
  const end = Math.round((toMs - fromMs) * TICKS_PER_MS);
  const { pieces, origin } = planPictures(blocks, { end, mode, gaps });
  const inits = [...new Set(pieces.map(({ init }) => init))];
  const codec = oneCodec(inits.map((init) => tracks.video(init).codec));
  const descriptions = new DescriptionList(codec);
  const ofInit = new Map(
    inits.map((init) => [init, descriptions.add(sampleEntryOf(tracks.initOf(init, 'video')))] as const),
  );
  const maker = new PictureMaker({ codec, tracks, inits, bytes, descriptions, progress });
  const placed = placePieces(pieces);
  const pictures = await layOutPictures(placed, {
    blocks,
    maker,
    descriptions,
    ofInit,
    onPiece: (part) => progress.at(TABLES_PART + part * ENCODE_PART),
  });
  const sound =
    speed === 1
      ? layOutSound(
          source.flatMap(({ sounds }) => sounds).sort((a, b) => a.at - b.at),
          placed,
          tracks,
        )
      : null;
  const timescale = Math.round(90_000 * speed);
  const [firstInit = 0] = inits;
  const video: MovieTrack = { init: tracks.initOf(firstInit, 'video'), timescale, startsAt: 0, ...pictures.track };
  const plan = planMovie([video, ...(sound === null ? [] : [soundTrack(sound)])]);
  const bytesOf = async (track: number, table: number): Promise<Uint8Array> => {
    const made = track === 0 ? pictures.made[table] : sound?.runs[table]?.segment === null ? sound.silence : undefined;
    if (made !== undefined) return made;
    const segment = track === 0 ? pictures.segments[table] : sound?.runs[table]?.segment;
    return bytes.get(segment ?? 0);
  };
  const hash = createHash('sha256');
  await using file = await open(scratchPath, 'wx');
  let written = 0;
  const write = async (part: Uint8Array): Promise<void> => {
    hash.update(part);
    await file.writeFile(part).catch(diskError);
    written += part.length;
  };
  await write(plan.header);
  const before = TABLES_PART + ENCODE_PART;
  for (const { track, segment, offset, size, prefix } of plan.chunks) {
    if (prefix !== undefined) await write(prefix);
    await write((await bytesOf(track, segment)).subarray(offset, offset + size));
    await progress.at(before + (written / plan.sizeBytes) * (1 - before));
  }
  await file.close();
  await objects.adopt(request.outputKey, scratchPath);
  const firstAt = placed[0]?.start ?? origin;
  return {
    objectKey: request.outputKey,
    sizeBytes: plan.sizeBytes,
    sha256: hash.digest('hex'),
    durationMs: plan.durationMs,
    startMs: wallMs(fromMs + firstAt / TICKS_PER_MS),
    hasSound: sound !== null,
    copiedPictures: pictures.copied,
    encodedPictures: pictures.encoded,
  };
}

function oneCodec(codecs: readonly string[]): string {
  const [first = 'avc1'] = codecs;
  const other = codecs.find((codec) => codec !== first);
  if (other === undefined) return first;
  throw new ZoetropeError(
    'unsupported_media',
    `A clip has one codec. This stretch changes from ${first} to ${other}; cut it into two.`,
  );
}

/** Silence is one packet, wherever it is heard: each run of it takes the same bytes anew. */
function soundTrack({ init, timescale, leadSamples, runs }: ClipSound): MovieTrack {
  let at = 0;
  const segments = runs.map(({ samples }) => {
    const table = { baseMediaDecodeTime: at, samples };
    at += samples.reduce((sum, { duration }) => sum + duration, 0);
    return table;
  });
  return { init, timescale, startsAt: leadSamples, segments };
}
