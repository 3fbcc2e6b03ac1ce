import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import { isIngestDrained } from '../ingest/topics.ts';
import type { StreamSettings } from '../timeline/stream.ts';
import { ArchiveExpiry } from '../upkeep/archive-expiry.ts';
import { ClipExpiry } from '../upkeep/clip-expiry.ts';
import { Doctor } from '../upkeep/doctor/doctor.ts';
import { OfflineChecker, type OfflineCheckerDeps } from '../upkeep/offline-checker.ts';
import { RecordingEnds } from '../upkeep/recording-ends.ts';
import { OrphanSweep } from '../upkeep/orphans.ts';
import { Retention, type RetentionDeps } from '../upkeep/retention.ts';
import { frameCatchUp } from '../upkeep/waiting-frames.ts';
import type { Stores } from './stores.ts';
import { streamDefaults } from './stream-defaults.ts';

const HOUR_MS = 3_600_000;

/** Everything that keeps the stores in order, for the upkeep role and for one-shot commands alike. */
export interface UpkeepServices {
  readonly retention: Retention;
  readonly offlineChecker: OfflineChecker;
  readonly archiveExpiry: ArchiveExpiry;
  readonly clipExpiry: ClipExpiry;
  readonly recordingEnds: RecordingEnds;
  readonly orphanSweep: OrphanSweep;
  readonly doctor: Doctor;
}

/** What the services stand on, and who is told of what they do. */
export interface UpkeepDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Default: what the configuration says. */
  readonly defaults?: StreamSettings;
  readonly onRetention?: RetentionDeps['onReport'];
  readonly onOffline?: OfflineCheckerDeps['onReport'];
}

/** Builds the upkeep services that the configuration describes. */
export function createUpkeep(config: Config, deps: UpkeepDeps): UpkeepServices {
  const { clock, ids, stores } = deps;
  const { catalog, events, objects } = stores;
  const logger = deps.logger.child({ component: 'upkeep' });
  const defaults = deps.defaults ?? streamDefaults(config);
  const eventRetentionMs = config.stores.eventRetentionHours * HOUR_MS;
  const isLogDrained = (): Promise<boolean> => isIngestDrained(events);
  return {
    retention: new Retention({
      catalog,
      objects,
      clock,
      logger,
      defaults,
      maxBytes: config.upkeep.maxBytes ?? null,
      minFreeBytes: config.upkeep.minFreeBytes,
      ...(deps.onRetention === undefined ? {} : { onReport: deps.onRetention }),
    }),
    offlineChecker: new OfflineChecker({
      catalog,
      clock,
      ids,
      logger,
      defaults,
      catchUp: frameCatchUp(events, catalog),
      ...(deps.onOffline === undefined ? {} : { onReport: deps.onOffline }),
    }),
    archiveExpiry: new ArchiveExpiry({ catalog, clock, logger }),
    clipExpiry: new ClipExpiry({ catalog, objects, clock, logger }),
    recordingEnds: new RecordingEnds({ catalog, logger }),
    orphanSweep: new OrphanSweep({ catalog, objects, clock, logger, eventRetentionMs, isLogDrained }),
    doctor: new Doctor({ catalog, objects, events, clock, defaults, eventRetentionMs }),
  };
}
