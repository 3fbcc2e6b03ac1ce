import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ZoetropeError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { randomIds } from '../base/ids.ts';
import { silentLogger } from '../base/logger.ts';
import { formatRfc3339, pts90k, wallMs } from '../base/time.ts';
import type { AppendedSegment, NewSegment } from '../catalog/catalog.ts';
import type { EncodeFramesRequest, EncodeFramesResult } from '../engine/engine.ts';
import type { DeadLetter, LoggedEvent, NewEvent, OwnedPartition } from '../events/event-log.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Rendition } from '../timeline/rendition.ts';
import type { Stream, StreamSettings } from '../timeline/stream.ts';
import { FrameRoots } from './frames/frame-roots.ts';
import { noFramesMetrics } from './frames/metrics.ts';
import { NewestFrames } from './frames/newest-frames.ts';
import { PartitionWorker } from './partition-worker.ts';
import type { IncomingFrame } from './frames/frame-event.ts';
import { framePlan } from './frames/frame-lane.ts';

const DEFAULTS: StreamSettings = {
  framesPerSegment: 2,
  maxSegmentWaitMs: 60_000,
  retentionMs: 86_400_000,
  offlineAfterMs: 60_000,
  minArchiveDurationMs: 0,
  maxSessionMs: 7_200_000,
  archiveRetentionMs: 86_400_000,
  gapToleranceMs: null,
  futureToleranceMs: 60_000,
  reconnectWindowMs: 300_000,
  clockToleranceMs: 500,
  frameIntervalMs: 5000,
  crf: 26,
  displaySpeed: 1,
  overlay: null,
  ladder: null,
};
const STREAM: Stream = {
  id: randomIds.next('stream'),
  tenant: 'test',
  kind: 'frames',
  name: 'cam',
  deviceId: 'cam',
  settings: {},
  createdAtMs: wallMs(0),
  lastCapturedAtMs: null,
  lastReceivedAtMs: null,
  endedAtMs: null,
  source: null,
};
const RENDITION = { id: 'rnd_1', streamId: STREAM.id, name: 'main' } as Rendition;

/** A partition that a test fills. */
class FilledPartition implements OwnedPartition {
  readonly topic = 'zoetrope.frames';
  readonly partition = 0;
  readonly fence = 1;
  readonly #revocation = new AbortController();
  readonly revoked = this.#revocation.signal;
  committed: number | null = null;
  #events: LoggedEvent[] = [];
  #offset = 0;
  #wake: () => void = () => undefined;

  add(value: unknown): void {
    this.#events.push({ partition: 0, offset: this.#offset++, key: 'test/cam', value, publishedAtMs: 0 });
    this.#wake();
  }

