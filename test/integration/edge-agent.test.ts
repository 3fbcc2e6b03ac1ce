import assert from 'node:assert/strict';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { randomIds } from '../../src/base/ids.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { wallMs } from '../../src/base/time.ts';
import type { AppendedSegment } from '../../src/catalog/catalog.ts';
import { noAgentMetrics } from '../../src/edge/agent/agent-metrics.ts';
import { EdgeAgent, type EdgeAgentDeps } from '../../src/edge/agent/edge-agent.ts';
import type { EdgeWanted } from '../../src/edge/protocol.ts';
import { ControlDouble } from '../fixtures/control-double.ts';
import { eventually } from '../fixtures/processes.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

interface World {
  readonly store: TimelineStore;
  readonly control: ControlDouble;
  /** Starts an agent over the same stores. */
  readonly start: (options?: Partial<EdgeAgentDeps>) => Promise<EdgeAgent>;
}

async function makeWorld(t: TestContext): Promise<World> {
  const store = await TimelineStore.open();
  const control = await ControlDouble.start();
  const agents: EdgeAgent[] = [];
  t.after(async () => {
    for (const agent of agents) await agent.close();
    await control[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  return {
    store,
    control,
    async start(options = {}) {
      const { catalog, objects } = store.stores;
      const agent = new EdgeAgent({
        catalog,
        objects,
        clock: systemClock,
        ids: randomIds,
        logger: silentLogger,
        metrics: noAgentMetrics,
        control: control.url,
        key: 'zk_secret',
        name: 'North gate',
        version: '1.2.3',
        fillBytesPerS: 0,
        stallMs: 5000,
        random: () => 0,
        ...options,
      });
      agents.push(agent);
      await agent.start();
      return agent;
    },
  };
}

function idsOf(appended: readonly AppendedSegment[]): readonly string[] {
  return appended.map(({ segment }) => segment.id);
}

function wanted(appended: readonly AppendedSegment[], urgent = false): readonly EdgeWanted[] {
  return appended.map(({ segment: { id, streamId } }) => ({ id, streamId, urgent }));
}

/** How often a request came. */
function count(control: ControlDouble, pattern: RegExp): number {
  return control.requests.filter((request) => pattern.test(request)).length;
}

test('an edge registers as itself, each time, and measures the clock of control', async (t) => {
  const { control, start } = await makeWorld(t);
  control.skewMs = 3_600_000;
  const first = await start();
  await control.until('it registers and asks', () => control.syncs.length > 1);
  await first.close();
  const second = await start();
  await control.until('it comes back', () => control.hellos.length === 2 && second.status().connected);
  const hello = { name: 'North gate', version: '1.2.3' };
  assert.deepEqual(control.hellos, [hello, hello]);
  assert.match(second.status().id ?? '', /^edg_/);
  assert.equal(first.status().id, second.status().id);
  assert.deepEqual([...control.keys], ['Bearer zk_secret']);
  const { clockOffsetMs, roundTripMs } = second.status();
  assert.ok(Math.abs((clockOffsetMs ?? 0) - 3_600_000) <= (roundTripMs ?? 0) / 2 + 1, `${clockOffsetMs}`);
});

test('rows go to control in their order, late ones after the on-time ones, and nothing else goes', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const before = await store.fill(id, 3_600_000, 3);
  const late = await store.append(id, { startMs: store.nowMs - 7_200_000, late: true });
  const agent = await start();
  await control.until('rows are there', () => control.rowsOf(id).length === 4);
  assert.deepEqual(
    control.rowsOf(id).map((row) => row.id),
    idsOf([...before, late]),
  );
  const more = await store.append(id, { startMs: store.nowMs, frames: 2 });
  await control.until('a new row is there', () => control.rowsOf(id).length === 5);
  const [row] = control.rowsOf(id).slice(-1);
  const { segment, epoch } = more;
  assert.deepEqual(row, {
    id: segment.id,
    epochId: epoch.id,
    placement: 'onTime',
    sequence: 3,
    startMs: segment.startMs,
    mediaStart90k: 0,
    duration90k: segment.duration90k,
    frameTimesMs: segment.frameTimesMs,
    sizeBytes: segment.sizeBytes,
    sha256: segment.sha256,
    keyframeBytes: null,
    lost: false,
  });
  assert.deepEqual(Buffer.from(control.epochs.get(epoch.id)?.init ?? '', 'base64'), Buffer.from(epoch.init));
  assert.deepEqual(control.streams.get(id), { session: control.session, kind: 'frames', name: 'cam', endedAtMs: null });
  assert.equal(control.segmentBytes, 0);
  assert.equal(count(control, /segments/), 0);
  await eventually('nothing is left', () => agent.status().backlogRows === 0 || undefined, { timeoutMs: 5000 });
});

test('many rows go in batches, and one failing stream holds up no other', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const [a, b] = [await store.stream('a'), await store.stream('b')];
  const many = await store.fill(a.id, 40_000_000, 450);
  await store.fill(b.id, 3_600_000, 2);
  let refusals = 0;
  control.fault = (request) => {
    if (request !== `POST streams/${a.id}/rows` || refusals >= 2) return undefined;
    refusals++;
    return { status: 503, code: 'unavailable' };
  };
  await start();
  await control.until('the other is there', () => control.rowsOf(b.id).length === 2);
  await control.until('all are there', () => control.rowsOf(a.id).length === 450);
  assert.deepEqual(
    control.rowsOf(a.id).map((row) => row.id),
    idsOf(many),
  );
  assert.equal(refusals, 2);
  assert.equal(control.hellos.length, 1, 'a refusal is no broken link');
});

test('an answer that is lost costs nothing but a second try', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  await store.fill(id, 3_600_000, 3);
  const lost = new Set<string>();
  control.fault = (request) => {
    if (lost.has(request) || request.startsWith('POST sync')) return undefined;
    lost.add(request);
    return 'after';
  };
  const segments = wanted(await store.fill(id, 1_800_000, 2));
  control.want({ segments });
  await start();
  await control.until('everything came', () => control.bytes.size === 2 && control.rowsOf(id).length === 5);
  assert.equal(new Set(control.rowsOf(id).map((row) => row.id)).size, 5);
});

