import { availableParallelism, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import { createTranscoder } from '../engine/create-transcoder.ts';
import type { LadderMetrics } from '../ladder/ladder-metrics.ts';
import { LadderWorker } from '../ladder/ladder-worker.ts';
import { Slots } from '../ladder/slots.ts';
import { objectsAddress, type Stores } from './stores.ts';

const MIB = 1024 * 1024;
/** Behind what answers viewers, before files that are transcoded. */
const NICENESS = '5';
/** A live segment is encoded in about its own length, or it is too late anyway. */
const STALL_MS = 20_000;
/** From one segment to the next, and some more. */
const IDLE_MS = 15_000;

/** The parts of a process that have to do with live ladders. */
export interface LadderParts {
  readonly worker: LadderWorker;
  /** What a process with the role worker starts, in order. */
  readonly components: readonly Component[];
}

/** What live ladders are built with. */
export interface LadderDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly metrics: LadderMetrics;
}

/** Builds what encodes pushed streams below their quality. */
export function composeLadder(config: Config, { stores, clock, ids, logger, metrics }: LadderDeps): LadderParts {
  const { catalog, objects } = stores;
  const transcoder = createTranscoder({
    entryUrl: new URL('./transcode-process.ts', import.meta.url),
    childArguments: [objectsAddress(config), join(resolve(config.dataDir), 'cache'), NICENESS],
    stallTimeoutMs: STALL_MS,
    maxMemoryBytes: config.vod.maxMemoryMb * MIB,
    scratchDirectory: join(resolve(config.dataDir), 'incoming', 'ladders'),
    idleMs: IDLE_MS,
    clock,
    logger: logger.child({ component: 'ladder transcoder' }),
  });
  const worker = new LadderWorker({
    catalog,
    objects,
    transcoder,
    clock,
    ids,
    logger: logger.child({ component: 'ladder' }),
    metrics,
    slots: new Slots(config.push.ladderWorkers ?? availableParallelism()),
    // What is not in a live playlist any more, no player waits for.
    maxBehind: config.delivery.liveSegments,
    workerId: `${hostname()}-${process.pid}-${ids.next('request').slice(-6)}`,
  });
  return { worker, components: [transcoder, worker] };
}
