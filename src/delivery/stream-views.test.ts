import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { randomIds } from '../base/ids.ts';
import { ZoetropeError } from '../base/errors.ts';
import { pts90k, wallMs } from '../base/time.ts';
import type { AppendedSegment, CatalogChange, Window } from '../catalog/catalog.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { Rendition } from '../timeline/rendition.ts';
import type { Segment } from '../timeline/segment.ts';
import type { Stream, StreamSettings } from '../timeline/stream.ts';
import { StreamViews, type StreamViewsDeps } from './stream-views.ts';

/** Streams of one-second segments in memory: only what views read. */
class Timelines {
  readonly clock = new FakeClock();
  readonly calls: string[] = [];
  readonly #windows = new Map<string, { rendition: Rendition; segments: Segment[]; epochs: Epoch[] }>();
  readonly #listeners = new Set<(change: CatalogChange) => void>();

  add(count: number): string {
    const id = randomIds.next('stream');
    const rendition: Rendition = {
      id: randomIds.next('rendition'),
      streamId: id,
      name: 'main',
      nextSequence: 0,
      nextLateSequence: 0,
      nextEpochOrdinal: 1,
      dvrMediaSequence: 0,
      dvrDiscontinuitySequence: 0,
    };
    const epoch: Epoch = {
      id: randomIds.next('epoch'),
      renditionId: rendition.id,
      placement: 'onTime',
      ordinal: 0,
      anchorMs: wallMs(0),
      init: new Uint8Array(),
      initSha256: '',
      codecs: 'avc1.42C00A',
      width: 64,
      height: 48,
      createdAtMs: wallMs(0),
    };
    this.#windows.set(id, { rendition, segments: [], epochs: [epoch] });
    for (let index = 0; index < count; index++) this.append(id, 'silently');
    return id;
  }

  append(streamId: string, how: 'locally' | 'elsewhere' | 'silently'): AppendedSegment {
    const window = this.#window(streamId);
    const [epoch] = window.epochs;
    assert.ok(epoch);
    const sequence = window.rendition.nextSequence;
    const segment: Segment = {
      id: randomIds.next('segment'),
      streamId,
      renditionId: window.rendition.id,
      epochId: epoch.id,
      placement: 'onTime',
      sequence,
      startMs: wallMs(sequence * 1000),
      mediaStart90k: pts90k(sequence * 90_000),
      duration90k: pts90k(90_000),
      frameTimesMs: [wallMs(sequence * 1000)],
      objectKey: 'k',
      sizeBytes: 1,
      sha256: '',
      keyframeBytes: null,
      discontinuity: false,
      createdAtMs: wallMs(0),
      dvrDiscontinuity: false,
      lost: false,
      remote: false,
      retiredAtMs: null,
    };
    window.segments.push(segment);
    window.rendition = { ...window.rendition, nextSequence: sequence + 1 };
    const appended = { segment, epoch, rendition: window.rendition, session: null };
    if (how !== 'silently') this.#raise(streamId, how === 'locally' ? [appended] : []);
    return appended;
  }

  retire(streamId: string, count: number): void {
    const window = this.#window(streamId);
    window.segments.splice(0, count);
    window.rendition = { ...window.rendition, dvrMediaSequence: window.rendition.dvrMediaSequence + count };
    this.#raise(streamId, []);
  }

  lose(streamId: string, index: number): void {
    const { segments } = this.#window(streamId);
    const segment = segments[index];
    assert.ok(segment);
    segments[index] = { ...segment, lost: true };
    this.#raise(streamId, []);
  }

