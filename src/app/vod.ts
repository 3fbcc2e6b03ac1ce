import { availableParallelism, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import { GuardedHttp } from '../egress/guarded-http.ts';
import { createTranscoder } from '../engine/create-transcoder.ts';
import type { MediaLimits, Transcoder } from '../engine/transcoder.ts';
import { createClipService, type ClipService } from '../recordings/clips.ts';
import { createClipRunner } from '../recordings/cut-clips.ts';
import { createAssetService, type AssetService } from '../vod/asset-service.ts';
import { createFetchFile } from '../vod/fetch-file.ts';
import { createTaskRunner } from '../vod/run-tasks.ts';
import { Settler } from '../vod/settler.ts';
import { Worker, type WorkerMetrics } from '../vod/worker.ts';
import { streamDefaults } from './stream-defaults.ts';
import { objectsAddress, type Stores } from './stores.ts';

const MS = 1000;
const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Tracks of all kinds in one file. */
const MAX_TRACKS = 64;

/** The parts of a process that have to do with assets, and with clips, which the same workers make. */
export interface VodParts {
  readonly assets: AssetService;
  readonly clips: ClipService;
  readonly http: GuardedHttp;
  readonly limits: MediaLimits;
  /** What a process with the role worker starts, in order. */
  readonly workers: readonly Component[];
  readonly transcoder: Transcoder;
}

/** What assets are built with. */
export interface VodDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
}

/** Where what is on its way lies: next to the stores, so that taking a file over is a rename. */
export function incomingDirectory(config: Config, name: 'fetches' | 'movies' | 'uploads'): string {
  return join(resolve(config.dataDir), 'incoming', name);
}

/** Builds the service behind the APIs and the worker that does the work. */
export function composeVod(config: Config, deps: VodDeps): VodParts {
  const { stores, clock, ids, logger, metrics } = deps;
  const { catalog, objects } = stores;
  const { vod } = config;
  const rules = { segmentMs: vod.segmentSeconds * MS, chunkMs: vod.chunkSeconds * MS, maxAttempts: vod.maxAttempts };
  const settler = new Settler({
    catalog,
    objects,
    clock,
    ids,
    ...rules,
    logger: logger.child({ component: 'settler' }),
  });
  const http = new GuardedHttp({ allowedNetworks: config.egress.allowedNetworks });
  const limits: MediaLimits = {
    maxBytes: vod.maxUploadBytes,
    maxDurationMs: vod.maxDurationHours * HOUR_MS,
    maxPixels: vod.maxPixels,
    maxTracks: MAX_TRACKS,
  };
  const transcoder = createTranscoder({
    entryUrl: new URL('./transcode-process.ts', import.meta.url),
    childArguments: [objectsAddress(config), join(resolve(config.dataDir), 'cache')],
    stallTimeoutMs: vod.stallSeconds * MS,
    maxMemoryBytes: vod.maxMemoryMb * MIB,
    scratchDirectory: incomingDirectory(config, 'movies'),
    clock,
    logger: logger.child({ component: 'transcoder' }),
  });
  const fetchFile = createFetchFile({
    http,
    objects,
    ids,
    directory: incomingDirectory(config, 'fetches'),
    maxBytes: vod.maxUploadBytes,
    timeoutMs: vod.fetchTimeoutSeconds * MS,
  });
  const ofAssets = createTaskRunner({ transcoder, catalog, objects, settler, fetchFile, limits, clock });
  const ofClips = createClipRunner({
    transcoder,
    catalog,
    objects,
    clock,
    defaults: streamDefaults(config),
    maxWaitMs: config.edge.clipWaitSeconds * MS,
  });
  const worker = new Worker({
    catalog,
    settler,
    runner: {
      run: (lease, context) => (lease.clip === undefined ? ofAssets.run(lease, context) : ofClips.run(lease, context)),
      discard: (lease) => (lease.clip === undefined ? ofAssets.discard(lease) : ofClips.discard(lease)),
    },
    clock,
    logger: logger.child({ component: 'worker' }),
    metrics,
    workerId: `${hostname()}-${process.pid}-${ids.next('request').slice(-6)}`,
    slots: vod.workers ?? availableParallelism(),
    leaseMs: vod.leaseSeconds * MS,
  });
  const assets = createAssetService({ catalog, objects, settler, http, clock, ids, ...rules });
  const clips = createClipService({
    catalog,
    objects,
    clock,
    ids,
    maxDurationMs: config.clips.maxHours * HOUR_MS,
    retentionMs: config.clips.retentionDays * DAY_MS,
    maxAttempts: vod.maxAttempts,
  });
  return { assets, clips, http, limits, workers: [transcoder, settler, worker], transcoder };
}
