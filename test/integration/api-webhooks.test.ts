import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Static } from 'typebox';
import { pageOf } from '../../src/api/rest/shapes.ts';
import {
  DeliveryTryShape,
  EndpointWithSecretShape,
  JobSecretShape,
  WebhookDeliveryDetailShape,
  WebhookDeliveryShape,
  WebhookEndpointShape,
  type WebhookDeliveryJson,
  type WebhookEndpointJson,
} from '../../src/api/rest/webhook-shapes.ts';
import { randomIds } from '../../src/base/ids.ts';
import { newAsset } from '../contract/asset-world.ts';
import { verified, webhookApi, WebhookReceiver } from '../fixtures/webhook-world.ts';
import { ApiHarness, assertShape } from './api-harness.ts';

type WithSecret = Static<typeof EndpointWithSecretShape>;
interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

const URL = 'https://example.org/hook';

let api: ApiHarness;
let receiver: WebhookReceiver;
let acme: string;
let other: string;
let admin: string;
before(async () => {
  receiver = await WebhookReceiver.start();
  api = await ApiHarness.start({ deps: (store) => ({ webhooks: webhookApi(store) }) });
  acme = await api.key('acme', 'manage');
  other = await api.key('other', 'manage');
  admin = await api.key(null, 'admin');
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = () => ({ status: 204 });
});
after(async () => {
  await api[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

async function make(body: object = {}, key = acme): Promise<WithSecret> {
  const reply = await api.call<WithSecret>('/v1/webhooks', { body: { url: URL, ...body }, key });
  assert.equal(reply.status, 201, reply.text);
  assert.equal(reply.headers.get('location'), `/v1/webhooks/${reply.json.id}`);
  assertShape(EndpointWithSecretShape, reply.json);
  return reply.json;
}

/** Publishes an event of a tenant. Answers the id of its subject. */
async function publish(tenant: string): Promise<string> {
  const asset = newAsset({ tenant });
  await api.store.stores.catalog.createAsset(
    asset,
    [],
    [{ type: 'asset.created', tenant, subjectId: asset.id, data: { asset: { id: asset.id } } }],
  );
  return asset.id;
}

test('an endpoint is made, read, listed, changed and removed; its secret is shown once', async () => {
  const made = await make({ types: ['asset.ready', 'stream.offline'], description: 'Tür' });
  const { secret, ...endpoint } = made;
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.deepEqual([endpoint.tenant, endpoint.url, endpoint.enabled], ['acme', URL, true]);
  const read = await api.call<WebhookEndpointJson>(`/v1/webhooks/${endpoint.id}`, { key: acme });
  assertShape(WebhookEndpointShape, read.json);
  assert.deepEqual(read.json, endpoint);
  const list = await api.call<Page<WebhookEndpointJson>>('/v1/webhooks?limit=1000', { key: acme });
  assertShape(pageOf(WebhookEndpointShape), list.json);
  assert.deepEqual(
    list.json.items.find(({ id }) => id === endpoint.id),
    endpoint,
  );
  const changed = await api.call<WebhookEndpointJson>(`/v1/webhooks/${endpoint.id}`, {
    method: 'PATCH',
    body: { url: 'https://EXAMPLE.org/new#x', types: [], enabled: false },
    key: acme,
  });
  const expected = { ...endpoint, url: 'https://example.org/new', types: [], enabled: false };
  assert.deepEqual(changed.json, expected);
  for (const text of [read.text, list.text, changed.text]) assert.ok(!text.includes('whsec_'));
  const removed = await api.call(`/v1/webhooks/${endpoint.id}`, { method: 'DELETE', key: acme });
  assert.equal(removed.status, 204);
  await api.refused(404, 'not_found', `/v1/webhooks/${endpoint.id}`, { key: acme });
});

test('a URL is checked when it is given, though its name need not exist yet', async () => {
  await make({ url: 'https://not-there-yet.example/' });
  const refusals = {
    400: ['', 'x', 'ftp://example.org/', 'https://user:pw@example.org/', 'file:///etc/passwd'],
    403: ['http://127.0.0.1/', 'http://[::1]/', 'http://localhost:8080/', 'http://2130706433/', 'http://10.0.0.1/'],
  };
  const { id } = await make();
  for (const [status, urls] of Object.entries(refusals)) {
    const code = status === '400' ? 'invalid_argument' : 'permission_denied';
    for (const url of urls) {
      await api.refused(Number(status), code, '/v1/webhooks', { body: { url }, key: acme });
      await api.refused(Number(status), code, `/v1/webhooks/${id}`, { method: 'PATCH', body: { url }, key: acme });
    }
  }
  const { detail } = await api.refused(403, 'permission_denied', '/v1/webhooks', {
    body: { url: 'http://[::]/' },
    key: acme,
  });
  assert.match(detail, /ZOETROPE_ALLOWED_NETWORKS/);
  for (const body of [{ url: URL, types: ['asset.exploded'] }, { url: URL, secret: 'mine' }, {}]) {
    await api.refused(400, 'invalid_argument', '/v1/webhooks', { body, key: acme });
  }
});

test('a secret is replaced: the one before signs for another day, or as long as is said', async () => {
  const made = await make({ url: `${receiver.url}/` });
  const rotated = await api.call<WithSecret>(`/v1/webhooks/${made.id}/rotate`, { method: 'POST', key: acme });
  assertShape(EndpointWithSecretShape, rotated.json);
  assert.notEqual(rotated.json.secret, made.secret);
  const [fresh, old] = rotated.json.secrets;
  assert.equal(fresh?.expiresAt, null);
  assert.equal(Date.parse(old?.expiresAt ?? '') - api.store.clock.nowMs(), 86_400_000);
  await api.call(`/v1/webhooks/${made.id}/test`, { method: 'POST', key: acme });
  const [webhook] = receiver.received;
  assert.ok(webhook);
  for (const secret of [made.secret, rotated.json.secret]) verified(webhook, secret);
  const leaked = await api.call<WithSecret>(`/v1/webhooks/${made.id}/rotate`, {
    body: { oldValidHours: 0 },
    key: acme,
  });
  assert.equal(leaked.json.secrets.length, 1);
  await api.call(`/v1/webhooks/${made.id}/test`, { method: 'POST', key: acme });
  const last = receiver.received[1];
  assert.ok(last);
  verified(last, leaked.json.secret);
  assert.throws(() => verified(last, rotated.json.secret));
});

test('replacing a secret again does not end the one that receivers still know', async () => {
  const made = await make({ url: `${receiver.url}/` });
  for (let index = 0; index < 3; index++)
    await api.call(`/v1/webhooks/${made.id}/rotate`, { method: 'POST', key: acme });
  await api.call(`/v1/webhooks/${made.id}/test`, { method: 'POST', key: acme });
  const [webhook] = receiver.received;
  assert.ok(webhook);
  verified(webhook, made.secret);
});

test('a test event goes out at once, signed, and the answer says how it went', async () => {
  const made = await make({ url: `${receiver.url}/test` });
  const sent = await api.call<Static<typeof DeliveryTryShape>>(`/v1/webhooks/${made.id}/test`, {
    method: 'POST',
    key: acme,
  });
  assert.equal(sent.status, 200, sent.text);
  assertShape(DeliveryTryShape, sent.json);
  assert.deepEqual([sent.json.status, sent.json.error], [204, null]);
  const [webhook] = receiver.received;
  assert.ok(webhook);
  const body = verified(webhook, made.secret) as { readonly type: string; readonly data: unknown };
  assert.deepEqual([body.type, body.data], ['webhook.test', { endpointId: made.id }]);
  receiver.answer = () => ({ status: 500, body: 'broken' });
  const failed = await api.call<Static<typeof DeliveryTryShape>>(`/v1/webhooks/${made.id}/test`, {
    method: 'POST',
    key: acme,
  });
  assert.deepEqual([failed.status, failed.json.status, failed.json.error], [200, 500, 'It answered 500: broken']);
});

test('deliveries are listed by endpoint, subject and state, read with their body, and sent once more', async () => {
  const made = await make({ url: `${receiver.url}/` });
  const subjectId = await publish('acme');
  const query = `/v1/webhooks/deliveries?endpointId=${made.id}&subjectId=${subjectId}&state=waiting`;
  const list = await api.call<Page<WebhookDeliveryJson>>(query, { key: acme });
  assertShape(pageOf(WebhookDeliveryShape), list.json);
  const [delivery] = list.json.items;
  assert.ok(delivery && list.json.items.length === 1);
  const { catalog } = api.store.stores;
  const atMs = api.store.clock.nowMs();
  await catalog.recordTry(delivery.id, { atMs, status: 500, durationMs: 7, error: 'It answered 500.' }, null);
  assert.deepEqual((await api.call<Page<WebhookDeliveryJson>>(query, { key: acme })).json.items, []);
  const path = `/v1/webhooks/deliveries/${delivery.id}`;
  const read = await api.call<Static<typeof WebhookDeliveryDetailShape>>(path, { key: acme });
  assertShape(WebhookDeliveryDetailShape, read.json);
  assert.deepEqual([read.json.state, read.json.tries.length, read.json.tries[0]?.status], ['failed', 1, 500]);
  assert.equal((JSON.parse(read.json.payload) as { readonly type: string }).type, 'asset.created');
  const again = await api.call<WebhookDeliveryJson>(`${path}/redeliver`, { method: 'POST', key: acme });
  assertShape(WebhookDeliveryDetailShape, again.json);
  assert.deepEqual([again.status, again.json.state, again.json.eventId], [202, 'waiting', delivery.eventId]);
  await api.call(`/v1/webhooks/${made.id}`, { method: 'PATCH', body: { enabled: false }, key: acme });
  await api.refused(409, 'conflict', `${path}/redeliver`, { method: 'POST', key: acme });
});

test('the key for assets’ own addresses is the tenant’s, and stays the same', async () => {
  const read = await api.call<Static<typeof JobSecretShape>>('/v1/webhooks/job-secret', { key: acme });
  assertShape(JobSecretShape, read.json);
  assert.equal(read.json.tenant, 'acme');
  assert.match(read.json.secret, /^whsec_/);
  assert.equal(read.headers.get('cache-control'), 'no-store');
  assert.deepEqual((await api.call('/v1/webhooks/job-secret?tenant=acme', { key: admin })).json, read.json);
  const theirs = await api.call<Static<typeof JobSecretShape>>('/v1/webhooks/job-secret', { key: other });
  assert.notEqual(theirs.json.secret, read.json.secret);
  await api.refused(403, 'permission_denied', '/v1/webhooks/job-secret?tenant=acme', { key: other });
});

test('another tenant’s is not there, in the words of what never was', async () => {
  const made = await make();
  const subjectId = await publish('acme');
  const [delivery] = (await api.store.stores.catalog.listDeliveries({ subjectId }, { limit: 1 })).items;
  assert.ok(delivery);
  const endpoint = `/v1/webhooks/${made.id}`;
  const sent = `/v1/webhooks/deliveries/${delivery.id}`;
  const calls: readonly (readonly [string, object])[] = [
    [endpoint, {}],
    [endpoint, { method: 'PATCH', body: { enabled: false } }],
    [endpoint, { method: 'DELETE' }],
    [`${endpoint}/rotate`, { method: 'POST' }],
    [`${endpoint}/test`, { method: 'POST' }],
    [sent, {}],
    [`${sent}/redeliver`, { method: 'POST' }],
  ];
  for (const [path, call] of calls) {
    const theirs = await api.refused(404, 'not_found', path, { ...call, key: other });
    const never = path.replace(made.id, randomIds.next('endpoint')).replace(delivery.id, randomIds.next('delivery'));
    const nothing = await api.refused(404, 'not_found', never, { ...call, key: other });
    assert.equal(theirs.detail.replaceAll(/"[^"]+"/g, ''), nothing.detail.replaceAll(/"[^"]+"/g, ''));
  }
  for (const path of ['/v1/webhooks', '/v1/webhooks/deliveries']) {
    for (const query of ['', '?tenant=acme']) {
      const list = await api.call<Page<{ readonly tenant: string }>>(`${path}${query}`, { key: other });
      assert.deepEqual(list.json.items, [], `${path}${query}`);
    }
    const seen = await api.call<Page<{ readonly tenant: string }>>(`${path}?tenant=acme`, { key: admin });
    assert.ok(seen.json.items.length > 0 && seen.json.items.every(({ tenant }) => tenant === 'acme'));
  }
  await api.refused(403, 'permission_denied', '/v1/webhooks', { body: { url: URL, tenant: 'acme' }, key: other });
  assert.equal((await api.call(endpoint, { key: acme })).status, 200);
});

test('every route needs the scope manage', async () => {
  const { id } = await make();
  const reader = await api.key('acme', 'read', 'ingest');
  const calls = [
    ['GET', '/v1/webhooks'],
    ['POST', '/v1/webhooks'],
    ['GET', `/v1/webhooks/${id}`],
    ['PATCH', `/v1/webhooks/${id}`],
    ['DELETE', `/v1/webhooks/${id}`],
    ['POST', `/v1/webhooks/${id}/rotate`],
    ['POST', `/v1/webhooks/${id}/test`],
    ['GET', '/v1/webhooks/job-secret'],
    ['GET', '/v1/webhooks/deliveries'],
    ['GET', `/v1/webhooks/deliveries/${randomIds.next('delivery')}`],
    ['POST', `/v1/webhooks/deliveries/${randomIds.next('delivery')}/redeliver`],
  ] as const;
  for (const [method, path] of calls) await api.refused(403, 'permission_denied', path, { method, key: reader });
});

test('making one twice under one Idempotency-Key makes one', async () => {
  const headers = { 'idempotency-key': 'once' };
  const [first, second] = [
    await api.call<WithSecret>('/v1/webhooks', { body: { url: URL }, key: other, headers }),
    await api.call<WithSecret>('/v1/webhooks', { body: { url: URL }, key: other, headers }),
  ];
  assert.deepEqual(second.json, first.json);
  assert.equal(second.headers.get('idempotency-replayed'), 'true');
  const list = await api.call<Page<WebhookEndpointJson>>('/v1/webhooks', { key: other });
  assert.equal(list.json.items.filter(({ id }) => id === first.json.id).length, 1);
  assert.equal(list.json.items.length, 1);
});

test('a tenant has a bounded number of endpoints', async () => {
  const key = await api.key('many', 'manage');
  for (let index = 0; index < 100; index++) await make({}, key);
  const { detail } = await api.refused(409, 'conflict', '/v1/webhooks', { body: { url: URL }, key });
  assert.match(detail, /at most 100/);
});
