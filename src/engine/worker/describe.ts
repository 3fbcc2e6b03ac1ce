import { Packet } from 'node-av/lib';
import { AV_NOPTS_VALUE } from 'node-av/constants';
import { ZoetropeError } from '../../base/errors.ts';
import type { MediaDescription } from '../../timeline/media-description.ts';
import type { DescribeRequest } from '../transcoder.ts';
import { describeTracks, encryptedTrack, isProtected } from './demux/describe-tracks.ts';
import type { OpenFormat } from './demux/open-format.ts';
import { openMediaSource } from './demux/media-source.ts';
import type { TranscodeContext } from './transcode-context.ts';

const US_PER_MS = 1000;
/** The first of every track are mostly among them. */
const MAX_PACKETS_SEEN = 500;
/** They say nothing of their length; FFmpeg subtracts the first time stamp from the last. */
const CLOCKED: ReadonlySet<string> = new Set(['mpegts', 'mpegps']);

/** Does {@link Transcoder.describe} in this process. */
export async function describe(
  { ref, limits }: DescribeRequest,
  { objects }: TranscodeContext,
): Promise<MediaDescription> {
  await using source = await openMediaSource(ref, limits, objects);
  const { container, sizeBytes, open } = source;
  const durationMs = durationOf(container, open.format.duration);
  // A clock that begins anew makes nonsense of the difference of two of its times; the split counts what is there.
  const isTold = !CLOCKED.has(container) || (durationMs ?? 0) <= limits.maxDurationMs;
  if (isTold) checkDuration(durationMs ?? 0, limits.maxDurationMs);
  const tracks = describeTracks(open.streams, container);
  await checkProtection(open, new Set([...tracks.video, ...tracks.audio].map(({ index }) => index)));
  return { container, sizeBytes, durationMs: isTold ? durationMs : null, ...tracks };
}

/** Protection of samples (ISO/IEC 23001-7) shows at packets alone. @throws unsupported_media */
async function checkProtection({ format }: OpenFormat, tracks: ReadonlySet<number>): Promise<void> {
  const unseen = new Set(tracks);
  using packet = new Packet();
  packet.alloc();
  for (let read = 0; read < MAX_PACKETS_SEEN && unseen.size > 0; read++) {
    if ((await format.readFrame(packet)) < 0) return;
    if (unseen.delete(packet.streamIndex) && isProtected(packet)) throw encryptedTrack(packet.streamIndex);
    packet.unref();
  }
}

/** Refuses what is too long. @throws out_of_range with both lengths */
export function checkDuration(durationMs: number, maxDurationMs: number): void {
  if (durationMs <= maxDurationMs) return;
  throw new ZoetropeError(
    'out_of_range',
    `The file lasts ${Math.round(durationMs / 1000)} s, longer than the ${maxDurationMs / 1000} s allowed.`,
  );
}

/** Raw AAC says nothing of its length; what FFmpeg makes of its first frames is a guess. */
function durationOf(container: string, durationUs: bigint): number | null {
  if (container === 'aac' || durationUs === AV_NOPTS_VALUE || durationUs <= 0n) return null;
  return Number(durationUs) / US_PER_MS;
}
