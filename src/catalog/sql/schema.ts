import type { Kysely } from 'kysely';
import type { AssetTable, OutputTable, TaskTable } from './asset-schema.ts';
import type { ChunkRejectionTable, ChunkRunTable } from './chunk-schema.ts';
import type { ClipTable } from './clip-schema.ts';
import type { EdgeCursorTable, EdgeTable, EdgeWantTable } from './edge-schema.ts';
import type { LadderTable } from './ladder-schema.ts';
import type { WebhookDeliveryTable, WebhookEndpointTable } from './webhook-schema.ts';

/**
 * The catalog's tables as every database has them. Times are wall time in milliseconds since the Unix epoch, as double precision (pushed media
 * have fractions); flags are 0 or 1; JSON is text. An adapter answers every number, counts and sums included, as a JavaScript number. Names are the domain's (docs/glossary.md).
 */
export interface CatalogSchema {
  stream: StreamTable;
  rendition: RenditionTable;
  epoch: EpochTable;
  segment: SegmentTable;
  session: SessionTable;
  hold: HoldTable;
  marker: MarkerTable;
  asset: AssetTable;
  output: OutputTable;
  task: TaskTable;
  clip: ClipTable;
  chunk_run: ChunkRunTable;
  chunk_rejection: ChunkRejectionTable;
  edge: EdgeTable;
  edge_cursor: EdgeCursorTable;
  edge_want: EdgeWantTable;
  ladder: LadderTable;
  webhook_endpoint: WebhookEndpointTable;
  webhook_delivery: WebhookDeliveryTable;
  api_key: ApiKeyTable;
  server_secret: ServerSecretTable;
  idempotent_answer: IdempotentAnswerTable;
  feed: FeedTable;
  removed_stream: RemovedStreamTable;
  migration: MigrationTable;
}

/** The catalog's database, or a transaction on it. */
export type CatalogDb = Kysely<CatalogSchema>;

/** One source's timeline. */
export interface StreamTable {
  id: string;
  tenant: string;
  kind: string;
  name: string;
  /** Unique within the tenant where it is not null. */
  device_id: string | null;
  /** Name and device in lower case, for searching: databases differ in how they fold case. */
  search_text: string;
  /** JSON of the settings that were set for this stream. */
  settings: string;
  created_at_ms: number;
  /** Capture time of the newest accepted frame. Never falls. */
  last_captured_at_ms: number | null;
  /** Arrival of the newest frame. Never falls. */
  last_received_at_ms: number | null;
  /** When it was ended; null while it goes on. */
  ended_at_ms: number | null;
  /** JSON of the SourceReport; null where there is none. */
  source: string | null;
  /** The feed's revision at the last change of what the stream shows. */
  revision: number;
  /** Whose it is; null: fed here. */
  edge_id: string | null;
  /** When somebody watched it last, of an edge's; written now and then. */
  watched_at_ms: number | null;
}

/** One encoding of a stream, with the counters that make writing and numbering independent of the window's length. */
export interface RenditionTable {
  id: string;
  stream_id: string;
  /** Unique within the stream. */
  name: string;
  /** The highest fence that claimed it. */
  fence: number;
  next_sequence: number;
  next_late_sequence: number;
  next_epoch_ordinal: number;
  dvr_media_sequence: number;
  dvr_discontinuity_sequence: number;
  /** Segments in the window: not retired. */
  window_count: number;
  /** Of those, how many have dvr_discontinuity. */
  window_tags: number;
  window_bytes: number;
  /** Segments that are retired and still have their rows. */
  retired_count: number;
  retired_bytes: number;
  /** The end of the latest segment there ever was: what starts here or later overlaps nothing. */
  newest_end_ms: number | null;
  /** The longest segment there ever was. What overlaps a time starts no more than this before it, so a range query is bounded on the index by start. */
  max_span_ms: number;
  /** 1 for an asset's: upkeep leaves it alone. */
  of_asset: number;
  /** Of segments, retired ones too, whose bytes are at an edge. */
  remote_bytes: number;
}

