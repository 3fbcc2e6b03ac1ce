import type { ChunksApi } from '../api/rest/deps.ts';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import { createChunkIngest } from '../ingest/chunks/chunk-ingest.ts';
import { ChunkIntake } from '../ingest/chunks/chunk-intake.ts';
import type { ChunkMetrics } from '../ingest/chunks/chunk-metrics.ts';
import { PutDoor } from '../ingest/chunks/put-door.ts';
import type { LastSeen } from '../ingest/frames/last-seen.ts';
import type { StreamSettings } from '../timeline/stream.ts';
import type { Stores } from './stores.ts';

/** The parts of a process that have to do with chunks. */
export interface ChunkParts {
  /** The doors, where the API is. */
  readonly api: ChunksApi;
  /** What a process with the role ingest starts. */
  readonly ingest: Component;
}

/** What streams of chunks are built with. */
export interface ChunkDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly defaults: StreamSettings;
  readonly lastSeen: LastSeen;
  readonly metrics: ChunkMetrics;
}

/** Builds the doors for chunks that encoders put and announce, and what writes them to timelines. */
export function composeChunks(config: Config, deps: ChunkDeps): ChunkParts {
  const { stores, logger, ...shared } = deps;
  const { catalog, objects, events, putGrants } = stores;
  const { maxSegmentBytes: maxChunkBytes } = config.push;
  return {
    api: {
      intake: new ChunkIntake({ ...shared, catalog, objects, events, maxChunkBytes }),
      putDoor: new PutDoor({ objects, grants: putGrants }),
    },
    ingest: createChunkIngest({
      ...shared,
      catalog,
      objects,
      events,
      maxChunkBytes,
      logger: logger.child({ component: 'chunk ingest' }),
    }),
  };
}
