import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TcpListener } from '../fixtures/web-server.ts';
import { verified, WebhookWorld } from '../fixtures/webhook-world.ts';
import { KeepingLogger } from './api-harness.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

test('an event arrives signed, as it was published', async (t) => {
  const w = await WebhookWorld.make(t);
  const { endpoint, secret } = await w.endpoint('/hook?a=b');
  await w.dispatch();
  const id = await w.publish();
  await w.look();
  const [webhook] = await w.receiver.at('/hook?a=b', 1);
  assert.ok(webhook);
  const { type, timestamp, data } = verified(webhook, secret) as { type: string; timestamp: string; data: unknown };
  assert.deepEqual([type, data], ['asset.created', { asset: { id, name: 'Tür' } }]);
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.equal(webhook.headers['content-type'], 'application/json');
  assert.throws(() => verified({ ...webhook, body: webhook.body.replace('Tür', 'Tor') }, secret));
  const delivery = await w.delivery(id, ({ state }) => state === 'delivered');
  assert.deepEqual([delivery.endpointId, delivery.eventId], [endpoint.id, webhook.headers['webhook-id']]);
  assert.deepEqual([delivery.payload, delivery.nextTryAtMs], [webhook.body, null]);
  assert.deepEqual(
    delivery.tries.map(({ status, error }) => [status, error]),
    [[204, null]],
  );
  assert.deepEqual(w.metrics.outcomes, ['delivered']);
});

test('while a secret is replaced, both sign; afterwards the new one alone', async (t) => {
  const w = await WebhookWorld.make(t);
  const { endpoint, secret: first } = await w.endpoint('/');
  const { secret: second } = await w.endpoints.rotate(endpoint.id, 24);
  await w.dispatch();
  await w.publish();
  await w.look();
  const [both] = await w.receiver.at('/', 1);
  assert.ok(both);
  assert.equal(both.headers['webhook-signature']?.split(' ').length, 2);
  for (const secret of [first, second]) verified(both, secret);
  await w.pass(24 * HOUR_MS);
  await w.publish();
  await w.look();
  const [, after] = await w.receiver.at('/', 2);
  const [before] = both.headers['webhook-signature']?.split(' ') ?? [];
  assert.match(after?.headers['webhook-signature'] ?? '', /^v1,\S+$/);
  assert.notEqual(after?.headers['webhook-signature'], before);
});

