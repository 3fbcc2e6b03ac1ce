import type { Component } from '../base/component.ts';
import type { WallMs } from '../base/time.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Hold, HoldKind, NewHold } from '../timeline/hold.ts';
import type { Marker } from '../timeline/marker.ts';
import type { Rendition } from '../timeline/rendition.ts';
import type { Segment } from '../timeline/segment.ts';
import type { SourceReport } from '../timeline/source-report.ts';
import type { Session, SessionEnd } from '../timeline/session.ts';
import type { Stream, StreamKind, StreamSettings } from '../timeline/stream.ts';
import type { AssetStore } from './asset-store.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { ClipStore } from './clip-store.ts';
import type { CopyStore } from './copy-store.ts';
import type { EdgeStore } from './edge-store.ts';
import type { LadderStore } from './ladder-store.ts';
import type { Page, PageRequest } from './page.ts';
import type { RecordingStore } from './recording-store.ts';
import type { WebhookStore } from './webhook-store.ts';
import type { Window } from './window.ts';

export type { Page, PageRequest } from './page.ts';
export type { Window } from './window.ts';

/**
 * What exists: streams, their timelines, and who may do what. The contract, whatever the database below it:
 *
 * - A write resolves when it is durable. A call is one transaction: all of it or nothing.
 * - Calls that are made while a commit is under way may share the next one (group commit); each still succeeds or fails alone.
 * - Every write that changes what a stream shows raises the change feed in this process and, within a second, in every other.
 * - Lists are in a stated order and paged by an opaque cursor; an unreadable cursor is `invalid_argument`.
 * - A thing that is not there is `not_found` where one is named, and an empty answer where a set is asked for.
 * - A full disk throws `storage_full`, an unreachable database `unavailable`.
 */
export interface Catalog
  extends
    Component,
    StreamStore,
    TimelineStore,
    HoldStore,
    RecordingStore,
    MarkerStore,
    UpkeepStore,
    AccessStore,
    AssetStore,
    ClipStore,
    CopyStore,
    ChunkStore,
    EdgeStore,
    LadderStore,
    WebhookStore {
  /** Calls the listener after each commit, here or in another process, with the streams whose timeline or settings changed. */
  onChange(listener: (change: CatalogChange) => void): () => void;
}

/** What a commit touched. */
export interface CatalogChange {
  /** Ids of edges too, of which something else is wanted or whose bytes have come. */
  readonly streamIds: readonly string[];
  /** True when another process made it (or it cannot be known): whatever is cached must be read again. */
  readonly remote: boolean;
  /**
   * Segments that this process just appended, so that a cached window can grow without reading. Empty when remote. A stream that is named and has
   * none here changed in some other way, perhaps besides: it must be read again.
   */
  readonly appended: readonly AppendedSegment[];
}

// ── Streams ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A stream to be made. */
export interface NewStream {
  readonly id: string;
  readonly tenant: string;
  readonly kind: StreamKind;
  readonly name: string;
  readonly deviceId: string | null;
  readonly settings: Partial<StreamSettings>;
}

/** Streams and what is known of their sources. */
export interface StreamStore {
  /** @throws conflict when the tenant's device already has a stream. Makes its `main` rendition too. */
  createStream(stream: NewStream): Promise<Stream>;
  /** The stream of a device, made if missing (with `stream`'s other fields). Any number of callers at once get the same. */
  ensureDeviceStream(stream: NewStream & { readonly deviceId: string }): Promise<Stream>;
  getStream(id: string): Promise<Stream>;
  findDeviceStream(tenant: string, deviceId: string): Promise<Stream | null>;
  /** By name, then id. `tenant` undefined: all. `kind` undefined: all but assets. `query` matches name or device, case-insensitively. */
  listStreams(filter: StreamFilter, page: PageRequest): Promise<Page<Stream>>;
  /** Merges `settings`; a setting of null (undefined is not allowed) that is no value of its type clears it. */
  updateStream(
    id: string,
    change: { readonly name?: string; readonly settings?: Partial<StreamSettings> },
  ): Promise<Stream>;
  /**
   * Ends a stream at this wall time, or (null) lets it go on. A stream that is as wished stays untouched, as does one of which something was received at or
   * after `unlessReceivedSinceMs`. Ending publishes `stream.ended`.
   */
  endStream(id: string, atMs: WallMs | null, options?: { readonly unlessReceivedSinceMs?: WallMs }): Promise<Stream>;
  /** Notes what is known of a stream's encoder. Raises no change; an unknown stream is passed over. */
  noteSource(id: string, source: SourceReport): Promise<void>;
  /**
   * Streams of encoders (pushed, or announced by chunks) and of no edge (which ends its own) that have not ended and of which nothing was received since
   * `beforeMs`, longest silent first, at most 1,000.
   */
  silentEncoderStreams(beforeMs: WallMs): Promise<readonly Stream[]>;
  /** Removes the stream and all its rows; an asset's is a `conflict`, for the asset goes as a whole. The caller removes the objects (first {@link TimelineStore.objectKeysOf}). */
  deleteStream(id: string): Promise<void>;
  /** Notes newest frames; never moves a time back; unknown streams are passed over. Cheap for thousands at once; raises no change. */
  touchStreams(touches: readonly StreamTouch[]): Promise<void>;
}

