import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LadderJson } from '../../src/api/rest/ladder-shapes.ts';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';
import { ApiHarness } from './api-harness.ts';

let api: ApiHarness;
before(async () => {
  api = await ApiHarness.start();
});
after(() => api[Symbol.asyncDispose]());

interface Refused {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly field: string }[];
}

const make = (kind: string, settings: unknown): ReturnType<typeof api.call<StreamJson & Refused>> =>
  api.call(`/v1/streams`, { method: 'POST', body: { kind, name: kind, settings } });

test('a ladder is set as a whole, shown as it was set, and turned off by null', async () => {
  const ladder = [{ height: 360 }, { height: 180, videoKbps: 200 }];
  const made = await make('push', { ladder });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.json.settings.ladder, ladder);
  const path = `/v1/streams/${made.json.id}`;
  const change = async (settings: unknown): Promise<StreamJson> => {
    const { status, json, text } = await api.call<StreamJson>(path, { method: 'PATCH', body: { settings } });
    assert.equal(status, 200, text);
    return json;
  };
  assert.equal((await change({ ladder: 'auto' })).settings.ladder, 'auto');
  assert.equal((await change({ retentionHours: 2 })).settings.ladder, 'auto');
  const off = await change({ ladder: null });
  assert.deepEqual([off.settings.ladder, off.effective.ladder], [null, null]);
});

test('what cannot be made is refused with what to send instead', async () => {
  for (const [ladder, field] of [
    ['automatic', 'settings.ladder'],
    [[], 'settings.ladder'],
    [[{ height: 8 }], 'settings.ladder'],
    [[{ height: 360.5 }], 'settings.ladder'],
    [[{ videoKbps: 100 }], 'settings.ladder'],
    [[{ height: 360, videoKbps: 1 }], 'settings.ladder'],
    [[{ height: 360, codec: 'av1' }], 'settings.ladder'],
    [Array.from({ length: 7 }, (_, index) => ({ height: 100 + index })), 'settings.ladder'],
  ] as const) {
    const { status, json, text } = await make('push', { ladder });
    assert.deepEqual([status, json.code], [400, 'invalid_argument'], text);
    assert.ok(
      json.errors?.every((error) => error.field.startsWith(`body: ${field}`)),
      text,
    );
  }
  const twice = await make('push', { ladder: [{ height: 360 }, { height: 360, videoKbps: 100 }] });
  assert.deepEqual([twice.status, twice.json.code], [400, 'invalid_argument']);
  assert.match(twice.json.detail, /different heights.*Got 360 twice/);
  const camera = await make('frames', { ladder: 'auto' });
  assert.deepEqual([camera.status, camera.json.code], [400, 'invalid_argument']);
  assert.match(camera.json.detail, /kind frames; leave ladder out/);
  const frames = await make('frames', {});
  const { status } = await api.call(`/v1/streams/${frames.json.id}`, {
    method: 'PATCH',
    body: { settings: { ladder: [{ height: 90 }] } },
  });
  assert.equal(status, 400);
});

test('what became of a ladder is shown, with how far each rung is behind', async () => {
  const { stores, clock } = api.store;
  const { catalog, objects } = stores;
  const media = new PushedMedia();
  const settings = { ladder: [{ height: 90, videoKbps: null }] };
  const pushed = await PushedStream.make({ catalog, objects, clock }, media, { settings });
  const read = async (): Promise<LadderJson> => (await api.call<LadderJson>(`/v1/streams/${pushed.id}/ladder`)).json;
  assert.deepEqual(await read(), { rungs: [], made: 0, missed: 0, lastFailure: null });
  const [first] = await pushed.appendMany(3);
  const leases = await catalog.claimLadders({ owner: 'test', leaseMs: 60_000, limit: 100 });
  const { fence } = leases.find(({ streamId }) => streamId === pushed.id) ?? { fence: -1 };
  const init = { bytes: media.init, sha256: 'ab'.repeat(32), codecs: media.codecs, width: 160, height: 90 };
  const rung = { id: 'seg_0000000000test', rendition: '90p', objectKey: 'media/x', sizeBytes: 1, sha256: '', init };
  await catalog.appendRungs({ streamId: pushed.id, fence, sourceId: first?.segment.id ?? '', rungs: [rung] });
  const failure = { atMs: clock.nowMs(), segmentId: 'seg_2', code: 'engine_failed', message: 'It died.' };
  const rungs = [{ name: '90p', width: 160, height: 90 }];
  await catalog.noteLadder(pushed.id, fence, { rungs, made: 1, missed: 2, lastFailure: failure });
  const edge = new Date(pushed.edgeMs - 2000).toISOString();
  const at = new Date(failure.atMs).toISOString();
  assert.deepEqual(await read(), {
    rungs: [{ name: '90p', width: 160, height: 90, edge, lagSeconds: 2 }],
    made: 1,
    missed: 2,
    lastFailure: { at, segmentId: 'seg_2', code: 'engine_failed', message: 'It died.' },
  });
});
