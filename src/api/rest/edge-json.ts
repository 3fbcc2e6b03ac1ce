import type { WallMs } from '../../base/time.ts';
import { awaySince, type Edge } from '../../timeline/edge.ts';
import type { EdgeJson } from './edge-shapes.ts';
import { timeJson } from './json.ts';

/** An edge as the API shows it. */
export function edgeJson(edge: Edge, nowMs: WallMs): EdgeJson {
  const awayMs = awaySince(edge, nowMs);
  const { report } = edge;
  return {
    id: edge.id,
    tenant: edge.tenant,
    name: edge.name,
    version: edge.version,
    connected: awayMs === null,
    connectedSince: awayMs === null ? timeJson(edge.registeredAtMs) : null,
    awaySince: timeJson(awayMs),
    lastSeenAt: timeJson(edge.seenAtMs),
    createdAt: timeJson(edge.createdAtMs),
    clockSkewMs: report?.clockOffsetMs == null ? null : toTenth(-report.clockOffsetMs),
    roundTripMs: report?.roundTripMs == null ? null : toTenth(report.roundTripMs * 2),
    uptimeSeconds: report?.uptimeS ?? null,
    freeBytes: report?.freeBytes ?? null,
    storedBytes: report?.storedBytes ?? null,
    sentBytes: report?.sentBytes ?? null,
    backlog:
      report === null
        ? null
        : { rows: report.backlogRows, segments: report.backlogSegments, bytes: report.backlogBytes },
  };
}

/** Finer is noise. */
function toTenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
