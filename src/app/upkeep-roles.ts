import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import type { StreamSettings } from '../timeline/stream.ts';
import type { OfflineReport } from '../upkeep/offline-checker.ts';
import { Periodic } from '../upkeep/periodic.ts';
import type { RetentionReport } from '../upkeep/retention.ts';
import type { Stores } from './stores.ts';
import { createUpkeep } from './upkeep-services.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ARCHIVE_EXPIRY_INTERVAL_MS = 60_000;
const RECORDING_ENDS_INTERVAL_MS = 2_000;
/** The first runs wait until what was left in the event log has had time to become segments. */
const FIRST_RUN_MS = 5_000;

/** What the upkeep counts. */
export interface UpkeepMetrics {
  retention(report: RetentionReport): void;
  offline(report: OfflineReport): void;
  run(task: string, outcome: { readonly ok: boolean; readonly durationMs: number }): void;
}

/** The upkeep role: retention, offline detection, archive expiry and the daily sweep, each at its interval. */
export function upkeepComponents(
  config: Config,
  stores: Stores,
  defaults: StreamSettings,
  deps: { readonly clock: Clock; readonly ids: IdSource; readonly logger: Logger; readonly metrics: UpkeepMetrics },
): readonly Component[] {
  const { clock, logger, metrics } = deps;
  const { cleanupIntervalSeconds, offlineCheckIntervalSeconds } = config.upkeep;
  const { archiveExpiry, clipExpiry, offlineChecker, orphanSweep, recordingEnds, retention } = createUpkeep(config, {
    ...deps,
    stores,
    defaults,
    onRetention: (report) => metrics.retention(report),
    onOffline: (report) => metrics.offline(report),
  });
  const every = (
    name: string,
    intervalMs: number,
    initialDelayMs: number,
    service: { runOnce(options: { readonly signal: AbortSignal }): Promise<unknown> },
  ): Periodic =>
    new Periodic({
      name,
      intervalMs,
      initialDelayMs,
      run: (signal) => service.runOnce({ signal }),
      clock,
      logger,
      onRun: (outcome) => metrics.run(name, outcome),
    });
  return [
    every('retention', cleanupIntervalSeconds * 1000, FIRST_RUN_MS, retention),
    every('offline checker', offlineCheckIntervalSeconds * 1000, FIRST_RUN_MS, offlineChecker),
    every('archive expiry', ARCHIVE_EXPIRY_INTERVAL_MS, FIRST_RUN_MS, archiveExpiry),
    every('clip expiry', ARCHIVE_EXPIRY_INTERVAL_MS, FIRST_RUN_MS, clipExpiry),
    every('recording ends', RECORDING_ENDS_INTERVAL_MS, FIRST_RUN_MS, recordingEnds),
    every('orphan sweep', DAY_MS, HOUR_MS, orphanSweep),
  ];
}
