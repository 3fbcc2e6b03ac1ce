import type { Selectable } from 'kysely';
import { ZoetropeError } from '../../base/errors.ts';
import { pts90k, wallMs, type WallMs } from '../../base/time.ts';
import type { Epoch } from '../../timeline/epoch.ts';
import type { Hold, HoldKind } from '../../timeline/hold.ts';
import type { Marker } from '../../timeline/marker.ts';
import type { Rendition } from '../../timeline/rendition.ts';
import type { Segment } from '../../timeline/segment.ts';
import type { SourceReport } from '../../timeline/source-report.ts';
import type { Session, SessionEnd } from '../../timeline/session.ts';
import type { Stream, StreamKind, StreamSettings } from '../../timeline/stream.ts';
import type { ApiKey, Scope, SegmentRef } from '../catalog.ts';
import { decodeFrameTimes } from './frame-times.ts';
import type {
  ApiKeyTable,
  EpochTable,
  HoldTable,
  MarkerTable,
  RenditionTable,
  SegmentTable,
  SessionTable,
  StreamTable,
} from './schema.ts';

/** A row of a table. */
export type Row<T> = Selectable<T>;

/** What {@link toSegmentRef} reads. */
export type SegmentRefRow = Pick<
  SegmentTable,
  'id' | 'rendition_id' | 'object_key' | 'size_bytes' | 'start_ms' | 'end_ms' | 'remote'
> & { readonly stream_id: string };

/** The columns of {@link SegmentRefRow}, of a segment joined with its rendition. */
export const SEGMENT_REF_COLUMNS = [
  'segment.id',
  'segment.rendition_id',
  'segment.object_key',
  'segment.size_bytes',
  'segment.start_ms',
  'segment.end_ms',
  'segment.remote',
  'rendition.stream_id',
] as const;

/** The row, when it is there. @throws not_found when it is missing */
export function found<T>(row: T | undefined, what: string, id: string): T {
  if (row !== undefined) return row;
  throw new ZoetropeError('not_found', `There is no ${what} ${id}. It may have been removed.`, {
    details: { what, id },
  });
}

/** A stream of its row. */
export function toStream(row: Row<StreamTable>): Stream {
  return {
    id: row.id,
    tenant: row.tenant,
    kind: row.kind as StreamKind,
    name: row.name,
    deviceId: row.device_id,
    settings: JSON.parse(row.settings) as Partial<StreamSettings>,
    createdAtMs: wallMs(row.created_at_ms),
    lastCapturedAtMs: orNull(row.last_captured_at_ms),
    lastReceivedAtMs: orNull(row.last_received_at_ms),
    endedAtMs: orNull(row.ended_at_ms),
    source: row.source === null ? null : (JSON.parse(row.source) as SourceReport),
    edgeId: row.edge_id,
  };
}

/** A rendition of its row. */
export function toRendition(row: Row<RenditionTable>): Rendition {
  return {
    id: row.id,
    streamId: row.stream_id,
    name: row.name,
    nextSequence: row.next_sequence,
    nextLateSequence: row.next_late_sequence,
    nextEpochOrdinal: row.next_epoch_ordinal,
    dvrMediaSequence: row.dvr_media_sequence,
    dvrDiscontinuitySequence: row.dvr_discontinuity_sequence,
  };
}

/** An epoch of its row. */
export function toEpoch(row: Row<EpochTable>): Epoch {
  return {
    id: row.id,
    renditionId: row.rendition_id,
    placement: row.is_late === 1 ? 'late' : 'onTime',
    ordinal: row.ordinal,
    anchorMs: wallMs(row.anchor_ms),
    init: row.init,
    initSha256: row.init_sha256,
    codecs: row.codecs,
    width: row.width,
    height: row.height,
    createdAtMs: wallMs(row.created_at_ms),
  };
}

/** A segment of its row; which stream it is of stands in its rendition. */
export function toSegment(row: Row<SegmentTable>, streamId: string): Segment {
  return {
    id: row.id,
    streamId,
    renditionId: row.rendition_id,
    epochId: row.epoch_id,
    placement: row.is_late === 1 ? 'late' : 'onTime',
    sequence: row.sequence,
    startMs: wallMs(row.start_ms),
    mediaStart90k: pts90k(row.media_start_90k),
    duration90k: pts90k(row.duration_90k),
    frameTimesMs: decodeFrameTimes(row.frame_times),
    objectKey: row.object_key,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    keyframeBytes: row.keyframe_bytes,
    discontinuity: row.discontinuity === 1,
    createdAtMs: wallMs(row.created_at_ms),
    dvrDiscontinuity: row.dvr_discontinuity === 1,
    lost: row.lost === 1,
    remote: row.remote === 1,
    retiredAtMs: orNull(row.retired_at_ms),
  };
}

/** A segment as retention sees it. */
export function toSegmentRef(row: SegmentRefRow): SegmentRef {
  return {
    id: row.id,
    streamId: row.stream_id,
    renditionId: row.rendition_id,
    objectKey: row.object_key,
    sizeBytes: row.remote === 1 ? 0 : row.size_bytes,
    startMs: wallMs(row.start_ms),
    endMs: wallMs(row.end_ms),
  };
}

/** A session of its row. */
export function toSession(row: Row<SessionTable>): Session {
  return {
    id: row.id,
    streamId: row.stream_id,
    startMs: wallMs(row.start_ms),
    endMs: wallMs(row.end_ms),
    endedBy: row.ended_by as SessionEnd | null,
    closedAtMs: orNull(row.closed_at_ms),
  };
}

/** A hold of its row. */
export function toHold(row: Row<HoldTable>): Hold {
  return {
    id: row.id,
    streamId: row.stream_id,
    kind: row.kind as HoldKind,
    name: row.name,
    fromMs: wallMs(row.from_ms),
    toMs: orNull(row.to_ms),
    sessionId: row.session_id,
    createdAtMs: wallMs(row.created_at_ms),
    expiresAtMs: orNull(row.expires_at_ms),
    releasedAtMs: orNull(row.released_at_ms),
    metadata: JSON.parse(row.metadata) as Readonly<Record<string, string>>,
    stoppedAtMs: orNull(row.stopped_at_ms),
    extent:
      row.measured_to_ms === null
        ? null
        : {
            segmentCount: row.segment_count,
            sizeBytes: row.size_bytes,
            coveredMs: row.covered_ms,
            gapCount: row.gap_count,
          },
  };
}

/** A marker of its row. */
export function toMarker(row: Row<MarkerTable>): Marker {
  return {
    id: row.id,
    streamId: row.stream_id,
    atMs: wallMs(row.at_ms),
    untilMs: orNull(row.until_ms),
    label: row.label,
    type: row.type,
    data: JSON.parse(row.data) as Readonly<Record<string, unknown>>,
    createdAtMs: wallMs(row.created_at_ms),
  };
}

/** A key of its row. */
export function toApiKey(row: Row<ApiKeyTable>): ApiKey {
  return {
    id: row.id,
    tenant: row.tenant,
    scopes: JSON.parse(row.scopes) as Scope[],
    streamId: row.stream_id,
    name: row.name,
    createdAtMs: wallMs(row.created_at_ms),
    revokedAtMs: orNull(row.revoked_at_ms),
  };
}

function orNull(value: number | null): WallMs | null {
  return value === null ? null : wallMs(value);
}
