import type { WallMs } from '../base/time.ts';
import type { Edge, EdgeReport } from '../timeline/edge.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Segment } from '../timeline/segment.ts';
import type { Stream, StreamKind } from '../timeline/stream.ts';
import type { Page, PageRequest } from './page.ts';

/** Whose request it is: what an older session sends is `fenced`, as is all of an edge that is not registered (any more). */
export interface EdgeSession {
  readonly edgeId: string;
  readonly session: number;
}

/** How far an edge's rows are here, in its own numbers. */
export interface RowCursor {
  readonly streamId: string;
  readonly rendition: string;
  readonly nextSequence: number;
  readonly nextLateSequence: number;
}

/** A stream of an edge's. */
export interface EdgeStreamState {
  readonly streamId: string;
  readonly kind: StreamKind;
  readonly name: string;
  readonly endedAtMs: WallMs | null;
}

/** A segment of an edge's: its sequence is the edge's own. */
export type EdgeSegment = Pick<
  Segment,
  | 'id'
  | 'epochId'
  | 'placement'
  | 'sequence'
  | 'startMs'
  | 'mediaStart90k'
  | 'duration90k'
  | 'frameTimesMs'
  | 'objectKey'
  | 'sizeBytes'
  | 'sha256'
  | 'keyframeBytes'
  | 'lost'
>;

/** Rows of one rendition. */
export interface EdgeRowBatch {
  readonly streamId: string;
  readonly rendition: string;
  /** At least those that the rows name. */
  readonly epochs: readonly Omit<Epoch, 'renditionId' | 'placement' | 'ordinal' | 'createdAtMs'>[];
  /** On-time ones by sequence, then late ones by theirs. */
  readonly rows: readonly EdgeSegment[];
  /** As {@link NewSegment.offlineAfterMs}. */
  readonly offlineAfterMs: number;
}

/** What an edge says of itself. */
export interface EdgeNote {
  readonly report: EdgeReport;
  /** When its sources were heard last, by control's clock. */
  readonly streams: readonly {
    readonly streamId: string;
    readonly lastCapturedAtMs: WallMs | null;
    readonly lastReceivedAtMs: WallMs | null;
  }[];
}

/** A stretch that an edge must not lose before its bytes are here. */
export interface KeptStretch {
  readonly id: string;
  readonly streamId: string;
  readonly name: string;
  readonly fromMs: WallMs;
  readonly toMs: WallMs | null;
}

/** What is wanted of an edge. */
export interface EdgeDemand {
  /** All of its streams. */
  readonly streamIds: readonly string[];
  /** Those that somebody watches, or that are recorded. */
  readonly live: readonly string[];
  readonly keep: readonly KeptStretch[];
  /** Segments that somebody waits for, longest first. */
  readonly asked: readonly { readonly id: string; readonly streamId: string }[];
  /** Segments that holds lack, oldest first, without those that are asked for. */
  readonly missing: readonly { readonly id: string; readonly streamId: string }[];
  /** When this may change by itself: a watcher is forgotten, a hold ends. Null: it does not. */
  readonly changesAtMs: WallMs | null;
}

/**
 * Edges, at control. A stream belongs to one edge at most; its segments' rows come with their own ids and times, and their bytes when they are wanted: a segment
 * without its bytes is `remote`. Each change of what is wanted of an edge raises the change feed with the edge's id.
 */
export interface EdgeStore {
  /**
   * Registers an edge, or takes it back: begins a session that is higher than any before. Answers how far its rows are here.
   * @throws conflict when it is another tenant's
   */
  registerEdge(edge: Pick<Edge, 'id' | 'tenant' | 'name' | 'version'>): Promise<{
    readonly edge: Edge;
    readonly cursors: readonly RowCursor[];
  }>;
  getEdge(id: string): Promise<Edge>;
  /** By name, then id. `tenant` undefined: all. */
  listEdges(filter: { readonly tenant?: string }, page: PageRequest): Promise<Page<Edge>>;
  /** Those of these ids that there are. */
  edgesOf(ids: readonly string[]): Promise<ReadonlyMap<string, Edge>>;
  /** Its streams by name. */
  streamsOfEdge(id: string): Promise<readonly Stream[]>;
  /** A word of the edge's. Raises no change. @throws fenced */
  noteEdge(by: EdgeSession, note: EdgeNote): Promise<void>;
  /** Its connection broke. An older session's is passed over. */
  noteEdgeAway(by: EdgeSession): Promise<void>;
  /** Forgets an edge. Its streams stay, and what is remote of them is lost. Registered again, it has them again. */
  removeEdge(id: string): Promise<void>;
  /** Makes or changes a stream of the edge's. @throws fenced; conflict when the id is another's */
  putEdgeStream(by: EdgeSession, stream: EdgeStreamState): Promise<Stream>;
  /** The edge has a stream no more: it stays here without an edge, and what is remote of it is lost. One that is not its is passed over. @throws fenced */
  dropEdgeStream(by: EdgeSession, streamId: string): Promise<void>;
  /**
   * Appends rows in one transaction, each as {@link TimelineStore.appendSegment} does; those below the cursor are passed over. Makes the rendition when it is
   * missing. @throws fenced; not_found for a stream that is not the edge's; conflict for ids of others
   */
  appendEdgeRows(by: EdgeSession, batch: EdgeRowBatch): Promise<RowCursor>;
  /** The bytes of a remote segment are durable here. Answers false when it is no more. */
  noteArrived(segmentId: string): Promise<boolean>;
  /** The edge has their bytes no more: those that are remote are lost. @throws fenced */
  noteGone(by: EdgeSession, segmentIds: readonly string[]): Promise<void>;
  /** Somebody watches a stream. Raises a change of its edge's when nobody did for `idleAfterMs`. A stream without an edge is passed over. */
  watchStream(streamId: string, idleAfterMs: number): Promise<void>;
  /** Somebody waits for the bytes of a segment. Raises a change of its edge's. */
  wantSegment(segmentId: string): Promise<void>;
  /** What is wanted of an edge. A stream counts as watched for `idleAfterMs` after each time, and for three of its segments where they are longer; a segment as asked for for `askedForMs`; at most `limit` segments. */
  demandOn(
    edgeId: string,
    request: { readonly idleAfterMs: number; readonly askedForMs: number; readonly limit: number },
  ): Promise<EdgeDemand>;
  /** Of a hold's segments, how many have their bytes at an edge. */
  remoteOfHold(hold: {
    readonly streamId: string;
    readonly fromMs: WallMs;
    readonly toMs: WallMs | null;
  }): Promise<number>;
}