  views(maxDvrBytes = 10_000_000): StreamViews {
    const note = <T>(name: string, value: T): Promise<T> => {
      this.calls.push(name);
      return Promise.resolve(value);
    };
    const slice = (streamId: string, count: number): Window => {
      const { rendition, segments, epochs } = this.#window(streamId);
      return { rendition, segments: segments.slice(-count), epochs };
    };
    const catalog: StreamViewsDeps['catalog'] = {
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
      getStream: async (id) => note('getStream', { ...STREAM, id: this.#window(id).rendition.streamId }),
      liveWindow: async (id, count) => note('liveWindow', slice(id, count)),
      dvrWindow: async (id) => note('dvrWindow', slice(id, 1_000_000)),
      renditionsOf: async (id) => note('renditionsOf', [this.#window(id).rendition]),
      listMarkers: () => Promise.resolve({ items: [], nextCursor: null }),
    };
    const views = new StreamViews({ catalog, clock: this.clock, defaults: SETTINGS, liveSegments: 3, maxDvrBytes });
    views.start();
    return views;
  }

  count(name: string): number {
    return this.calls.filter((call) => call === name).length;
  }

  ids(streamId: string): readonly string[] {
    return this.#window(streamId).segments.map((segment) => segment.id);
  }

  #window(streamId: string): { rendition: Rendition; segments: Segment[]; epochs: Epoch[] } {
    const window = this.#windows.get(streamId);
    if (window === undefined) throw new ZoetropeError('not_found', 'There is no such stream.');
    return window;
  }

  #raise(streamId: string, appended: readonly AppendedSegment[]): void {
    for (const listener of this.#listeners)
      listener({ streamIds: [streamId], remote: appended.length === 0, appended });
  }
}

const SETTINGS = {} as StreamSettings;
const STREAM: Stream = {
  id: '',
  tenant: 't',
  kind: 'frames',
  name: 'n',
  deviceId: null,
  settings: {},
  createdAtMs: wallMs(0),
  lastCapturedAtMs: null,
  lastReceivedAtMs: null,
  endedAtMs: null,
  source: null,
  edgeId: null,
};

async function listed(views: StreamViews, id: string): Promise<readonly string[]> {
  const { dvr } = (await views.readDvr(id)).state;
  return dvr.slice(0, dvr.length).map((segment) => segment.id);
}

describe('views of streams', () => {
  test('a local append grows the windows without reading any', async () => {
    const timelines = new Timelines();
    const id = timelines.add(5);
    const views = timelines.views();
    await views.readDvr(id);
    timelines.calls.length = 0;
    for (let index = 0; index < 4; index++) {
      timelines.append(id, 'locally');
      assert.deepEqual(await listed(views, id), timelines.ids(id));
      const { state } = await views.read(id);
      assert.deepEqual(
        state.live.segments.map((segment) => segment.id),
        timelines.ids(id).slice(-3),
      );
    }
    assert.deepEqual([timelines.count('dvrWindow'), timelines.count('liveWindow')], [0, 0]);
    views.close();
  });

  test("another process's appends and retirement cost a short read; what numbers do not tell costs a whole one", async () => {
    const timelines = new Timelines();
    const id = timelines.add(50);
    const views = timelines.views();
    await views.readDvr(id);
    timelines.append(id, 'elsewhere');
    assert.deepEqual(await listed(views, id), timelines.ids(id));
    timelines.retire(id, 7);
    assert.deepEqual(await listed(views, id), timelines.ids(id));
    assert.equal(timelines.count('dvrWindow'), 1);
    timelines.lose(id, 20);
    assert.equal((await views.readDvr(id)).state.dvr.at(20)?.lost, true);
    assert.equal(timelines.count('dvrWindow'), 2);
    for (let index = 0; index < 10; index++) timelines.append(id, 'silently');
    timelines.append(id, 'elsewhere');
    assert.deepEqual(await listed(views, id), timelines.ids(id));
    assert.equal(timelines.count('dvrWindow'), 3, 'more came than a live window holds');
    views.close();
  });

  test('a revision is current until the stream changes', async () => {
    const timelines = new Timelines();
    const id = timelines.add(1);
    const views = timelines.views();
    const { view, state } = await views.read(id);
    assert.ok(view.isAt(state.revision));
    timelines.append(id, 'locally');
    assert.ok(!view.isAt(state.revision));
    const again = await views.read(id);
    assert.ok(again.view.isAt(again.state.revision));
    views.close();
    assert.ok(!again.view.isAt(again.state.revision));
  });

  test('whoever asks at once is answered by one read', async () => {
    const timelines = new Timelines();
    const id = timelines.add(3);
    const views = timelines.views();
    await Promise.all(Array.from({ length: 100 }, () => views.readDvr(id)));
    assert.deepEqual([timelines.count('getStream'), timelines.count('dvrWindow')], [1, 1]);
    views.close();
  });

  test('streams that nobody looks at leave memory, unknown ones never enter it', async () => {
    const timelines = new Timelines();
    const views = timelines.views();
    const [watched, idle] = [timelines.add(1), timelines.add(1)];
    await views.read(idle);
    await views.read(watched);
    for (let minute = 0; minute < 7; minute++) {
      await timelines.clock.advance(60_000);
      await views.read(watched);
    }
    assert.equal(views.size, 1);
    await assert.rejects(views.read(randomIds.next('stream')), { code: 'not_found' });
    await assert.rejects(views.read('../etc/passwd'), { code: 'not_found' });
    assert.equal(views.size, 1);
    views.close();
  });

  test('long windows are let go beyond the memory for them, and read again', async () => {
    const timelines = new Timelines();
    const views = timelines.views(150_000);
    const ids = [timelines.add(100), timelines.add(100), timelines.add(100)];
    for (const id of ids) await views.readDvr(id);
    assert.equal(timelines.count('dvrWindow'), 3);
    for (const id of ids) assert.deepEqual(await listed(views, id), timelines.ids(id));
    assert.ok(timelines.count('dvrWindow') > 3);
    views.close();
  });
});