/** A stretch with one set of codec parameters and one media clock. */
export interface EpochTable {
  id: string;
  rendition_id: string;
  is_late: number;
  /** Counts the on-time epochs; -1 for a late one. */
  ordinal: number;
  /** Wall time at media time 0. */
  anchor_ms: number;
  /** The init segment's bytes. */
  init: Uint8Array;
  init_sha256: string;
  codecs: string;
  width: number;
  height: number;
  created_at_ms: number;
  /** Rows in segment that belong to it. */
  segment_count: number;
}

/** The smallest independently decodable stretch. */
export interface SegmentTable {
  id: string;
  rendition_id: string;
  epoch_id: string;
  /** Placement: 0 on time, 1 late; so that on-time sorts first at one start. */
  is_late: number;
  /** Counts from 0 for each rendition and placement. */
  sequence: number;
  start_ms: number;
  /** Exclusive. Media duration mapped to wall time, rounded to nothing. */
  end_ms: number;
  media_start_90k: number;
  duration_90k: number;
  /** Capture times; see frame-times.ts. */
  frame_times: string;
  frame_count: number;
  object_key: string;
  size_bytes: number;
  /** Hex. */
  sha256: string;
  discontinuity: number;
  dvr_discontinuity: number;
  lost: number;
  created_at_ms: number;
  /** Null while in the window. Negative: its object is being deleted, and no hold gets it back. */
  retired_at_ms: number | null;
  /** 1 when a hold covered it as it was retired and has not been settled since: sweeping passes over it without looking at holds. */
  held: number;
  /** Null where not kept. */
  keyframe_bytes: number | null;
  /** As its rendition's. */
  of_asset: number;
  /** 1 while its bytes are at its edge alone. Never together with lost. */
  remote: number;
}

/** A stretch in which the source was online. At most one open one for a stream. */
export interface SessionTable {
  id: string;
  stream_id: string;
  start_ms: number;
  end_ms: number;
  ended_by: string | null;
  closed_at_ms: number | null;
  /** 1 when it has been decided whether it gets an archive. */
  settled: number;
}

/** A named range kept from retention. */
export interface HoldTable {
  id: string;
  stream_id: string;
  kind: string;
  name: string;
  from_ms: number;
  /** Exclusive; null while it grows. */
  to_ms: number | null;
  session_id: string | null;
  created_at_ms: number;
  expires_at_ms: number | null;
  released_at_ms: number | null;
  /** JSON object of texts. */
  metadata: string;
  /** Of a recording: when it was stopped, by the server's clock. */
  stopped_at_ms: number | null;
  /** This and the next three: what is in it up to measured_to_ms. */
  segment_count: number;
  size_bytes: number;
  covered_ms: number;
  gap_count: number;
  /** The end of the last segment counted, or its own start. Null: it must be measured as a whole. */
  measured_to_ms: number | null;
}

/** A labelled point or range. */
export interface MarkerTable {
  id: string;
  stream_id: string;
  at_ms: number;
  until_ms: number | null;
  label: string;
  type: string;
  /** JSON object. */
  data: string;
  created_at_ms: number;
  /** The feed's revision that made it: the order of making, the same in every process. */
  made_at_revision: number;
}

/** A key to the API; the secret itself is nowhere. */
export interface ApiKeyTable {
  id: string;
  tenant: string | null;
  /** JSON array. */
  scopes: string;
  /** The only stream that it opens; null: it is not bound to one. */
  stream_id: string | null;
  name: string;
  secret_sha256: string;
  created_at_ms: number;
  revoked_at_ms: number | null;
}

/** A secret of this installation. */
export interface ServerSecretTable {
  name: string;
  value: Uint8Array;
}

/** What was answered to an Idempotency-Key. */
export interface IdempotentAnswerTable {
  scope: string;
  key: string;
  request_sha256: string;
  /** Null while the request is under way. */
  status: number | null;
  body: string | null;
  created_at_ms: number;
}

/** One row: the change feed's head. */
export interface FeedTable {
  id: number;
  /** Goes up with every change that a stream shows. */
  revision: number;
}

/** A stream that was deleted, for processes that have it cached. */
export interface RemovedStreamTable {
  stream_id: string;
  revision: number;
  removed_at_ms: number;
}

/** A migration that was run. */
export interface MigrationTable {
  name: string;
  applied_at_ms: number;
}
