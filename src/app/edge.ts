import { hostname } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';
import type { AgentMetrics } from '../edge/agent/agent-metrics.ts';
import { EdgeAgent } from '../edge/agent/edge-agent.ts';
import type { Stores } from './stores.ts';
import { VERSION } from './version.ts';

const BYTES_PER_S_OF_MBIT = 1_000_000 / 8;

/** What an edge's agent is built with. */
export interface EdgeAgentParts {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly metrics: AgentMetrics;
}

/** Builds what makes a server an edge. @throws invalid_configuration without a control */
export function composeEdgeAgent({ edge }: Config, { stores, clock, ids, logger, metrics }: EdgeAgentParts): EdgeAgent {
  const { control, key, name, fillMbitPerS, stallSeconds } = edge;
  if (control === undefined) {
    throw new ZoetropeError('invalid_configuration', 'An edge must know its control: set ZOETROPE_EDGE_CONTROL.');
  }
  return new EdgeAgent({
    catalog: stores.catalog,
    objects: stores.objects,
    clock,
    ids,
    logger: logger.child({ component: 'edge' }),
    metrics,
    control,
    key: key ?? null,
    name: name ?? hostname(),
    version: VERSION,
    fillBytesPerS: fillMbitPerS * BYTES_PER_S_OF_MBIT,
    stallMs: stallSeconds * 1000,
  });
}
