import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import { EdgeControl } from '../edge/control/edge-control.ts';
import type { EdgeMetrics } from '../edge/control/edge-metrics.ts';
import { RemoteMedia } from '../edge/control/remote-media.ts';
import { SegmentIntake } from '../edge/control/segment-intake.ts';
import type { StreamSettings } from '../timeline/stream.ts';
import type { Stores } from './stores.ts';

const SECOND_MS = 1000;

/** The parts of a process that have to do with edges. */
export interface EdgeParts {
  readonly control: EdgeControl;
  readonly intake: SegmentIntake;
  /** Where bytes of edges are asked for. */
  readonly remote: RemoteMedia;
  readonly idleAfterMs: number;
}

/** Builds what edges talk to, and what asks them for bytes. */
export function composeEdges(
  config: Config,
  deps: {
    readonly stores: Stores;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly defaults: StreamSettings;
    readonly metrics: EdgeMetrics;
  },
): EdgeParts {
  const { stores, clock, defaults, metrics } = deps;
  const { catalog, objects } = stores;
  const logger = deps.logger.child({ component: 'edges' });
  const idleAfterMs = config.edge.idleAfterSeconds * SECOND_MS;
  const waitMs = config.edge.segmentWaitSeconds * SECOND_MS;
  return {
    control: new EdgeControl({ catalog, clock, logger, defaults, idleAfterMs, askedForMs: waitMs + 5 * SECOND_MS }),
    intake: new SegmentIntake({ catalog, objects, metrics }),
    remote: new RemoteMedia({ catalog, clock, logger, metrics, idleAfterMs, waitMs }),
    idleAfterMs,
  };
}
