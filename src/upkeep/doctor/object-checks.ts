import { createHash } from 'node:crypto';
import { isZoetropeError, messageOf, ZoetropeError } from '../../base/errors.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { AAC_PACKET_SAMPLES } from '../../packager/aac/audio-specific-config.ts';
import { readMediaSegment, type ReadMediaSegment } from '../../packager/cmaf/media-reader.ts';
import { readMuxedInit, readMuxedSegment } from '../../packager/cmaf/muxed-reader.ts';
import type { Epoch } from '../../timeline/epoch.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { Finding } from './finding.ts';
import { isShown, type StreamSnapshot } from './stream-snapshot.ts';

const TICKS_PER_S = 90_000;

/** What the object checks work with. */
export interface ObjectCheckDeps {
  readonly catalog: Pick<Catalog, 'getSegment'>;
  readonly objects: Pick<ObjectStore, 'list' | 'head' | 'get'>;
  /** Read every object, hash it and parse it; else look at names and sizes. */
  readonly deep: boolean;
  readonly signal: AbortSignal;
}

/** Checks that the bytes of everything that may be shown are there and are what the catalog says. */
export async function checkObjects(snapshot: StreamSnapshot, deps: ObjectCheckDeps): Promise<readonly Finding[]> {
  const findings: Finding[] = [...checkInits(snapshot)];
  const sizes = new Map<string, number>();
  for await (const head of deps.objects.list(`media/${snapshot.stream.id}/`)) {
    deps.signal.throwIfAborted();
    sizes.set(head.key, head.sizeBytes);
  }
  for (const segment of snapshot.segments) {
    deps.signal.throwIfAborted();
    // What is at an edge is no fault here; it is checked there.
    if (segment.remote || !isShown(segment, snapshot.holds)) continue;
    const isSound = sizes.get(segment.objectKey) === segment.sizeBytes;
    if (isSound && !deps.deep && !segment.lost) continue;
    const epoch = snapshot.epochs.get(segment.epochId);
    const finding = await judge(segment, epoch, snapshot.stream.id, deps);
    if (finding !== null) findings.push(finding);
  }
  return findings;
}

/** Judges one segment by its object; the catalog is asked again before anything is said, for retention may have taken it meanwhile. */
async function judge(
  segment: Segment,
  epoch: Epoch | undefined,
  streamId: string,
  deps: ObjectCheckDeps,
): Promise<Finding | null> {
  const readAll = deps.deep || segment.lost;
  const fault = await faultOf(segment, epoch, readAll, deps);
  const finding = { streamId, subject: segment.id };
  if (segment.lost) {
    if (fault !== null) return null; // It is lost and playlists say so.
    const message = `It is marked as lost, but its object ${segment.objectKey} is there and whole.`;
    return { ...finding, check: 'objects', message, repair: { kind: 'markFound', segmentId: segment.id } };
  }
  if (fault === null || !(await isStillThere(segment, deps))) return null;
  const { check, message } = fault;
  return { ...finding, check, message, repair: { kind: 'markLost', segmentId: segment.id } };
}

async function faultOf(
  segment: Segment,
  epoch: Epoch | undefined,
  readAll: boolean,
  { objects, signal }: ObjectCheckDeps,
): Promise<{ readonly check: 'objects' | 'media'; readonly message: string } | null> {
  const { objectKey } = segment;
  try {
    const { sizeBytes } = await objects.head(objectKey);
    if (sizeBytes !== segment.sizeBytes) {
      const message = `Its object ${objectKey} has ${sizeBytes} bytes, not ${segment.sizeBytes}.`;
      return { check: 'objects', message };
    }
    if (!readAll) return null;
    const bytes = await objects.get(objectKey, { signal });
    if (sha256(bytes) !== segment.sha256) {
      return { check: 'objects', message: `Its object ${objectKey} has other bytes than were written (SHA-256).` };
    }
    const message = mediaFault(segment, epoch, bytes);
    return message === null ? null : { check: 'media', message };
  } catch (error) {
    if (isZoetropeError(error, 'missing_input')) {
      return { check: 'objects', message: `Its object ${objectKey} is not there.` };
    }
    throw error;
  }
}