test('a stream is renamed, ended after its last row, goes on, and is deleted', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { catalog } = store.stores;
  const { id } = await store.stream('cam');
  await start();
  await control.until('it is there', () => control.streams.has(id));
  await catalog.updateStream(id, { name: 'Gate' });
  await control.until('it is renamed', () => control.streams.get(id)?.name === 'Gate');
  await store.append(id, { startMs: store.nowMs - 60_000 });
  await catalog.endStream(id, wallMs(store.nowMs));
  await control.until('it has ended', () => control.streams.get(id)?.endedAtMs === store.nowMs);
  const ended = control.requests.lastIndexOf(`PUT streams/${id}`);
  assert.ok(ended > control.requests.indexOf(`POST streams/${id}/rows`), control.requests.join('\n'));
  await catalog.endStream(id, null);
  await control.until('it goes on', () => control.streams.get(id)?.endedAtMs === null);
  await catalog.deleteStream(id);
  await control.until('it is deleted', () => control.deleted.includes(id));
});

test('what was deleted while the edge was away is deleted at control when it comes back', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const { id: other } = await store.stream('other');
  const agent = await start();
  await control.until('both are there', () => control.streams.size === 2);
  await agent.close();
  await store.stores.catalog.deleteStream(id);
  await start();
  await control.until('it is deleted', () => control.deleted.includes(id));
  assert.deepEqual([...control.streams.keys()], [other]);
  assert.equal(count(control, new RegExp(`PUT streams/${id}`)), 1);
});

