import type { Clock } from '../../base/clock.ts';
import { ZoetropeError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { wallMs } from '../../base/time.ts';
import { sendRequest, waitUntilUp } from '../send-request.ts';
import type { PictureSize } from '../simulated-camera.ts';
import type { EncodedSegment } from './encoder-run.ts';
import { LiveEncoder, type EncoderFaults, type RunCause } from './live-encoder.ts';
import { LiveTally, type LiveSummary } from './live-tally.ts';
import type { SegmentContainer } from './segment-muxer.ts';

/** Live sources to simulate, against which server. */
export interface LiveSimulationOptions {
  readonly url: string;
  /** An API key, where the server wants one. */
  readonly key: string | null;
  /** Of the streams that are made; with a number behind it where there are several. */
  readonly name: string;
  readonly streams: number;
  /** A stream that is there already; null: they are made. */
  readonly stream: string | null;
  readonly container: SegmentContainer;
  readonly size: PictureSize;
  readonly framesPerS: number;
  /** Rounded to whole frames. */
  readonly segmentMs: number;
  readonly faults: EncoderFaults;
  /** Null: until the signal aborts. */
  readonly durationMs: number | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a sink needs of the simulation that opens it. */
export interface SinkContext {
  readonly streamId: string;
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a whole segment. */
  readonly segmentMs: number;
  /** Differs from stream to stream. */
  readonly index: number;
  readonly clock: Clock;
  readonly tally: LiveTally;
  readonly onComplaint: (reason: string) => void;
}

/** Where an encoder's segments go. */
export interface SegmentSink {
  /** @param begins why it is the first of an encoder's run; null: it is not */
  add(segment: EncodedSegment, begins: RunCause | null): void;
  /** Goes on sending for at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

const END_GRACE_MS = 10_000;
const CREATE_RETRY_MS = 500;

/** Runs encoders in real time, a sink for each, until the signal aborts or the time is over. @throws unavailable when the server makes no stream */
export async function simulateLive(
  options: LiveSimulationOptions,
  kind: 'push' | 'chunks',
  openSink: (context: SinkContext) => SegmentSink,
  signal: AbortSignal,
): Promise<LiveSummary> {
  const { clock, logger, framesPerS, faults, durationMs } = options;
  const baseUrl = options.url.replace(/\/+$/, '');
  const headers = options.key === null ? {} : { authorization: `Bearer ${options.key}` };
  const framesPerSegment = Math.max(1, Math.round((options.segmentMs * framesPerS) / 1000));
  const segmentMs = (framesPerSegment * 1000) / framesPerS;
  const tally = new LiveTally();
  const onComplaint = (reason: string): void => {
    if (tally.note(reason)) logger.warn({ reason }, 'simulated encoders');
  };
  const streamIds: string[] = [];
  try {
    await waitUntilUp(baseUrl, clock, signal);
    for (const name of namesOf(options)) {
      streamIds.push(options.stream ?? (await createStream({ baseUrl, headers, kind, name, clock, signal })));
    }
  } catch (error) {
    if (signal.aborted) return tally.summary(streamIds);
    throw error;
  }
  logger.info({ url: baseUrl, streams: streamIds.slice(0, 8) }, 'the encoders are running');
  const startMs = Math.ceil(clock.nowMs());
  await Promise.all(
    streamIds.map(async (streamId, index) => {
      const sink = openSink({ streamId, baseUrl, headers, segmentMs, index, clock, tally, onComplaint });
      const encoder = new LiveEncoder({
        setup: { ...options, name: `${options.name}-${index + 1}`, index, framesPerSegment },
        faults,
        // They begin one after the other, so that segments do not all end at once.
        startMs: wallMs(startMs + Math.round((index * segmentMs) / streamIds.length)),
        untilMs: durationMs === null ? null : wallMs(startMs + durationMs),
        clock,
        onSegment: (segment, begins) => {
          tally.segments += 1;
          if (begins === 'restart') tally.restarts += 1;
          if (begins === 'resize') tally.resizes += 1;
          sink.add(segment, begins);
        },
      });
      await encoder.run(signal);
      await sink.close(END_GRACE_MS);
      tally.behindMs = Math.max(tally.behindMs, encoder.behindMs);
    }),
  );
  return tally.summary(streamIds);
}

function namesOf({ name, streams, stream }: LiveSimulationOptions): readonly string[] {
  const count = stream === null ? streams : 1;
  return Array.from({ length: count }, (_, index) => (count === 1 ? name : `${name}-${index + 1}`));
}

async function createStream(options: {
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly kind: 'push' | 'chunks';
  readonly name: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { baseUrl, headers, kind, name, clock, signal } = options;
  const body = JSON.stringify({ kind, name });
  for (;;) {
    const all = { ...headers, 'content-type': 'application/json' };
    const sent = await sendRequest(`${baseUrl}/v1/streams`, { method: 'POST', headers: all, body });
    if (sent.outcome === 'accepted') {
      const { id } = JSON.parse(sent.text) as { readonly id?: unknown };
      if (typeof id === 'string') return id;
    }
    if (sent.outcome !== 'unavailable') {
      const reason = sent.outcome === 'refused' ? sent.reason : 'the answer names no stream';
      throw new ZoetropeError('unavailable', `The server made no stream ${JSON.stringify(name)}: ${reason}.`);
    }
    await clock.wait(sent.waitMs ?? CREATE_RETRY_MS, signal);
  }
}
