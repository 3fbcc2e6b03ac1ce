import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/component.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import { DirectoryRoots } from '../ingest/directory-roots.ts';
import type { LastSeen } from '../ingest/frames/last-seen.ts';
import { FilePlaylists } from '../ingest/push/file-playlists.ts';
import { createPushIngest } from '../ingest/push/push-ingest.ts';
import { PushIntake } from '../ingest/push/push-intake.ts';
import type { PushMetrics } from '../ingest/push/push-metrics.ts';
import type { StreamSettings } from '../timeline/stream.ts';
import type { Stores } from './stores.ts';

/** The parts of a process that have to do with pushed streams. */
export interface PushParts {
  /** The door, where the API is. */
  readonly intake: PushIntake;
  /** What a process with the role ingest starts. */
  readonly ingest: Component;
}

/** What pushed streams are built with. */
export interface PushDeps {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly defaults: StreamSettings;
  readonly lastSeen: LastSeen;
  readonly metrics: PushMetrics;
}

/** Opens the directories from which playlists may have segments read. @throws invalid_configuration */
export async function openFilePlaylists(config: Config, intake: PushIntake): Promise<FilePlaylists> {
  const { roots, maxSegmentBytes } = config.push;
  const purpose = { name: 'push root', setting: 'ZOETROPE_PUSH_ROOTS' };
  return new FilePlaylists({ intake, roots: await DirectoryRoots.open(roots, purpose), maxSegmentBytes });
}

/** Builds the door for what encoders push, and what writes it to timelines. */
export function composePush(config: Config, deps: PushDeps): PushParts {
  const { stores, clock, ids, logger, defaults, lastSeen, metrics } = deps;
  const { catalog, objects, events } = stores;
  return {
    intake: new PushIntake({ objects, events, clock, ids, lastSeen, maxSegmentBytes: config.push.maxSegmentBytes }),
    ingest: createPushIngest({
      catalog,
      objects,
      events,
      clock,
      ids,
      defaults,
      lastSeen,
      metrics,
      logger: logger.child({ component: 'push ingest' }),
    }),
  };
}
