import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import { FRAMES_TOPIC, SEGMENTER_GROUP } from '../ingest/frames/frame-event.ts';
import type { StreamSettings } from '../timeline/stream.ts';
import { ArchiveExpiry } from '../upkeep/archive-expiry.ts';
import { OfflineChecker, type OfflineReport } from '../upkeep/offline-checker.ts';
import { OrphanSweep } from '../upkeep/orphans.ts';
import { Periodic } from '../upkeep/periodic.ts';
import { Retention, type RetentionReport } from '../upkeep/retention.ts';
import { frameCatchUp } from '../upkeep/waiting-frames.ts';
import type { Stores } from './stores.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ARCHIVE_EXPIRY_INTERVAL_MS = 60_000;
/** The first runs wait until what was left in the event log has had time to become segments. */
const FIRST_RUN_MS = 5_000;

/** What the upkeep counts. */
export interface UpkeepMetrics {
  retention(report: RetentionReport): void;
  offline(report: OfflineReport): void;
}

/** The upkeep role: retention, offline detection, archive expiry and the daily sweep, each at its interval. */
export function upkeepComponents(
  config: Config,
  stores: Stores,
  defaults: StreamSettings,
  deps: { readonly clock: Clock; readonly ids: IdSource; readonly logger: Logger; readonly metrics: UpkeepMetrics },
): readonly Component[] {
  const { catalog, objects, events } = stores;
  const { clock, logger, metrics } = deps;
  const { maxBytes, minFreeBytes, cleanupIntervalSeconds, offlineCheckIntervalSeconds } = config.upkeep;
  const retention = new Retention({
    ...deps,
    catalog,
    objects,
    defaults,
    maxBytes: maxBytes ?? null,
    minFreeBytes,
    onReport: (report) => metrics.retention(report),
  });
  const offline = new OfflineChecker({
    ...deps,
    catalog,
    defaults,
    isCaughtUp: frameCatchUp(events, catalog),
    onReport: (report) => metrics.offline(report),
  });
  const expiry = new ArchiveExpiry({ ...deps, catalog });
  const orphans = new OrphanSweep({
    ...deps,
    catalog,
    objects,
    eventRetentionMs: config.stores.eventRetentionHours * HOUR_MS,
    isLogDrained: async () => (await events.lag(FRAMES_TOPIC, SEGMENTER_GROUP)) === 0,
  });
  const every = (
    name: string,
    intervalMs: number,
    initialDelayMs: number,
    run: (signal: AbortSignal) => Promise<unknown>,
  ): Periodic => new Periodic({ name, intervalMs, initialDelayMs, run, clock, logger });
  return [
    every('retention', cleanupIntervalSeconds * 1000, FIRST_RUN_MS, (signal) => retention.runOnce({ signal })),
    every('offline checker', offlineCheckIntervalSeconds * 1000, FIRST_RUN_MS, (signal) => offline.runOnce({ signal })),
    every('archive expiry', ARCHIVE_EXPIRY_INTERVAL_MS, FIRST_RUN_MS, (signal) => expiry.runOnce({ signal })),
    every('orphan sweep', DAY_MS, HOUR_MS, (signal) => orphans.runOnce({ signal })),
  ];
}