/** Which streams. */
export interface StreamFilter {
  readonly tenant?: string;
  readonly kind?: StreamKind;
  readonly query?: string;
}

/** The newest frame of a stream. */
export interface StreamTouch {
  readonly streamId: string;
  readonly lastCapturedAtMs: WallMs;
  readonly lastReceivedAtMs: WallMs;
}

// ── Timeline ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a writer needs to go on with a rendition. */
export interface WriterState {
  readonly stream: Stream;
  readonly rendition: Rendition;
  /** The newest on-time segment and its epoch; null on an empty timeline. */
  readonly last: { readonly segment: Segment; readonly epoch: Epoch } | null;
  readonly openSession: Session | null;
}

/** A segment to be appended. Its object is durable. */
export interface NewSegment extends Omit<
  Segment,
  | 'renditionId'
  | 'epochId'
  | 'sequence'
  | 'discontinuity'
  | 'dvrDiscontinuity'
  | 'lost'
  | 'remote'
  | 'retiredAtMs'
  | 'createdAtMs'
> {
  /** An epoch that exists, or one that begins with this segment. A late segment always brings its own. */
  readonly epoch: { readonly existingId: string } | { readonly begin: NewEpoch };
  /** The rendition's name; `main` unless said. */
  readonly rendition?: string;
  /** The chunk that it was, which is taken with it: see {@link ChunkStore}. */
  readonly chunkIndex?: number;
  readonly fence: number;
  /**
   * For the session rule: on-time segments extend the open session, unless they start later than its end by more than `offlineAfterMs`.
   * Null: it belongs to no session (assets).
   */
  readonly offlineAfterMs: number | null;
  /** Its bytes are not here: at its edge, or nowhere. Default: no, and its object is durable. */
  readonly remote?: boolean;
  readonly lost?: boolean;
}

/** An epoch that begins. */
export interface NewEpoch extends Omit<Epoch, 'renditionId' | 'placement' | 'ordinal' | 'createdAtMs'> {
  /** Its ordinal is no lower, so that renditions of one source that are behind the others count as they do; left out: 0. */
  readonly leastOrdinal?: number;
}

/** A segment as committed, with what else the commit settled. */
export interface AppendedSegment {
  readonly segment: Segment;
  readonly epoch: Epoch;
  readonly rendition: Rendition;
  readonly session: Session | null;
}

