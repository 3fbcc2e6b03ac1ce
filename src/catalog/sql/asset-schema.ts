/** An uploaded file and what is made of it. Its stream's row has the same id. */
export interface AssetTable {
  id: string;
  tenant: string;
  name: string;
  reference_id: string | null;
  /** Name and reference in lower case. */
  search_text: string;
  /** JSON. */
  source: string;
  /** JSON. */
  request: string;
  priority: number;
  state: string;
  /** JSON. */
  cause: string | null;
  /** JSON. */
  media: string | null;
  /** The token of compare-and-swap. */
  version: number;
  round: number;
  created_at_ms: number;
  started_at_ms: number | null;
  playable_at_ms: number | null;
  ended_at_ms: number | null;
  /** 1 when something is to be decided about it. */
  unsettled: number;
  /** Rows in task that wait, kept by every write. */
  waiting_tasks: number;
  /** Rows in task that run. */
  running_tasks: number;
  /** The feed's revision when a task of it was claimed last; 0: never. */
  served_at_revision: number;
}

/** One thing made from an asset. */
export interface OutputTable {
  id: string;
  asset_id: string;
  /** Order of making. */
  ordinal: number;
  /** Unique within the asset. */
  name: string;
  /** JSON. */
  spec: string;
  state: string;
  /** JSON. */
  cause: string | null;
  published_chunks: number;
  total_chunks: number | null;
  /** JSON array. */
  files: string;
  started_at_ms: number | null;
  ended_at_ms: number | null;
  /** Sums over the tasks that name it, kept by every write: an asset may have thousands of tasks, and lists show hundreds of assets. */
  cpu_ms: number;
  /** The largest of any of its tasks. */
  peak_memory_bytes: number;
  wall_ms: number;
  /** Of the tasks of the asset's round that are not cancelled. */
  total_weight: number;
  /** Of those, of the ones that are done. */
  done_weight: number;
}

/** The smallest retried unit of work. */
export interface TaskTable {
  id: string;
  /** The asset or the clip that it works for. */
  owner_id: string;
  kind: string;
  round: number;
  /** The asset's, for the order of claims. */
  priority: number;
  rank: number;
  ordinal: number;
  /** JSON array. */
  output_ids: string;
  weight: number;
  /** JSON. */
  input: string;
  state: string;
  /** Never falls: it fences tries. */
  attempt: number;
  /** Tries that do not count against max_attempts, for they were handed back. */
  returned_tries: number;
  max_attempts: number;
  not_before_ms: number;
  worker_id: string | null;
  lease_until_ms: number | null;
  progress: number;
  /** JSON. */
  result: string | null;
  /** JSON. */
  cause: string | null;
  /** Over all tries. */
  cpu_ms: number;
  peak_memory_bytes: number;
  wall_ms: number;
  /** JSON object. */
  shares: string | null;
  /** 1 when all that is made of its result has been made. */
  taken_in: number;
}
