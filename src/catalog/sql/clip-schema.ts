/** A stretch of a timeline as one file. Where it stands is its task's to say. */
export interface ClipTable {
  id: string;
  tenant: string;
  stream_id: string;
  /** The recording or archive that it was cut from. */
  source_hold_id: string | null;
  name: string;
  /** JSON. */
  spec: string;
  /** Its source's protection while it is made. */
  hold_id: string;
  task_id: string;
  created_at_ms: number;
  /** When its task ended for good. */
  ended_at_ms: number | null;
  expires_at_ms: number | null;
}