test('what is not taken is tried again after growing pauses, under the same id, until it is taken', async (t) => {
  const w = await WebhookWorld.make(t);
  const { secret } = await w.endpoint('/');
  w.receiver.answer = () =>
    w.receiver.received.length <= 4 ? { status: 500, body: '\u0007not\nnow' } : { status: 200 };
  await w.dispatch();
  const id = await w.publish();
  await w.look();
  for (const [index, pauseMs] of [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS].entries()) {
    const { tries, nextTryAtMs, state } = await w.delivery(id, (delivery) => delivery.tries.length === index + 1);
    const last = tries.at(-1);
    assert.ok(last && nextTryAtMs);
    assert.deepEqual([state, last.status, last.error], ['waiting', 500, 'It answered 500: not now']);
    assert.ok(Math.abs(nextTryAtMs - last.atMs - pauseMs) < SECOND_MS, `${nextTryAtMs - last.atMs}`);
    await w.pass(nextTryAtMs - w.store.clock.nowMs());
  }
  const { tries } = await w.delivery(id, ({ state }) => state === 'delivered');
  assert.deepEqual(
    tries.map(({ status }) => status),
    [500, 500, 500, 500, 200],
  );
  assert.equal(new Set(w.receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.equal(new Set(w.receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size, 5);
  const [first] = w.receiver.received;
  assert.ok(first);
  verified(first, secret);
  assert.deepEqual(w.metrics.outcomes, ['retry', 'retry', 'retry', 'retry', 'delivered']);
});

test('it is given up when its days are over', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.endpoint('/');
  w.receiver.answer = () => ({ status: 503 });
  await w.dispatch({ retryMs: MINUTE_MS });
  const id = await w.publish();
  await w.look();
  await w.delivery(id, ({ tries }) => tries.length === 1);
  await w.pass(10 * SECOND_MS);
  await w.delivery(id, ({ tries }) => tries.length === 2);
  await w.pass(40 * SECOND_MS);
  const { state, nextTryAtMs, tries } = await w.delivery(id, (delivery) => delivery.state !== 'waiting');
  assert.deepEqual([state, nextTryAtMs, tries.length], ['failed', null, 3]);
  await w.pass(DAY_MS);
  assert.equal(w.receiver.received.length, 3);
});

test('who asks for a longer pause gets it', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.endpoint('/');
  w.receiver.answer = () => ({ status: 429, headers: { 'retry-after': '3600' } });
  await w.dispatch();
  const id = await w.publish();
  await w.look();
  const { tries, nextTryAtMs } = await w.delivery(id, (delivery) => delivery.tries.length === 1);
  assert.ok((nextTryAtMs ?? 0) - (tries[0]?.atMs ?? 0) >= HOUR_MS);
});

test('410 disables the endpoint at once; what waits for it waits until it is enabled', async (t) => {
  const w = await WebhookWorld.make(t);
  const { endpoint } = await w.endpoint('/');
  w.receiver.answer = () => ({ status: 500 });
  await w.dispatch();
  const waiting = await w.publish();
  await w.look();
  await w.delivery(waiting, ({ tries }) => tries.length === 1);
  w.receiver.answer = () => ({ status: 410 });
  const gone = await w.publish();
  await w.look();
  const { state } = await w.delivery(gone, ({ tries }) => tries.length === 1);
  assert.equal(state, 'failed');
  const disabled = await w.catalog.getEndpoint(endpoint.id);
  assert.equal(disabled.enabled, false);
  assert.match(disabled.disabledCause ?? '', /410 Gone/);
  assert.equal(w.metrics.disabled, 1);
  await w.publish();
  await w.pass(HOUR_MS);
  assert.equal(w.receiver.received.length, 2);
  w.receiver.answer = () => ({ status: 200 });
  await w.endpoints.update(endpoint.id, { enabled: true });
  await w.look();
  await w.delivery(waiting, (delivery) => delivery.state === 'delivered');
  assert.equal((await w.catalog.getEndpoint(endpoint.id)).disabledCause, null);
});

test('a redirect is no delivery, and is not followed', async (t) => {
  const w = await WebhookWorld.make(t);
  await using canary = await TcpListener.start('127.0.0.1');
  await w.endpoint('/');
  const location = `http://127.0.0.1:${canary.port}/`;
  w.receiver.answer = () => ({ status: 307, headers: { location } });
  await w.dispatch();
  const id = await w.publish();
  await w.look();
  const { tries } = await w.delivery(id, (delivery) => delivery.tries.length === 1);
  assert.match(tries[0]?.error ?? '', /redirects are not followed/);
  assert.equal(canary.connections, 0);
});

test('an address that is refused is not connected to, and the log says why', async (t) => {
  const w = await WebhookWorld.make(t);
  await using canary = await TcpListener.start('127.0.0.1');
  await w.dispatch();
  const id = await w.publish('asset.created', { extraUrl: `http://127.0.0.1:${canary.port}/` });
  await w.look();
  const { tries } = await w.delivery(id, (delivery) => delivery.tries.length === 1);
  assert.match(tries[0]?.error ?? '', /ZOETROPE_ALLOWED_NETWORKS/);
  assert.equal(tries[0]?.status, null);
  assert.equal(canary.connections, 0);
  await assert.rejects(w.endpoint('/', { url: `http://localhost:${canary.port}/` }), { code: 'permission_denied' });
});

test('an answer without an end is cut and taken for what its status says', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.endpoint('/');
  w.receiver.answer = () => ({ status: 400, body: 'x'.repeat(5_000_000) });
  await w.dispatch();
  const id = await w.publish();
  await w.look();
  const { tries } = await w.delivery(id, (delivery) => delivery.tries.length === 1);
  assert.equal(tries[0]?.error, `It answered 400: ${'x'.repeat(200)}`);
});

test('an asset’s own address is told too, signed with the tenant’s own key', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.dispatch();
  const id = await w.publish('asset.ready', { extraUrl: `${w.receiver.url}/own` });
  await w.look();
  const [webhook] = await w.receiver.at('/own', 1);
  assert.ok(webhook);
  verified(webhook, await w.endpoints.jobSecret('acme'));
  const other = await w.endpoints.jobSecret('other');
  assert.throws(() => verified(webhook, other));
  assert.equal((await w.delivery(id, ({ state }) => state === 'delivered')).endpointId, null);
});

