import type { Clock } from '../base/clock.ts';
import { isZoetropeError } from '../base/errors.ts';
import { wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { segmentEndMs } from '../timeline/segment.ts';
import { effectiveSettings, type Stream, type StreamSettings } from '../timeline/stream.ts';

/** The shortest window that a stream can have: the configuration takes whole seconds from one on. */
const SHORTEST_WINDOW_MS = 1000;

/** What ending silent streams works with. */
export interface SilentStreamsDeps {
  readonly catalog: Pick<Catalog, 'silentEncoderStreams' | 'liveWindow' | 'endStream'>;
  readonly clock: Clock;
  readonly defaults: StreamSettings;
}

/** A pushed stream whose encoder stayed away longer than its reconnect window. */
export interface SilentStream {
  readonly streamId: string;
  readonly streamName: string;
  readonly endedAtMs: WallMs;
}

/**
 * Ends pushed streams whose encoder stayed away longer than their reconnect window, so that their playlists end. They end where their last segment
 * ends, not now: what a viewer sees as the end. One whose encoder comes back meanwhile goes on.
 */
export async function endSilentStreams(
  deps: SilentStreamsDeps,
  options: { readonly signal: AbortSignal; readonly dryRun: boolean },
): Promise<readonly SilentStream[]> {
  const { catalog, clock, defaults } = deps;
  const nowMs = clock.nowMs();
  const ended: SilentStream[] = [];
  for (const stream of await catalog.silentEncoderStreams(wallMs(nowMs - SHORTEST_WINDOW_MS))) {
    options.signal.throwIfAborted();
    const sinceMs = wallMs(nowMs - effectiveSettings(stream, defaults).reconnectWindowMs);
    if (stream.lastReceivedAtMs === null || stream.lastReceivedAtMs >= sinceMs) continue;
    const endedAtMs = await endStream(deps, stream, sinceMs, options.dryRun);
    if (endedAtMs !== null) ended.push({ streamId: stream.id, streamName: stream.name, endedAtMs });
  }
  return ended;
}

/** Null: it goes on, or is gone. */
async function endStream(
  { catalog }: SilentStreamsDeps,
  stream: Stream,
  sinceMs: WallMs,
  dryRun: boolean,
): Promise<WallMs | null> {
  try {
    const last = (await catalog.liveWindow(stream.id, 1)).segments.at(-1);
    const atMs = last === undefined ? stream.lastReceivedAtMs : segmentEndMs(last);
    if (dryRun) return atMs;
    return (await catalog.endStream(stream.id, atMs, { unlessReceivedSinceMs: sinceMs })).endedAtMs;
  } catch (error) {
    if (isZoetropeError(error, 'not_found')) return null;
    throw error;
  }
}