/** Segments, epochs and sessions. */
export interface TimelineStore {
  /** Takes a rendition (by its name; made when missing, but for assets) for writing. Later appends with a lower fence fail; a lower fence here throws `fenced`. */
  claimRendition(streamId: string, name: string, fence: number): Promise<WriterState>;
  /**
   * Appends in one transaction: the epoch if it begins, the segment with the next sequence number of its placement, the session.
   * A late segment renumbers the `dvr` window: its media sequence goes up by the window's length, its discontinuity sequence by
   * the window's tags, and the flags before and after the segment are set. @throws fenced; conflict when a frame of it is already on
   * the timeline at the same capture time within the rendition (the message names it).
   */
  appendSegment(segment: NewSegment): Promise<AppendedSegment>;
  getRendition(streamId: string, name: string): Promise<Rendition>;
  /** The renditions of a stream: `main` first, then by name. @throws not_found */
  renditionsOf(streamId: string): Promise<readonly Rendition[]>;
  getSegment(id: string): Promise<Segment>;
  getEpoch(id: string): Promise<Epoch>;
  /** The newest `count` on-time segments of a rendition (by its name; default `main`) that are not retired, oldest first. */
  liveWindow(streamId: string, count: number, rendition?: string): Promise<Window>;
  /** All segments of a rendition (by its name; default `main`) that are not retired. */
  dvrWindow(streamId: string, rendition?: string): Promise<Window>;
  /** On-time segments of a rendition (by its name) that are not retired, from a sequence number on, oldest first. @throws not_found */
  renditionWindow(streamId: string, name: string, fromSequence: number): Promise<Window>;
  /** The late segments of `main` that are not retired from a late sequence number on, lowest first, at most `limit`. @throws not_found */
  lateSegments(streamId: string, fromSequence: number, limit: number): Promise<Window>;
  /**
   * Segments of a rendition (by its name; default `main`) that overlap [fromMs, toMs) in wall order and are still to be shown: not retired, or
   * covered by a hold that is not released. At most `limit`; the caller goes on from the last one's end.
   */
  segmentsBetween(streamId: string, fromMs: WallMs, toMs: WallMs, limit: number, rendition?: string): Promise<Window>;
  /** Which of these capture times already lie on the timeline (retired segments included). */
  knownFrameTimes(streamId: string, timesMs: readonly WallMs[]): Promise<ReadonlySet<WallMs>>;
  /**
   * Merged stretches of shown segments that overlap the range; two segments are one stretch when no more than `toleranceMs` lies between. Null:
   * by the frame interval of the segment before, as the writer judges gaps.
   */
  coverage(streamId: string, fromMs: WallMs, toMs: WallMs, toleranceMs: number | null): Promise<readonly Stretch[]>;
  /** Sessions that overlap the range, oldest first. */
  sessionsBetween(streamId: string, fromMs: WallMs, toMs: WallMs): Promise<readonly Session[]>;
  /** Keys of all objects that rows of this stream name. */
  objectKeysOf(streamId: string): Promise<readonly string[]>;
}

/** A stretch of a timeline without gaps. */
export interface Stretch {
  readonly fromMs: WallMs;
  readonly toMs: WallMs;
  readonly segmentCount: number;
  readonly frameCount: number;
  readonly sizeBytes: number;
}

// ── Holds and markers ──────────────────────────────────────────────────────────────────────────────────────────────

/** Named ranges kept from retention. */
export interface HoldStore {
  createHold(hold: NewHold): Promise<Hold>;
  getHold(id: string): Promise<Hold>;
  /** Newest first; released ones left out. */
  listHolds(filter: HoldFilter, page: PageRequest): Promise<Page<Hold>>;
  updateHold(
    id: string,
    change: { readonly name?: string; readonly toMs?: WallMs; readonly metadata?: Hold['metadata'] },
  ): Promise<Hold>;
  /** Lets it go: it is no longer listed, and protects until the grace has passed. A recording that runs ends so. Idempotent. */
  releaseHold(id: string): Promise<void>;
}

/** Which holds. */
export interface HoldFilter {
  readonly tenant?: string;
  readonly streamId?: string;
  readonly kind?: HoldKind;
  readonly fromMs?: WallMs;
  readonly toMs?: WallMs;
  /** Only those that were to expire before this. */
  readonly expiredByMs?: WallMs;
}

/** Which markers: those that overlap [fromMs, toMs). `after` a marker's id: those made after it. */
export interface MarkerFilter {
  readonly fromMs?: WallMs;
  readonly toMs?: WallMs;
  readonly after?: string;
}

/** Labelled points and ranges. */
export interface MarkerStore {
  addMarker(marker: Omit<Marker, 'createdAtMs'>): Promise<Marker>;
  /** By `atMs` then id; with `after` in order of making. */
  listMarkers(streamId: string, filter: MarkerFilter, page: PageRequest): Promise<Page<Marker>>;
  deleteMarker(streamId: string, id: string): Promise<void>;
}

// ── Upkeep ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A segment's row as retention sees it. */
export interface SegmentRef {
  readonly id: string;
  readonly streamId: string;
  readonly renditionId: string;
  readonly objectKey: string;
  /** Bytes that it takes here: none while they are at its edge. */
  readonly sizeBytes: number;
  readonly startMs: WallMs;
  readonly endMs: WallMs;
}

