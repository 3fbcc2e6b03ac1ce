import { createHash } from 'node:crypto';
import { isZoetropeError } from '../../base/errors.ts';
import type { Window } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { isFinal, type Output, sourceKey } from '../../timeline/asset.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { AssetSnapshot } from './asset-snapshot.ts';
import type { CheckName, Finding, Repair } from './finding.ts';

/** Checks what the catalog says of an asset against itself (docs/design/vod.md, Invariants 1–3). Pure. */
export function checkAsset(snapshot: AssetSnapshot): readonly Finding[] {
  return [...checkChunks(snapshot), ...checkAlignment(snapshot), ...checkJob(snapshot)];
}

/** A rendition's segments are its chunks' in order, each published once, ends meeting starts. */
function* checkChunks(snapshot: AssetSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'chunks');
  for (const output of snapshot.outputs) {
    const { id, publishedChunks, state, totalChunks } = output;
    const segments = snapshot.windows.get(id)?.segments ?? [];
    if (totalChunks !== null && publishedChunks > totalChunks) {
      yield found(id, `${publishedChunks} of its ${totalChunks} chunks are published.`);
    }
    if (isRendition(output) && state === 'ready' && (segments.length === 0 || publishedChunks !== totalChunks)) {
      const has = `${segments.length} segments of ${publishedChunks} of ${totalChunks ?? 'unknown'} chunks`;
      yield found(id, `It is ready with ${has}.`);
    }
    for (const [index, segment] of segments.entries()) {
      if (segment.sequence !== index)
        yield found(segment.id, `Its sequence number is ${segment.sequence}, not ${index}.`);
      const before = segments[index - 1];
      const end90k = before === undefined ? null : before.mediaStart90k + before.duration90k;
      if (end90k !== null && end90k !== segment.mediaStart90k) {
        yield found(
          segment.id,
          `It begins at ${segment.mediaStart90k} and ${before?.id} ends at ${end90k} (1/90,000 s).`,
        );
      }
    }
  }
}

/** Segments begin at the same times in every video rendition, as far as both are published. */
function* checkAlignment(snapshot: AssetSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'alignment');
  const [first, ...others] = snapshot.outputs.filter(
    ({ id, spec }) => spec.kind === 'video' && snapshot.windows.has(id),
  );
  const reference = startsOf(snapshot, first);
  for (const other of others) {
    const starts = startsOf(snapshot, other);
    const isWhole = first?.state === 'ready' && other.state === 'ready';
    if (isWhole && starts.length !== reference.length) {
      yield found(other.id, `It has ${starts.length} segments and ${first.id} has ${reference.length}.`);
    }
    const odd = starts.findIndex((start, index) => start !== (reference[index] ?? start));
    if (odd === -1) continue;
    const begins = `its segment ${odd} begins at ${starts[odd]} and that of ${first?.id} at ${reference[odd]}`;
    yield found(other.id, `It cannot be switched to: ${begins} (1/90,000 s).`);
  }
}

function startsOf({ windows }: AssetSnapshot, output: Output | undefined): readonly number[] {
  return (output === undefined ? [] : (windows.get(output.id)?.segments ?? [])).map((segment) => segment.mediaStart90k);
}

/** A final state is reached, or a task waits or runs, or something is about to be decided. */
function* checkJob(snapshot: AssetSnapshot): Iterable<Finding> {
  const { asset, isUnsettled, outputs, tasks } = snapshot;
  const found = finder(snapshot, 'jobs');
  const active = tasks.filter(({ state }) => state === 'waiting' || state === 'running').map(({ id }) => id);
  if (!isFinal(asset.state)) {
    const repair = { kind: 'settleAsset', assetId: asset.id } as const;
    if (active.length === 0 && !isUnsettled) {
      yield found(asset.id, `It is ${asset.state}, but no task waits or runs and nothing is to be decided.`, repair);
    }
    return;
  }
  if (active.length > 0) {
    const repair = { kind: 'cancelTasks', assetId: asset.id, version: asset.version, taskIds: active } as const;
    yield found(asset.id, `It is ${asset.state}, but ${active.length} of its tasks wait or run.`, repair);
  }
  for (const { id, state } of outputs) {
    if (!isFinal(state)) yield found(id, `It is ${state}, but its asset is ${asset.state}.`);
  }
}

