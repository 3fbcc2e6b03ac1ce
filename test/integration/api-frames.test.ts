import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { ZoetropeError } from '../../src/base/errors.ts';
import { wallMs } from '../../src/base/time.ts';
import { ApiHarness, iso } from './api-harness.ts';

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);

let api: ApiHarness;
before(async () => {
  api = await ApiHarness.start();
});
beforeEach(() => {
  api.intake.frames.length = 0;
  api.intake.events.length = 0;
});
after(() => api[Symbol.asyncDispose]());

const image = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  'content-type': 'image/jpeg',
  'x-captured-at': '2026-11-20T10:30:00.250Z',
  ...more,
});

test('a device’s frame reaches the intake with its bytes, its time and its id', async () => {
  const reply = await api.call<{ eventId: string; streamId: string }>('/v1/devices/acme/gate%2F1/frames', {
    body: JPEG,
    headers: image({ 'x-event-id': 'my-id', 'x-captured-at': '2026-11-20T11:30:00.250+01:00' }),
  });
  assert.equal(reply.status, 202);
  assert.equal(reply.json.eventId, 'my-id');
  const [frame] = api.intake.frames;
  assert.deepEqual(
    [frame?.capturedAtMs, frame?.streamId],
    [Date.UTC(2026, 10, 20, 10, 30, 0, 250), reply.json.streamId],
  );
  assert.deepEqual(Buffer.from(frame?.jpeg ?? []), JPEG);
  const stream = (await api.call<StreamJson>(`/v1/streams/${reply.json.streamId}`)).json;
  assert.deepEqual([stream.tenant, stream.deviceId], ['acme', 'gate/1']);
});

test('a frame goes to a stream by its id', async () => {
  const { id } = (await api.call<StreamJson>('/v1/streams', { body: { name: 'no device' } })).json;
  const reply = await api.call(`/v1/streams/${id}/frames`, {
    body: JPEG,
    headers: image({ 'content-type': 'image/jpeg; q=1' }),
  });
  assert.equal(reply.status, 202);
  assert.equal(api.intake.frames[0]?.streamId, id);
  assert.equal(api.intake.frames[0]?.eventId, undefined);
});

test('what is no frame is refused with what to send', async () => {
  const path = '/v1/devices/acme/cam/frames';
  const missing = await api.refused(400, 'invalid_argument', path, {
    body: JPEG,
    headers: { 'content-type': 'image/jpeg' },
  });
  assert.match(missing.detail, /x-captured-at is missing.*RFC 3339.*2026-11-20T10:30:00\.250Z/);
  for (const time of ['yesterday', '1700000000', '2026-11-20T10:30:00', '2026-02-30T10:30:00Z', '']) {
    await api.refused(400, 'invalid_argument', path, { body: JPEG, headers: image({ 'x-captured-at': time }) });
  }
  const type = await api.refused(415, 'unsupported_media', path, {
    body: {},
    headers: image({ 'content-type': 'application/json' }),
  });
  assert.match(type.detail, /image\/jpeg/);
  await api.refused(415, 'unsupported_media', path, { body: JPEG, headers: image({ 'content-encoding': 'gzip' }) });
  await api.refused(400, 'invalid_argument', path, { body: Buffer.alloc(0), headers: image() });
  await api.refused(413, 'payload_too_large', path, { body: Buffer.alloc(100_001), headers: image() });
  await api.refused(400, 'invalid_argument', path, { body: JPEG, headers: image({ 'x-event-id': 'x'.repeat(201) }) });
  await api.refused(400, 'invalid_argument', `/v1/devices/acme/${'x'.repeat(201)}/frames`, {
    body: JPEG,
    headers: image(),
  });
  await api.refused(400, 'invalid_argument', '/v1/devices/acme/a%00b/frames', { body: JPEG, headers: image() });
  await api.refused(404, 'not_found', '/v1/streams/str_0123456789abcdef/frames', { body: JPEG, headers: image() });
  assert.equal(api.intake.frames.length, 0);
});

test('free text of 200 characters of any script is a device id', async () => {
  const device = '門'.repeat(200);
  const reply = await api.call(`/v1/devices/${encodeURIComponent('a b/..')}/${encodeURIComponent(device)}/frames`, {
    body: JPEG,
    headers: image(),
  });
  assert.equal(reply.status, 202, reply.text);
});

test('what the intake refuses reaches the client as it is', async () => {
  for (const [code, status, retryAfter] of [
    ['too_many', 429, '1'],
    ['storage_full', 507, null],
    ['unavailable', 503, '1'],
    ['out_of_range', 422, null],
    ['corrupt_media', 422, null],
  ] as const) {
    api.intake.refusal = new ZoetropeError(code, 'Said so. Got this. Do that.');
    const reply = await api.call<{ code: string }>('/v1/devices/acme/cam/frames', { body: JPEG, headers: image() });
    assert.deepEqual([reply.status, reply.json.code, reply.headers.get('retry-after')], [status, code, retryAfter]);
  }
});