  async *read(): AsyncIterable<readonly LoggedEvent[]> {
    while (!this.revoked.aborted) {
      if (this.#events.length > 0) yield this.#events.splice(0);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async commit(offset: number): Promise<void> {
    this.committed = offset;
  }

  revoke(): void {
    this.#revocation.abort();
    this.#wake();
  }
}

/** A worker over fakes: every frame is encoded at once unless a test says otherwise. */
class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly partition = new FilledPartition();
  readonly appended: NewSegment[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** What the next tries throw. */
  readonly faults: { encode: Error[]; busy: Error | null; publish: Error[] } = {
    encode: [],
    busy: null,
    publish: [],
  };
  readonly worker: PartitionWorker<IncomingFrame>;
  readonly #run: Promise<void>;

  private constructor(roots: FrameRoots) {
    const events = { publish: async (_topic: string, written: readonly NewEvent[]) => this.#publish(written) };
    const plan = framePlan({
      catalog: {
        ensureDeviceStream: async () => STREAM,
        getStream: async () => STREAM,
        claimRendition: async () => ({ stream: STREAM, rendition: RENDITION, last: null, openSession: null }),
        appendSegment: async (segment) => this.#append(segment),
        knownFrameTimes: async () => new Set(),
        listHolds: async () => ({ items: [], nextCursor: null }),
      },
      engine: { encodeFrames: async (request) => this.#encode(request) },
      objects: { delete: async () => undefined },
      clock: this.clock,
      ids: randomIds,
      logger: silentLogger,
      metrics: noFramesMetrics,
      newest: new NewestFrames(),
      roots,
      defaults: DEFAULTS,
      limits: { maxBytes: 1, maxPixels: 1 },
      maxTries: 3,
      maxPending: 1000,
      maxPendingPerStream: 4,
      seen: () => undefined,
    });
    this.worker = new PartitionWorker(this.partition, plan, { events, clock: this.clock, logger: silentLogger });
    this.#run = this.worker.run();
  }

  static async start(): Promise<World> {
    return new World(await FrameRoots.open([]));
  }

  /** A frame of the one camera, so many seconds after the clock's start. */
  frame(seconds: number): void {
    const timestamp = formatRfc3339(wallMs(Date.UTC(2026, 0, 1) + seconds * 1000));
    const framePath = `frames/${STREAM.id}/frm_${seconds}.jpg`;
    this.partition.add({ eventId: `e-${seconds}`, clientId: 'test', deviceId: 'cam', timestamp, framePath });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.partition.revoke();
    await this.#run;
  }

  async #append(segment: NewSegment): Promise<AppendedSegment> {
    this.appended.push(segment);
    const begun = 'begin' in segment.epoch ? segment.epoch.begin : { id: segment.epoch.existingId };
    const epoch = { anchorMs: segment.startMs, initSha256: '', ...begun } as Epoch;
    return {
      segment: { ...segment, epochId: epoch.id },
      epoch,
      rendition: RENDITION,
      session: null,
    } as unknown as AppendedSegment;
  }

  async #encode({ frames, lastFrameDurationMs }: EncodeFramesRequest): Promise<EncodeFramesResult> {
    const fault = this.faults.encode.shift() ?? this.faults.busy ?? undefined;
    if (fault !== undefined) throw fault;
    const times = frames.map((frame) => frame.capturedAtMs);
    const [startMs = wallMs(0)] = times;
    const epoch = { anchorMs: startMs, init: new Uint8Array(), initSha256: '', codecs: '', width: 2, height: 2 };
    const encoded = {
      newEpoch: epoch,
      startMs,
      mediaStart90k: pts90k(0),
      duration90k: pts90k(times.length * lastFrameDurationMs * 90),
      frameTimesMs: times,
      objectKey: 'media/a',
      sizeBytes: 1,
      sha256: '',
      keyframeBytes: null,
    };
    return { segments: [encoded], rejected: [], cpuMs: 0 };
  }

  async #publish(events: readonly NewEvent[]): Promise<[]> {
    const fault = this.faults.publish.shift();
    if (fault !== undefined) throw fault;
    this.deadLetters.push(...events.map((event) => event.value as DeadLetter));
    return [];
  }
}

describe('a partition’s worker', () => {
  test('lets frames wait, however many, while the engine is busy; none is given up', async () => {
    await using world = await World.start();
    world.faults.busy = new ZoetropeError('too_many', 'Its queue is full.');
    for (let seconds = 0; seconds < 20; seconds++) {
      world.frame(seconds);
      await world.clock.advance(1000);
    }
    world.faults.busy = null;
    await world.clock.advance(20_000);
    assert.deepEqual(world.deadLetters, []);
    assert.equal(world.appended.flatMap((segment) => segment.frameTimesMs).length, 20);
    assert.equal(world.partition.committed, 19);
  });

  test('tries again to bury an event when the log cannot take it yet', async () => {
    await using world = await World.start();
    world.faults.publish.push(new ZoetropeError('storage_full', 'The disk is full.'));
    world.partition.add({ nonsense: true });
    world.frame(1);
    world.frame(2);
    await world.clock.advance(5000);
    assert.deepEqual(
      world.deadLetters.map((letter) => letter.code),
      ['invalid_argument'],
    );
    assert.equal(world.appended.length, 1);
    assert.equal(world.partition.committed, 2);
  });

  test('gives a lone frame the stated tries before it counts as what the engine cannot survive', async () => {
    await using world = await World.start();
    world.faults.encode.push(new ZoetropeError('deadline_exceeded', 'It took too long.'));
    world.frame(1);
    await world.clock.advance(120_000);
    assert.equal(world.appended.length, 1);
    world.faults.encode.push(...Array.from({ length: 3 }, () => new ZoetropeError('deadline_exceeded', 'Too long.')));
    world.frame(2);
    await world.clock.advance(120_000);
    assert.deepEqual(
      world.deadLetters.map(({ code, tries }) => ({ code, tries })),
      [{ code: 'deadline_exceeded', tries: 3 }],
    );
  });

  test('closes an open segment in its time when the wall clock is set back meanwhile', async () => {
    await using world = await World.start();
    world.frame(1);
    await world.clock.advance(1000);
    world.clock.jump(-3_600_000);
    await world.clock.advance(DEFAULTS.maxSegmentWaitMs);
    assert.equal(world.appended.length, 1);
  });

  test('keeps nothing of what it has read and finished', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await using world = await World.start();
    const read = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        world.partition.add({ nonsense: true });
        await new Promise((resolve) => setImmediate(resolve));
        world.deadLetters.length = 0;
      }
      collect();
    };
    await read(1000);
    const before = process.memoryUsage().heapUsed;
    await read(15_000);
    const grownBytes = process.memoryUsage().heapUsed - before;
    assert.ok(grownBytes < 1_000_000, `15,000 batches left ${grownBytes} bytes behind`);
  });
});
