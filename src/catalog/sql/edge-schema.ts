/** A node near the sources; see src/timeline/edge.ts. */
export interface EdgeTable {
  id: string;
  tenant: string;
  name: string;
  version: string;
  session: number;
  created_at_ms: number;
  registered_at_ms: number;
  seen_at_ms: number;
  away_at_ms: number | null;
  /** JSON of the EdgeReport. */
  report: string | null;
  /** The feed's revision at the last change of what is wanted of it. */
  revision: number;
}

/** How far the rows of a rendition are here, in the edge's numbers. Outlives its edge: registered again, it goes on. */
export interface EdgeCursorTable {
  stream_id: string;
  rendition: string;
  edge_id: string;
  next_sequence: number;
  next_late_sequence: number;
}

/** A segment that somebody asked for, while its bytes are at its edge. */
export interface EdgeWantTable {
  segment_id: string;
  edge_id: string;
  asked_at_ms: number;
}
