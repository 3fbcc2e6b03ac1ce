import type { Config } from '../config/schema.ts';
import type { StreamSettings } from '../timeline/stream.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The server's defaults for every stream: what {@link StreamSettings} a stream has when nothing is set for it. */
export function streamDefaults(config: Config): StreamSettings {
  const { frames, push, upkeep } = config;
  const { enabled, position, sizePx, timeZone } = frames.overlay;
  return Object.freeze({
    framesPerSegment: frames.framesPerSegment,
    maxSegmentWaitMs: frames.maxSegmentWaitSeconds * SECOND_MS,
    retentionMs: upkeep.retentionHours * HOUR_MS,
    offlineAfterMs: upkeep.offlineAfterSeconds * SECOND_MS,
    minArchiveDurationMs: upkeep.minArchiveDurationSeconds * SECOND_MS,
    maxSessionMs: upkeep.maxSessionHours * HOUR_MS,
    archiveRetentionMs: upkeep.archiveRetentionDays * DAY_MS,
    gapToleranceMs: frames.gapToleranceSeconds === undefined ? null : frames.gapToleranceSeconds * SECOND_MS,
    futureToleranceMs: frames.futureToleranceSeconds * SECOND_MS,
    reconnectWindowMs: push.reconnectWindowSeconds * SECOND_MS,
    clockToleranceMs: push.clockToleranceSeconds * SECOND_MS,
    frameIntervalMs: frames.frameIntervalSeconds * SECOND_MS,
    crf: frames.crf,
    displaySpeed: frames.displaySpeed,
    overlay: enabled ? { position, sizePx, timeZone } : null,
    ladder: null,
  });
}