test('a slow endpoint holds up no other, nor does a slow host of assets’ own addresses', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.endpoint('/slow', { types: ['asset.created'] });
  await w.endpoint('/fast', { types: ['asset.created'] });
  // The same server, by another spelling: a host of its own.
  const slowHost = w.receiver.url.replace('127.0.0.2', '127.2');
  w.receiver.answer = ({ path }) => (path.startsWith('/slow') ? null : { status: 200 });
  for (let index = 0; index < 10; index++) await w.publish('asset.created', { extraUrl: `${slowHost}/slow-own` });
  await w.dispatch({ limits: { total: 6, perTenant: 6, perAddress: 2 } });
  await w.receiver.at('/fast', 10);
  const own = await w.publish('asset.ready', { extraUrl: `${w.receiver.url}/own` });
  await w.look();
  await w.receiver.at('/own', 1);
  await w.delivery(own, ({ state }) => state === 'delivered');
  const underWay = (path: string): number => w.receiver.received.filter((webhook) => webhook.path === path).length;
  assert.deepEqual([underWay('/slow'), underWay('/slow-own')], [2, 2]);
});

test('a tenant with many slow endpoints holds up no other tenant', async (t) => {
  const w = await WebhookWorld.make(t);
  for (let index = 0; index < 6; index++) await w.endpoint('/slow', { tenant: 'slow' });
  await w.endpoint('/fast');
  w.receiver.answer = ({ path }) => (path === '/slow' ? null : { status: 200 });
  for (let index = 0; index < 5; index++) await w.publish('asset.created', { tenant: 'slow' });
  for (let index = 0; index < 5; index++) await w.publish();
  await w.dispatch({ limits: { total: 4, perTenant: 3, perAddress: 2 } });
  await w.receiver.at('/fast', 5);
  assert.equal((await w.receiver.at('/slow', 3)).length, 3);
});

test('what a dispatcher was sending when it died is sent again under the same id, not before its claim is over', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.endpoint('/');
  w.receiver.answer = () => null;
  const dying = await w.dispatch();
  const id = await w.publish();
  await w.look();
  await w.receiver.at('/', 1);
  await w.stop(dying);
  assert.deepEqual((await w.delivery(id, () => true)).tries, []);
  w.receiver.answer = () => ({ status: 200 });
  assert.deepEqual(await w.catalog.claimDeliveries({ limit: 1, leaseMs: 1 }), []);
  await w.dispatch();
  await w.pass(MINUTE_MS);
  await w.delivery(id, ({ state }) => state === 'delivered');
  const ids = w.receiver.received.map(({ headers }) => headers['webhook-id']);
  assert.deepEqual([ids.length, new Set(ids).size], [2, 1]);
});

test('two dispatchers share the work: each delivery is sent once', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.endpoint('/');
  await w.dispatch();
  await w.dispatch();
  const ids = await Promise.all(Array.from({ length: 20 }, () => w.publish()));
  await w.look();
  for (const id of ids) await w.delivery(id, ({ state }) => state === 'delivered');
  assert.equal(w.receiver.received.length, 20);
});

test('a failed delivery is sent once more when asked, and old ones are forgotten', async (t) => {
  const w = await WebhookWorld.make(t);
  await w.endpoint('/');
  w.receiver.answer = () => ({ status: 400 });
  await w.dispatch({ retryMs: 1, logMs: DAY_MS });
  const id = await w.publish();
  await w.look();
  const failed = await w.delivery(id, ({ state }) => state === 'failed');
  w.receiver.answer = () => ({ status: 200 });
  await w.catalog.redeliver(failed.id);
  await w.look();
  const { tries } = await w.delivery(id, ({ state }) => state === 'delivered');
  assert.equal(tries.length, 2);
  assert.equal(new Set(w.receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  await w.pass(DAY_MS + MINUTE_MS);
  await assert.rejects(
    async () => {
      for (let index = 0; index < 100; index++) {
        await w.catalog.getDelivery(failed.id);
        await w.look();
      }
    },
    { code: 'not_found' },
  );
});

test('an endpoint that is removed while it is told leaves no trouble', async (t) => {
  const w = await WebhookWorld.make(t);
  const { endpoint } = await w.endpoint('/');
  const logger = new KeepingLogger();
  w.receiver.answer = async () => {
    await w.catalog.deleteEndpoint(endpoint.id);
    return { status: 200 };
  };
  const dispatcher = await w.dispatch({ logger });
  await w.publish();
  await w.look();
  await w.receiver.at('/', 1);
  await w.stop(dispatcher);
  assert.deepEqual((await w.catalog.listDeliveries({}, { limit: 10 })).items, []);
  assert.deepEqual(logger.errors, []);
});
