import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import { formatRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Hold } from '../timeline/hold.ts';
import { effectiveSettings, isOnline, type Stream, type StreamSettings } from '../timeline/stream.ts';

/** What recordings work with. */
export interface RecordingsDeps {
  readonly catalog: Pick<Catalog, 'startRecording' | 'stopRecording'>;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly defaults: StreamSettings;
}

/** What somebody wants recorded. */
export interface RecordingRequest {
  /** Default: the stream's name and the start. */
  readonly title?: string;
  /** Default: now. */
  readonly fromMs?: WallMs;
  /** When it is to stop by itself. Default: it is stopped by {@link Recordings.stop}. */
  readonly untilMs?: WallMs;
  readonly metadata?: Hold['metadata'];
}

/** Starts and stops recordings: holds over what a stream's timeline has and gets. */
export class Recordings {
  readonly #deps: RecordingsDeps;

  constructor(deps: RecordingsDeps) {
    this.#deps = deps;
  }

  /** @throws out_of_range for a start that lies ahead, or before the timeline begins; invalid_argument for an end that is not behind it or not ahead. */
  async start(stream: Stream, request: RecordingRequest): Promise<Hold> {
    const { catalog, clock, ids } = this.#deps;
    if (stream.kind === 'asset') {
      throw new ZoetropeError(
        'conflict',
        `${stream.id} is an asset: it is kept as a whole, and there is nothing to record.`,
      );
    }
    const nowMs = clock.nowMs();
    const { fromMs = this.#nowOf(stream, nowMs), untilMs, metadata = {} } = request;
    if (fromMs > nowMs) {
      throw new ZoetropeError(
        'out_of_range',
        `A recording starts now or in the past. Got from ${formatRfc3339(fromMs)}, and it is ${formatRfc3339(nowMs)}. Leave out from to start now.`,
      );
    }
    if (untilMs !== undefined && (untilMs <= fromMs || untilMs <= nowMs)) {
      throw new ZoetropeError(
        'invalid_argument',
        `until must lie ahead, and behind from. Got until ${formatRfc3339(untilMs)}, and it is ${formatRfc3339(nowMs)}. Leave it out to stop by call.`,
      );
    }
    return catalog.startRecording({
      id: ids.next('recording'),
      streamId: stream.id,
      name: request.title ?? `${stream.name} ${formatRfc3339(fromMs)}`,
      metadata,
      fromMs,
      toMs: untilMs ?? null,
      isPast: request.fromMs !== undefined,
    });
  }

  /** Ends a recording now, or at `atMs`, which may lie ahead. One that was stopped stays as it is. @throws invalid_argument for an end before its start */
  async stop(recording: Hold, stream: Stream, atMs?: WallMs): Promise<Hold> {
    if (recording.stoppedAtMs !== null) return recording;
    // A source whose clock is behind may not have reached the start yet: the shortest recording is a millisecond.
    const toMs = atMs ?? wallMs(Math.max(this.#nowOf(stream, this.#deps.clock.nowMs()), recording.fromMs + 1));
    if (toMs <= recording.fromMs) {
      throw new ZoetropeError(
        'invalid_argument',
        `A recording ends after it starts. Got at ${formatRfc3339(toMs)}, and it starts at ${formatRfc3339(recording.fromMs)}.`,
      );
    }
    return this.#deps.catalog.stopRecording(recording.id, toMs);
  }

  /** Now, as the stream's pictures are labelled: one whose source's clock is behind is recorded from what is seen, not from what comes when that clock gets here. */
  #nowOf(stream: Stream, nowMs: WallMs): WallMs {
    const { offlineAfterMs } = effectiveSettings(stream, this.#deps.defaults);
    const { lastCapturedAtMs, lastReceivedAtMs } = stream;
    if (lastCapturedAtMs === null || lastReceivedAtMs === null || !isOnline(stream, offlineAfterMs, nowMs))
      return nowMs;
    return wallMs(nowMs - Math.max(0, lastReceivedAtMs - lastCapturedAtMs));
  }
}

/** Whether a recording still takes in what comes. */
export function isRecording(hold: Pick<Hold, 'toMs'>, nowMs: WallMs): boolean {
  return hold.toMs === null || hold.toMs > nowMs;
}