test('control is believed about what it has: rows that it lost are sent again', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  await store.fill(id, 3_600_000, 5);
  await start();
  await control.until('rows are there', () => control.rowsOf(id).length === 5);
  control.restore(id, 2);
  control.cut();
  await control.until('they are there again', () => control.rowsOf(id).length === 5);
  control.streams.clear();
  control.cut();
  await store.append(id, { startMs: store.nowMs });
  await control.until('a stream that is not there is made again', () => control.rowsOf(id).length === 6);
});

test('wanted segments come, the urgent ones first; then nothing comes', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const all = await store.fill(id, 3_600_000, 40);
  await start({ fillBytesPerS: 300 });
  await control.until('rows are there', () => control.rowsOf(id).length === 40);
  const past = all.slice(0, 20);
  control.want({ segments: wanted(past) });
  await control.until('it has begun', () => control.bytes.size > 0);
  const pressing = all.slice(30, 36);
  control.want({ segments: [...wanted(past), ...wanted(pressing, true)] });
  await control.until('the urgent ones came', () => pressing.every(({ segment }) => control.bytes.has(segment.id)));
  assert.ok(control.bytes.size < 20, 'what is not urgent keeps to its rate');
  control.want({ segments: [] });
  await eventually('it stops', () => (count(control, /POST sync/) > 3 ? true : undefined), { timeoutMs: 5000 });
  const sent = control.bytes.size;
  await store.append(id, { startMs: store.nowMs });
  await control.until('a row comes', () => control.rowsOf(id).length === 41);
  assert.ok(control.bytes.size <= sent + 2, 'what is not wanted any more is not sent');
  for (const { segment } of pressing) {
    const there = await store.stores.objects.get(segment.objectKey);
    assert.deepEqual(control.bytes.get(segment.id), Buffer.from(there));
  }
});

test('a stream that becomes live brings its newest segments, and then each as it comes, until it is live no more', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const all = await store.fill(id, 3_600_000, 10);
  const agent = await start();
  await control.until('rows are there', () => control.rowsOf(id).length === 10);
  control.want({ live: [id] });
  await control.until('the newest are there', () => control.bytes.size === 3);
  assert.deepEqual([...control.bytes.keys()].toSorted(), idsOf(all.slice(-3)).toSorted());
  const next = await store.append(id, { startMs: store.nowMs });
  await control.until('the next is there', () => control.bytes.has(next.segment.id));
  await store.append(id, { startMs: store.nowMs - 50_000_000, late: true });
  control.want({ live: [] });
  await eventually('the edge knows', () => agent.status().liveStreams === 0 || undefined, { timeoutMs: 5000 });
  await store.append(id, { startMs: store.nowMs + 60_000 });
  await control.until('rows are there', () => control.rowsOf(id).length === 13);
  assert.equal(control.bytes.size, 4);
});

test('what control wants kept is kept through restarts, and let go when it is wanted no more', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const all = await store.fill(id, 3_600_000, 20);
  const startMs = all[4]?.segment.startMs ?? 0;
  const keep = { id: randomIds.next('recording'), streamId: id, name: 'Incident', fromMs: startMs, toMs: null };
  control.want({ keep: [keep] });
  const agent = await start();
  const held = async (): Promise<readonly string[]> =>
    (await store.stores.catalog.listHolds({ kind: 'recording' }, { limit: 9 })).items.map((hold) => hold.id);
  await control.until('control hears that it is kept', () => control.syncs.some((sync) => sync.seen === '1'));
  assert.deepEqual(await held(), [keep.id]);
  await agent.close();
  for (let day = 0; day < 5; day++) {
    store.clock.jump(86_400_000);
    await store.upkeep.retention.runOnce({ signal: t.signal });
  }
  assert.deepEqual(await store.segmentIds(id), idsOf(all.slice(4)), 'without a link it keeps what was wanted');
  control.want({ keep: [], segments: wanted(all.slice(4, 6)) });
  await start();
  await control.until('it sends what it has kept', () => control.bytes.size === 2);
  assert.deepEqual(await held(), []);
});