/** What the media itself says against its row. */
function mediaFault(segment: Segment, epoch: Epoch | undefined, bytes: Uint8Array): string | null {
  try {
    const { samples, baseMediaDecodeTime, timescale, toleranceTicks } = leadingTrack(epoch, bytes);
    const duration90k = (samples.reduce((sum, { duration }) => sum + duration, 0) * 90_000) / timescale;
    const tolerance90k = 0.5 + (toleranceTicks * 90_000) / timescale;
    if (samples[0]?.isSync !== true) return 'Its first sample is no key frame.';
    if (segment.frameTimesMs.length > 0 && samples.length !== segment.frameTimesMs.length) {
      return `Its media hold ${samples.length} frames, not ${segment.frameTimesMs.length}.`;
    }
    if (Math.abs(duration90k - segment.duration90k) > tolerance90k) {
      return `Its media last ${duration90k} ticks of 1/90,000 s, not ${segment.duration90k}.`;
    }
    const start90k = (baseMediaDecodeTime * 90_000) / timescale;
    if (Math.abs(start90k - segment.mediaStart90k) <= tolerance90k) return null;
    return `Its media begin at ${start90k} ticks of 1/90,000 s, not ${segment.mediaStart90k}.`;
  } catch (error) {
    return `Its media cannot be read: ${messageOf(error)}`;
  }
}

/** The track that a segment is timed by: its pictures. Sound alone is cut where a packet ends, so its times are right to one. */
function leadingTrack(
  epoch: Epoch | undefined,
  bytes: Uint8Array,
): ReadMediaSegment & { readonly timescale: number; readonly toleranceTicks: number } {
  if (epoch === undefined) return { ...readMediaSegment(bytes), timescale: TICKS_PER_S, toleranceTicks: 0 };
  const info = readMuxedInit(epoch.init);
  const { video, audio } = readMuxedSegment(epoch.init, bytes);
  if (video !== null) return { ...video, timescale: info.video?.timescale ?? TICKS_PER_S, toleranceTicks: 0 };
  if (audio === null) throw new ZoetropeError('corrupt_media', 'The media segment holds no sample.');
  return { ...audio, timescale: info.audio?.timescale ?? TICKS_PER_S, toleranceTicks: AAC_PACKET_SAMPLES };
}

/** Each epoch's init segment is whole and says what the catalog says. */
function* checkInits({ epochs, stream }: StreamSnapshot): Iterable<Finding> {
  for (const epoch of epochs.values()) {
    const message = initFault(epoch);
    if (message !== null) yield { check: 'epochs', streamId: stream.id, subject: epoch.id, message, repair: null };
  }
}

function initFault(epoch: Epoch): string | null {
  if (sha256(epoch.init) !== epoch.initSha256) return 'Its init segment has other bytes than its SHA-256 says.';
  try {
    const { video, audio } = readMuxedInit(epoch.init);
    const codecs = [video, audio].flatMap((track) => (track === null ? [] : [track.codecs])).join(',');
    const { width, height } = video ?? { width: 0, height: 0 };
    if (codecs !== epoch.codecs) return `Its init segment is ${codecs}, not ${epoch.codecs}.`;
    if (width === epoch.width && height === epoch.height) return null;
    return `Its init segment is ${width}×${height}, not ${epoch.width}×${epoch.height}.`;
  } catch (error) {
    return `Its init segment cannot be read: ${messageOf(error)}`;
  }
}

async function isStillThere(segment: Segment, { catalog }: ObjectCheckDeps): Promise<boolean> {
  try {
    const now = await catalog.getSegment(segment.id);
    return now.retiredAtMs === segment.retiredAtMs && now.lost === segment.lost && !now.remote;
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return false;
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