/** Retention, offline detection, repair. */
export interface UpkeepStore {
  /**
   * Takes segments of a rendition that end at or before `beforeMs` out of the retained window, oldest first, at most `limit`, and moves the
   * `dvr` numbers along. An asset's never leave. Held ones leave the window too: holds keep them from being swept, not in the window. Answers what was (or with
   * `dryRun` would be) taken out.
   */
  retireSegments(request: {
    readonly streamId: string;
    readonly beforeMs: WallMs;
    readonly limit: number;
    readonly dryRun: boolean;
  }): Promise<readonly SegmentRef[]>;
  /**
   * Retired at or before `retiredByMs` and covered by no hold; oldest first. A hold still counts when it was released after `releasedByMs`
   * (default: `retiredByMs`); those released before are done with and forgotten.
   */
  sweepableSegments(request: {
    readonly retiredByMs: WallMs;
    readonly releasedByMs?: WallMs;
    readonly limit: number;
    readonly streamId?: string;
  }): Promise<readonly SegmentRef[]>;
  /**
   * Takes retired segments that no hold covers out of every reach, before their objects are deleted: no playlist names them again, whatever hold is made.
   * Answers the ids of those it took (and took before).
   */
  takeSweepable(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Removes rows of retired segments (their objects are gone), epochs that own none any more, and markers and ended sessions that lie before all that is left. */
  removeSegments(ids: readonly string[]): Promise<void>;
  /** Marks a segment's bytes as lost, or as found again. Of a stream at an edge they are to be had there once more: remote, not lost. */
  setSegmentLost(id: string, lost: boolean): Promise<void>;
  /** Oldest first over all streams but assets: for the ceilings on bytes and disk. Retired ones left out. */
  oldestSegments(limit: number): Promise<readonly SegmentRef[]>;
  totals(): Promise<CatalogTotals>;
  /** Open sessions with their stream, for the offline checker. */
  openSessions(): Promise<readonly { readonly session: Session; readonly stream: Stream }[]>;
  /** Ends a session (if it is still open) and makes its archive in the same transaction. Answers false when it was closed already. */
  endSession(request: {
    readonly sessionId: string;
    readonly by: SessionEnd;
    readonly archive: NewHold | null;
  }): Promise<boolean>;
  /**
   * Closed sessions of which it is not yet decided whether they get an archive, with their stream, oldest first, at most 1,000: those that an
   * append closed because the source came back late. {@link UpkeepStore.settleSession} decides.
   */
  unarchivedSessions(): Promise<readonly { readonly session: Session; readonly stream: Stream }[]>;
  /** Makes the archive of a closed session, or decides that it gets none. Answers false when that was decided already. */
  settleSession(sessionId: string, archive: NewHold | null): Promise<boolean>;
  /** Every segment in order of rendition and wall time, for the doctor. */
  allSegments(options?: { readonly streamId?: string }): AsyncIterable<Segment>;
  allEpochs(options?: { readonly streamId?: string }): AsyncIterable<Epoch>;
}

/** How much there is. Assets count only where it is said. */
export interface CatalogTotals {
  readonly streams: number;
  /** In the retained windows: not retired. */
  readonly segments: number;
  readonly segmentBytes: number;
  /** Retired and not yet removed: held, or waiting to be swept. */
  readonly retiredSegments: number;
  readonly retiredBytes: number;
  readonly openSessions: number;
  /** Of the segments of assets. */
  readonly assetSegmentBytes: number;
  /** Of the segments, retired ones too, whose bytes are at edges and not here. */
  readonly remoteBytes: number;
}

// ── Access ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a key may do; each includes nothing of the others, but `admin` includes all and crosses tenants. */
export type Scope = 'ingest' | 'read' | 'manage' | 'admin';

/** An API key; its secret is kept only as a hash. */
export interface ApiKey {
  readonly id: string;
  /** Null: all tenants (admin keys). */
  readonly tenant: string | null;
  readonly scopes: readonly Scope[];
  /** The only stream that it opens; null: it is not bound to one. */
  readonly streamId: string | null;
  readonly name: string;
  readonly createdAtMs: WallMs;
  readonly revokedAtMs: WallMs | null;
}

/** Keys, secrets of the server, and answers already given. */
export interface AccessStore {
  createKey(key: Omit<ApiKey, 'createdAtMs' | 'revokedAtMs'>, secretSha256: string): Promise<ApiKey>;
  /** Null when unknown or revoked. */
  findKey(secretSha256: string): Promise<ApiKey | null>;
  listKeys(): Promise<readonly ApiKey[]>;
  revokeKey(id: string): Promise<ApiKey>;
  /** A secret of this installation, made with `create` by whoever asks first. */
  serverSecret(name: string, create: () => Uint8Array): Promise<Uint8Array>;
  /** The answer given to this key earlier; null and remembered as begun when it is new. @throws conflict when the request differs or is still under way. */
  beginIdempotent(scope: string, key: string, requestSha256: string): Promise<StoredAnswer | null>;
  endIdempotent(scope: string, key: string, answer: StoredAnswer | null): Promise<void>;
}

/** An answer kept for an `Idempotency-Key`; 24 hours. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: string;
}
