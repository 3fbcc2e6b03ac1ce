import { noPushMetrics, type PushMetrics } from '../push/push-metrics.ts';

/** What the ingest of announced chunks counts: what pushed segments count, and holes in the sequence. */
export interface ChunkMetrics extends PushMetrics {
  /** Chunks that were given up, because later ones came and they did not. */
  missing(count: number): void;
}

/** Counts nothing. */
export const noChunkMetrics: ChunkMetrics = { ...noPushMetrics, missing: () => undefined };
