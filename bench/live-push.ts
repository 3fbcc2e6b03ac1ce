import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeHls, makePushStream, push, untilSegment } from '../test/fixtures/pushed-hls.ts';
import { TestServer } from '../test/fixtures/server.ts';

const SEGMENT_SECONDS = 2;
/** A stream's very first segment waits to learn whether there are other renditions; the second may share that. */
const WARM_SEGMENTS = 2;
/** How exactly it is known when a segment is listed. */
const LOOK_EVERY_MS = 5;

/** How the figure is to be taken. */
export interface PushOptions {
  /** A directory of its own. */
  readonly directory: string;
  /** Encoders at once. */
  readonly streams: number;
  /** How long they push. */
  readonly seconds: number;
}

/**
 * So many encoders at once, each pushing 640×360 with sound in MPEG-TS, a segment every two seconds with its playlist behind it: the time from the answer to a
 * segment's PUT until `live.m3u8` lists it and its bytes were fetched, over the segment's duration.
 */
export async function measurePush(options: PushOptions): Promise<Readonly<Record<string, number>>> {
  const { directory, streams, seconds } = options;
  const [dataDir, mediaDir] = [join(directory, 'data'), join(directory, 'media')];
  for (const one of [dataDir, mediaDir]) mkdirSync(one);
  const segments = Math.max(WARM_SEGMENTS + 1, Math.floor(seconds / SEGMENT_SECONDS));
  const media = await makeHls(
    { container: 'ts', seconds: segments * SEGMENT_SECONDS, size: '640x360', withTime: false },
    mediaDir,
  );
  await using server = await TestServer.start({ dataDir, env: { ZOETROPE_WORKERS: '1' } });
  const ids = await Promise.all(Array.from({ length: streams }, (_, index) => makePushStream(server.api, `${index}`)));
  const beganMs = performance.now();
  const measured = await Promise.all(
    ids.map(async (id, index) => {
      const times: number[] = [];
      for (const [segment, [name, bytes]] of [...media.files].entries()) {
        const dueMs = beganMs + (segment + index / streams) * SEGMENT_SECONDS * 1000;
        await sleep(Math.max(0, dueMs - performance.now()));
        await accepted(push(server.api, id, name, bytes));
        const acknowledgedMs = performance.now();
        await accepted(push(server.api, id, 'live.m3u8', untilSegment(media.playlist, segment + 1)));
        await untilFetched(server, id, segment);
        times.push(performance.now() - acknowledgedMs);
      }
      return times.slice(WARM_SEGMENTS);
    }),
  );
  const times = measured.flat().toSorted((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((share) => times[Math.floor(share * (times.length - 1))] ?? 0) as [number, number];
  return {
    pushStreams: streams,
    pushSegments: times.length,
    pushSegmentMs: SEGMENT_SECONDS * 1000,
    pushSegmentBytes: [...media.files.values()][0]?.length ?? 0,
    pushP50Ratio: ratioOf(p50),
    pushP99Ratio: ratioOf(p99),
  };
}

function ratioOf(ms: number): number {
  return Math.round((ms / (SEGMENT_SECONDS * 1000)) * 10_000) / 10_000;
}

async function accepted(answer: ReturnType<typeof push>): Promise<void> {
  const { status, bytes } = await answer;
  if (status !== 201) throw new Error(`A push was answered with ${status}: ${bytes.toString()}`);
}

/** Looks until the segment of this number is listed, and fetches it. */
async function untilFetched({ api }: TestServer, id: string, sequence: number): Promise<void> {
  for (;;) {
    const { status, bytes } = await api.request(`/play/streams/${id}/live.m3u8`);
    const text = status === 200 ? bytes.toString() : '';
    const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? Number.NaN);
    const uri = uris[sequence - first];
    if (uri !== undefined) {
      const segment = await api.request(`/play/streams/${id}/${uri}`);
      if (segment.status !== 200) throw new Error(`${uri} was answered with ${segment.status}`);
      return;
    }
    await sleep(LOOK_EVERY_MS);
  }
}
