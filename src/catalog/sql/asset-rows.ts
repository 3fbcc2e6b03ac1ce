import { wallMs, type WallMs } from '../../base/time.ts';
import type {
  Asset,
  AssetRequest,
  AssetSource,
  FailureCause,
  Output,
  OutputFile,
  OutputSpec,
  WorkState,
} from '../../timeline/asset.ts';
import type { MediaDescription } from '../../timeline/media-description.ts';
import type { Task, TaskKind, TaskState } from '../../timeline/task.ts';
import type { AssetTable, OutputTable, TaskTable } from './asset-schema.ts';
import type { Row } from './rows.ts';

/** An asset of its row. */
export function toAsset(row: Row<AssetTable>): Asset {
  return {
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    referenceId: row.reference_id,
    source: JSON.parse(row.source) as AssetSource,
    request: JSON.parse(row.request) as AssetRequest,
    priority: row.priority,
    state: row.state as WorkState,
    cause: fromJson(row.cause) as FailureCause | null,
    media: fromJson(row.media) as MediaDescription | null,
    version: row.version,
    round: row.round,
    createdAtMs: wallMs(row.created_at_ms),
    startedAtMs: orNull(row.started_at_ms),
    playableAtMs: orNull(row.playable_at_ms),
    endedAtMs: orNull(row.ended_at_ms),
  };
}

/** An output of its row. `runningWeight`: of its running tasks, each times its progress. */
export function toOutput(row: Row<OutputTable>, runningWeight: number): Output {
  const weight = row.total_weight > 0 ? (row.done_weight + runningWeight) / row.total_weight : 0;
  return {
    id: row.id,
    assetId: row.asset_id,
    name: row.name,
    spec: JSON.parse(row.spec) as OutputSpec,
    state: row.state as WorkState,
    cause: fromJson(row.cause) as FailureCause | null,
    publishedChunks: row.published_chunks,
    totalChunks: row.total_chunks,
    files: JSON.parse(row.files) as OutputFile[],
    usage: { cpuMs: row.cpu_ms, peakMemoryBytes: row.peak_memory_bytes, wallMs: row.wall_ms },
    progress: row.state === 'ready' ? 1 : Math.max(0, Math.min(1, weight)),
    startedAtMs: orNull(row.started_at_ms),
    endedAtMs: orNull(row.ended_at_ms),
  };
}

/** A task of its row. */
export function toTask(row: Row<TaskTable>): Task {
  return {
    id: row.id,
    ownerId: row.owner_id,
    kind: row.kind as TaskKind,
    round: row.round,
    rank: row.rank,
    ordinal: row.ordinal,
    outputIds: JSON.parse(row.output_ids) as string[],
    weight: row.weight,
    input: JSON.parse(row.input) as unknown,
    state: row.state as TaskState,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    notBeforeMs: wallMs(row.not_before_ms),
    workerId: row.worker_id,
    leaseUntilMs: orNull(row.lease_until_ms),
    progress: row.progress,
    result: fromJson(row.result),
    cause: fromJson(row.cause) as FailureCause | null,
    usage: { cpuMs: row.cpu_ms, peakMemoryBytes: row.peak_memory_bytes, wallMs: row.wall_ms },
    shares: fromJson(row.shares) as Record<string, number> | null,
  };
}

/** JSON of a value that may be null or undefined, for which the column is null. */
export function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** Name and reference, for searching. */
export function assetSearchText(name: string, referenceId: string | null): string {
  return `${name}\n${referenceId ?? ''}`.toLowerCase();
}

function fromJson(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}

function orNull(value: number | null): WallMs | null {
  return value === null ? null : wallMs(value);
}
