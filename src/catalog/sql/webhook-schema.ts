/** Who wants to be told of events. */
export interface WebhookEndpointTable {
  id: string;
  tenant: string;
  url: string;
  /** JSON array; empty: all. */
  types: string;
  description: string;
  /** JSON array, newest first. */
  secrets: string;
  enabled: number;
  disabled_cause: string | null;
  created_at_ms: number;
}

/** One event on its way to one address. */
export interface WebhookDeliveryTable {
  id: string;
  tenant: string;
  event_id: string;
  type: string;
  subject_id: string;
  /** Null: an asset's own address. */
  endpoint_id: string | null;
  url: string;
  /** JSON, as it is sent. */
  payload: string;
  state: string;
  /** JSON array. */
  tries: string;
  next_try_at_ms: number | null;
  /** When it may be taken: its next try, or the end of the lease of whoever has it. Null when it has ended or its endpoint is disabled. */
  due_at_ms: number | null;
  created_at_ms: number;
  /** The feed's revision that made it: the order of making, the same in every process. */
  made_at_revision: number;
  /** When it was delivered or given up. */
  ended_at_ms: number | null;
}
