import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Clock } from '../../src/base/clock.ts';
import { type ErrorCode, isZoetropeError } from '../../src/base/errors.ts';
import { randomIds } from '../../src/base/ids.ts';
import { pts90k, wallMs, type WallMs } from '../../src/base/time.ts';
import type {
  AppendedSegment,
  Catalog,
  CatalogChange,
  NewSegment,
  NewStream,
  Page,
} from '../../src/catalog/catalog.ts';
import type { NewHold } from '../../src/timeline/hold.ts';
import type { Segment } from '../../src/timeline/segment.ts';
import type { Stream } from '../../src/timeline/stream.ts';

/** A catalog under test. */
export interface CatalogUnderTest {
  /** A catalog over the same database each time: what a second process would be. Not started. */
  open(): Catalog;
  readonly clock: Clock;
  /** Lets time pass for all of them. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes an empty database. */
export type MakeCatalog = () => Promise<CatalogUnderTest>;

/** A started catalog with what tests need around it. */
export interface World {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Another process's catalog on the same database, started. */
  another(): Promise<Catalog>;
  unstarted(): Catalog;
  pass(ms: number): Promise<void>;
  stream(fields?: Partial<NewStream>): Promise<Stream>;
  until(condition: () => boolean, what: string): Promise<void>;
}

/** 2026-03-01T12:00:00Z: where test timelines begin. */
export const T0 = Date.UTC(2026, 2, 1, 12);

/** Makes a world that is taken down after the test. */
export async function makeWorld(t: TestContext, make: MakeCatalog): Promise<World> {
  const made = await make();
  const opened: Catalog[] = [];
  t.after(async () => {
    for (const catalog of opened) await catalog.close();
    await made.dispose();
  });
  const start = async (): Promise<Catalog> => {
    const catalog = made.open();
    opened.push(catalog);
    await catalog.start(AbortSignal.timeout(30_000));
    return catalog;
  };
  const catalog = await start();
  return {
    catalog,
    clock: made.clock,
    another: start,
    unstarted: () => made.open(),
    pass: (ms) => made.pass(ms),
    stream: (fields = {}) => catalog.createStream(newStream(fields)),
    async until(condition, what) {
      for (let round = 0; round < 100; round++) {
        if (condition()) return;
        await made.pass(100);
      }
      assert.fail(`never happened: ${what}`);
    },
  };
}

/** A stream to be made. */
export function newStream(fields: Partial<NewStream> = {}): NewStream {
  const id = randomIds.next('stream');
  return { id, tenant: 'tenant', kind: 'frames', name: `name of ${id}`, deviceId: null, settings: {}, ...fields };
}

/** What a test says of a segment; times in seconds after {@link T0}. */
export interface SegmentPlan {
  readonly at: number;
  readonly lasts?: number;
  /** Default: one frame at the start and one in the middle. */
  readonly frames?: readonly number[];
  readonly late?: boolean;
  /** An epoch to go on with; else the segment begins one. */
  readonly epochId?: string | undefined;
  readonly fence?: number;
  readonly sizeBytes?: number;
  readonly offlineAfterMs?: number;
}

/** Seconds after {@link T0} as wall time. */
export function at(seconds: number): WallMs {
  return wallMs(T0 + seconds * 1000);
}

/** A segment as a writer would append it. */
export function newSegment(streamId: string, plan: SegmentPlan): NewSegment {
  const lasts = plan.lasts ?? 10;
  const id = randomIds.next('segment');
  return {
    id,
    streamId,
    placement: plan.late === true ? 'late' : 'onTime',
    startMs: at(plan.at),
    mediaStart90k: pts90k(0),
    duration90k: pts90k(Math.round(lasts * 90_000)),
    frameTimesMs: (plan.frames ?? [plan.at, plan.at + lasts / 2]).map(at),
    objectKey: `segments/${streamId}/${id}.m4s`,
    sizeBytes: plan.sizeBytes ?? 1_000,
    sha256: 'ab'.repeat(32),
    keyframeBytes: null,
    epoch:
      plan.epochId === undefined
        ? {
            begin: {
              id: randomIds.next('epoch'),
              anchorMs: at(plan.at),
              init: Uint8Array.of(0, 1, 2, 255),
              initSha256: 'cd'.repeat(32),
              codecs: 'avc1.42C01E',
              width: 640,
              height: 480,
            },
          }
        : { existingId: plan.epochId },
    fence: plan.fence ?? 0,
    offlineAfterMs: plan.offlineAfterMs ?? 60_000,
  };
}

/** Appends contiguous on-time segments of 10 s in one epoch, the first one at `from` seconds. */
export async function appendRun(
  catalog: Catalog,
  streamId: string,
  from: number,
  count: number,
): Promise<AppendedSegment[]> {
  const appended: AppendedSegment[] = [];
  for (let index = 0; index < count; index++) {
    const epochId = appended[0]?.epoch.id;
    appended.push(await catalog.appendSegment(newSegment(streamId, { at: from + index * 10, epochId })));
  }
  return appended;
}

/** A hold to be made; times in seconds after {@link T0}. */
export function newHold(streamId: string, from: number, to: number | null, fields: Partial<NewHold> = {}): NewHold {
  return {
    id: randomIds.next('hold'),
    streamId,
    kind: 'archive',
    name: 'kept',
    fromMs: at(from),
    toMs: to === null ? null : at(to),
    sessionId: null,
    expiresAtMs: null,
    ...fields,
  };
}

/** Starts of segments in seconds after {@link T0}. */
export function starts(segments: readonly Pick<Segment, 'startMs'>[]): number[] {
  return segments.map((segment) => (segment.startMs - T0) / 1000);
}

/** All items of a list, a page at a time. */
export async function allPages<T>(read: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    all.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return all;
}

/** Collects an async list. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Records what a catalog tells of changes. */
export function record(catalog: Catalog): CatalogChange[] {
  const changes: CatalogChange[] = [];
  catalog.onChange((change) => changes.push(change));
  return changes;
}

/** Asserts that a promise fails with a code of the catalogue. */
export async function throwsCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isZoetropeError(error, code), `expected ${code}, got ${String(error)}`);
    return true;
  });
}