/** What the object checks of assets work with. */
export interface AssetObjectDeps {
  readonly objects: Pick<ObjectStore, 'head' | 'open'>;
  /** Read every object and compare its hash. */
  readonly deep: boolean;
  readonly signal: AbortSignal;
}

/** Checks that the bytes of all that an asset names are there and are what the catalog says. */
export async function checkAssetObjects(snapshot: AssetSnapshot, deps: AssetObjectDeps): Promise<readonly Finding[]> {
  const found = finder(snapshot, 'objects');
  const findings: Finding[] = [];
  for (const window of snapshot.windows.values()) {
    findings.push(...checkInits(snapshot, window));
    for (const segment of window.segments) findings.push(...(await checkSegment(snapshot, segment, deps)));
  }
  for (const { files, id } of snapshot.outputs) {
    for (const { objectKey, sizeBytes } of files) {
      const fault = await objectFault({ objectKey, sizeBytes, sha256: null }, deps);
      if (fault !== null) findings.push(found(id, fault));
    }
  }
  const { asset } = snapshot;
  if (asset.source.kind === 'upload' && asset.state !== 'cancelled') {
    const { sizeBytes } = asset.source;
    const fault = await objectFault({ objectKey: sourceKey(asset.id), sizeBytes, sha256: null }, deps);
    if (fault !== null) findings.push(found(asset.id, fault));
  }
  return findings;
}

async function checkSegment(
  snapshot: AssetSnapshot,
  segment: Segment,
  deps: AssetObjectDeps,
): Promise<readonly Finding[]> {
  const found = finder(snapshot, 'objects');
  // Only bytes that are read as a whole bring a lost segment back.
  const fault = await objectFault(segment, { ...deps, deep: deps.deep || segment.lost });
  if (segment.lost === (fault !== null)) return [];
  return fault === null
    ? [
        found(segment.id, `It is marked as lost, but its object ${segment.objectKey} is there and whole.`, {
          kind: 'markFound',
          segmentId: segment.id,
        }),
      ]
    : [found(segment.id, fault, { kind: 'markLost', segmentId: segment.id })];
}

function* checkInits(snapshot: AssetSnapshot, window: Window): Iterable<Finding> {
  const found = finder(snapshot, 'epochs');
  for (const epoch of window.epochs) {
    if (createHash('sha256').update(epoch.init).digest('hex') === epoch.initSha256) continue;
    yield found(epoch.id, 'Its init segment has other bytes than its SHA-256 says.');
  }
}

/** What is wrong with an object; null: nothing. Its hash is compared in a deep visit, where one is known. */
export async function objectFault(
  object: { readonly objectKey: string; readonly sizeBytes: number; readonly sha256: string | null },
  { deep, objects, signal }: AssetObjectDeps,
): Promise<string | null> {
  const { objectKey } = object;
  signal.throwIfAborted();
  try {
    const { sizeBytes } = await objects.head(objectKey);
    if (sizeBytes !== object.sizeBytes)
      return `Its object ${objectKey} has ${sizeBytes} bytes, not ${object.sizeBytes}.`;
    if (!deep || object.sha256 === null) return null;
    const hash = createHash('sha256');
    for await (const piece of objects.open(objectKey, { signal })) hash.update(piece);
    if (hash.digest('hex') === object.sha256) return null;
    return `Its object ${objectKey} has other bytes than were written (SHA-256).`;
  } catch (error) {
    if (isZoetropeError(error, 'missing_input')) return `Its object ${objectKey} is not there.`;
    throw error;
  }
}

function isRendition({ spec }: Output): boolean {
  return spec.kind === 'video' || spec.kind === 'audio' || spec.kind === 'subtitles';
}

function finder(
  { asset }: AssetSnapshot,
  check: CheckName,
): (subject: string, message: string, repair?: Repair) => Finding {
  return (subject, message, repair) => ({ check, streamId: asset.id, subject, message, repair: repair ?? null });
}
