import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ClockJson } from '../../src/api/rest/clock-answer.ts';
import type { TimelineJson } from '../../src/api/rest/shapes.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';
import { ApiHarness, iso } from './api-harness.ts';

let api: ApiHarness;
let media: PushedMedia;
let small: PushedMedia;
before(async () => {
  api = await ApiHarness.start();
  media = new PushedMedia({ segmentSeconds: 2 });
  small = new PushedMedia({ segmentSeconds: 2, size: '160x90' });
});
after(() => api[Symbol.asyncDispose]());

async function make(others: Readonly<Record<string, PushedMedia>> = {}): Promise<PushedStream> {
  const { stores, clock } = api.store;
  return PushedStream.make({ catalog: stores.catalog, objects: stores.objects, clock }, media, { others });
}

test('the timeline of a pushed stream has stretches where its media runs on, and gaps where the encoder was away', async () => {
  const pushed = await make();
  const t0 = pushed.edgeMs;
  await pushed.append();
  await pushed.append({ skewMs: 80 });
  await pushed.append({ skewMs: 160 });
  await pushed.append({ gapMs: 5000 });
  const path = `/v1/streams/${pushed.id}/timeline?from=${iso(t0 - 1000)}&to=${iso(pushed.edgeMs + 1000)}`;
  const { json } = await api.call<TimelineJson>(path);
  assert.deepEqual(
    json.stretches.map(({ from, to, segmentCount }) => [from, to, segmentCount]),
    [
      [iso(t0), iso(t0 + 6160), 3],
      [iso(t0 + 11_000), iso(t0 + 13_000), 1],
    ],
  );
  assert.deepEqual(json.gaps, [{ from: iso(t0 + 6160), to: iso(t0 + 11_000) }]);
  assert.equal(json.liveEdge, iso(t0 + 13_000));
});

test('wall time and media time map onto each other by what the encoder said of each segment', async () => {
  const pushed = await make({ '90p': small });
  const t0 = pushed.edgeMs;
  await pushed.append();
  const { segment, epoch } = await pushed.append({ skewMs: 120 });
  const clock = async (query: string): Promise<ClockJson> => {
    const { json, text, status } = await api.call<ClockJson>(`/v1/streams/${pushed.id}/clock?${query}`);
    assert.equal(status, 200, text);
    return json;
  };
  const inside = await clock(`at=${iso(t0 + 2620)}`);
  assert.deepEqual([inside.pts90k, inside.segmentId, inside.epochId], [2500 * 90, segment.id, epoch.id]);
  assert.ok(inside.errorMs >= 40 && inside.errorMs <= 100, `${inside.errorMs} ms`);
  assert.deepEqual(await clock(`pts90k=${inside.pts90k}&epochId=${inside.epochId}`), inside);
  const other = await api.store.stores.catalog.liveWindow(pushed.id, 1, '90p');
  const beside = await clock(`pts90k=${inside.pts90k}&epochId=${other.epochs[0]?.id ?? ''}`);
  assert.deepEqual([beside.at, beside.segmentId], [inside.at, other.segments[0]?.id]);
});