const event = (more: object = {}): Record<string, unknown> => ({
  eventId: 'e1',
  clientId: 'acme',
  deviceId: 'cam',
  timestamp: '2026-11-20T10:30:00Z',
  framePath: '/frames/1.jpg',
  ...more,
});

test('one event or many are taken, whatever else a client adds to them', async () => {
  const one = await api.call('/v1/events/frames', { body: event({ location: { lat: 1, lon: 2 }, extra: 'x' }) });
  assert.equal(one.status, 202);
  assert.deepEqual(api.intake.events, [event({ location: { lat: 1, lon: 2 }, extra: 'x' })]);
  const many = Array.from({ length: 1000 }, (_, index) =>
    event({ eventId: `e${index}`, requestId: null, secondaryKey: null }),
  );
  const reply = await api.call<{ accepted: number; items: readonly { eventId: string }[] }>('/v1/events/frames', {
    body: many,
  });
  assert.equal(reply.status, 202);
  assert.equal(reply.json.accepted, 1000);
  assert.deepEqual(
    reply.json.items.map((item) => item.eventId),
    many.map((item) => item['eventId']),
  );
});

test('a list with one bad event, an empty one, or one too long is taken in no part', async () => {
  const bad = await api.refused(400, 'invalid_argument', '/v1/events/frames', {
    body: [event(), event({ timestamp: 'noon', deviceId: undefined })],
  });
  assert.deepEqual(
    bad.errors?.map((error) => error.field),
    ['body: [1].deviceId', 'body: [1].timestamp'],
  );
  await api.refused(400, 'invalid_argument', '/v1/events/frames', { body: [] });
  await api.refused(400, 'invalid_argument', '/v1/events/frames', {
    body: Array.from({ length: 1001 }, () => event()),
  });
  await api.refused(400, 'invalid_argument', '/v1/events/frames', {
    body: event({ timestamp: '2026-11-20T10:30:60Z' }),
  });
  assert.equal(api.intake.events.length, 0);
});

test('pictures carry their time and a tag, and are not sent twice', async () => {
  const { id } = (await api.call<StreamJson>('/v1/streams', { body: { name: 'pictured' } })).json;
  const latest = `/v1/streams/${id}/latest.jpg`;
  api.pictures.picture = null;
  await api.refused(404, 'not_found', latest);
  const capturedAtMs = wallMs(Date.UTC(2026, 10, 20, 10, 30, 0, 250));
  api.pictures.picture = { jpeg: JPEG, capturedAtMs, etag: 'abc' };
  const reply = await api.call(`${latest}?width=320`);
  assert.deepEqual(
    ['content-type', 'etag', 'x-captured-at', 'last-modified', 'content-length'].map((name) => reply.headers.get(name)),
    ['image/jpeg', '"abc"', iso(capturedAtMs), 'Fri, 20 Nov 2026 10:30:00 GMT', '4'],
  );
  assert.equal(api.pictures.asked.at(-1), 320);
  for (const tags of ['"abc"', 'W/"abc"', '"x", "abc"', '*']) {
    assert.equal((await api.call(latest, { headers: { 'if-none-match': tags } })).status, 304);
  }
  assert.equal((await api.call(latest, { headers: { 'if-none-match': '"x"' } })).status, 200);
  assert.equal((await api.call(`/v1/streams/${id}/frame.jpg?at=2026-11-20T10:31:00Z`)).status, 200);
  await api.refused(404, 'not_found', `/v1/streams/${id}/frame.jpg?at=2026-11-20T10:29:00Z`);
  await api.refused(400, 'invalid_argument', `/v1/streams/${id}/frame.jpg`);
  await api.refused(400, 'invalid_argument', `${latest}?width=0`);
});

test('a connection that is used for many pictures gathers nothing', async () => {
  const { id } = (await api.call<StreamJson>('/v1/streams', { body: { name: 'wall' } })).json;
  api.pictures.picture = { jpeg: JPEG, capturedAtMs: wallMs(0), etag: 'e' };
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', onWarning);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (let count = 0; count < 20; count++) {
      const [response] = (await once(get(`${api.url}/v1/streams/${id}/latest.jpg`, { agent }), 'response')) as [
        IncomingMessage,
      ];
      await response.resume().toArray();
    }
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    agent.destroy();
    process.off('warning', onWarning);
  }
  assert.deepEqual(warnings, []);
});