test('segments that are not here any more are given up, and damaged ones too, after a second look', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const all = await store.fill(id, 3_600_000, 6);
  const path = async (index: number): Promise<string> => {
    const { segment } = all[index] ?? {};
    return (await store.stores.objects.localPath(segment?.objectKey ?? '')) ?? '';
  };
  await rm(await path(0));
  await truncate(await path(1), 10);
  await writeFile(await path(2), Buffer.alloc(all[2]?.segment.sizeBytes ?? 0, 7));
  await store.stores.catalog.setSegmentLost(all[3]?.segment.id ?? '', true);
  await start();
  await control.until('rows are there', () => control.rowsOf(id).length === 6);
  const missing = { id: randomIds.next('segment'), streamId: id, urgent: true };
  control.want({ segments: [...wanted(all), missing] });
  await control.until('the sound ones are there', () => control.bytes.size === 2);
  await control.until('the others are given up', () => control.gone.size === 5);
  assert.deepEqual([...control.gone].toSorted(), [...idsOf(all.slice(0, 4)), missing.id].toSorted());
  assert.equal(control.hellos.length, 1);
});

test('bytes that control did not get right are sent again, and what nobody wants is not', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const [first, second] = await store.fill(id, 3_600_000, 2);
  assert.ok(first !== undefined && second !== undefined);
  let mistakes = 0;
  control.fault = (request) => {
    if (request === `PUT segments/${first.segment.id}` && mistakes++ < 2)
      return { status: 400, code: 'checksum_mismatch' };
    if (request === `PUT segments/${second.segment.id}`) return { status: 404, code: 'not_found' };
    return undefined;
  };
  const agent = await start();
  await control.until('rows are there', () => control.rowsOf(id).length === 2);
  control.want({ segments: wanted([first, second]) });
  await control.until('it came in the end', () => control.bytes.has(first.segment.id));
  // The agent knows it a moment after control does.
  await control.until('nothing is left to be sent', () => agent.status().backlogSegments === 0);
  assert.equal(mistakes, 3);
  assert.equal(count(control, new RegExp(second.segment.id)), 1);
  assert.equal(control.gone.size, 0);
});

test('a fenced edge registers again', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  const agent = await start();
  await control.until('the link is there', () => agent.status().connected);
  control.session += 10;
  await store.append(id, { startMs: store.nowMs });
  await control.until('it has registered again', () => control.hellos.length === 2);
  await control.until('and goes on', () => control.rowsOf(id).length === 1);
});

test('without control, with another server there, and with a wrong key it says why and goes on trying', async (t) => {
  const { control, start } = await makeWorld(t);
  const agent = await start({ control: 'http://127.0.0.1:1' });
  const why = (pattern: RegExp): Promise<true> =>
    eventually('it says why', () => pattern.test(agent.status().lastError ?? '') || undefined, { timeoutMs: 5000 });
  await why(/cannot be reached: ECONNREFUSED/);
  await agent.close();
  control.fault = () => ({ status: 401, code: 'unauthenticated' });
  const second = await start();
  await control.until('it tries', () => control.requests.length > 1);
  assert.match(second.status().lastError ?? '', /ZOETROPE_EDGE_KEY/);
  assert.equal(second.status().connected, false);
  control.fault = () => undefined;
  await control.until('it is there in the end', () => second.status().connected);
});

test('a connection that stands still counts as broken', async (t) => {
  const { store, control, start } = await makeWorld(t);
  const { id } = await store.stream('cam');
  await start({ stallMs: 300 });
  await control.until('it asks', () => control.syncs.length > 1);
  let stalled = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  t.after(() => resolve());
  control.stall = (request) => {
    if (!request.endsWith('/rows') || stalled++ > 0) return undefined;
    return promise;
  };
  await store.append(id, { startMs: store.nowMs });
  await control.until('it came another way', () => control.rowsOf(id).length === 1);
  assert.ok(control.hellos.length > 1);
});
