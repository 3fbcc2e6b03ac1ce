import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import type { WebhookDelivery, WebhookEndpoint } from '../../src/catalog/webhook-store.ts';
import { assetWith, newAsset, newEvent, newTask, settle } from './asset-world.ts';
import {
  allPages,
  at,
  makeWorld,
  type MakeCatalog,
  newHold,
  newSegment,
  throwsCode,
  type World,
} from './catalog-world.ts';

const LEASE_MS = 30_000;

/** Registers the contract of {@link WebhookStore}. */
export function webhooksContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, webhooks: ${adapter}`, () => {
    test('an endpoint is read as it was made, changed, listed in pages and deleted', async (t) => {
      const w = await makeWorld(t, make);
      const made = await endpoint(w, { types: ['asset.ready'], description: 'Tür' });
      assert.deepEqual([made.enabled, made.disabledCause, made.createdAtMs], [true, null, w.clock.nowMs()]);
      assert.deepEqual(made.secrets, [{ secret: 'whsec_1', createdAtMs: w.clock.nowMs(), expiresAtMs: null }]);
      const other = await w.another();
      assert.deepEqual(await other.getEndpoint(made.id), made);
      await throwsCode(endpoint(w, { id: made.id }), 'conflict');
      const changed = await other.updateEndpoint(made.id, { url: 'https://b/', types: [], description: '' });
      assert.deepEqual(changed, { ...made, url: 'https://b/', types: [], description: '' });
      assert.deepEqual(await w.catalog.getEndpoint(made.id), changed);
      for (let index = 0; index < 3; index++) await endpoint(w, { tenant: 'other' });
      const all = (await w.catalog.listEndpoints({}, { limit: 10 })).items;
      assert.equal(all.length, 4);
      const paged = await allPages((cursor) => w.catalog.listEndpoints({}, { limit: 1, ...(cursor && { cursor }) }));
      assert.deepEqual(paged, all);
      assert.deepEqual((await w.catalog.listEndpoints({ tenant: 'tenant' }, { limit: 10 })).items, [changed]);
      await w.catalog.deleteEndpoint(made.id);
      await throwsCode(w.catalog.getEndpoint(made.id), 'not_found');
      await throwsCode(w.catalog.updateEndpoint(made.id, {}), 'not_found');
      await throwsCode(w.catalog.deleteEndpoint(made.id), 'not_found');
      await throwsCode(w.catalog.listEndpoints({}, { limit: 1, cursor: 'x' }), 'invalid_argument');
    });

    test('secrets are newest first, and one that was replaced goes when its time is over', async (t) => {
      const w = await makeWorld(t, make);
      const made = await endpoint(w);
      const [old] = made.secrets;
      await w.pass(10);
      const nowMs = w.clock.nowMs();
      const fresh = { secret: 'whsec_2', createdAtMs: nowMs, expiresAtMs: null };
      const leaving = { secret: 'whsec_1', createdAtMs: old?.createdAtMs ?? nowMs, expiresAtMs: wallMs(nowMs + 1_000) };
      const rotated = await w.catalog.updateEndpoint(made.id, { secrets: [leaving, fresh] });
      assert.deepEqual(rotated.secrets, [fresh, leaving]);
      await w.pass(1_000);
      assert.deepEqual((await w.catalog.getEndpoint(made.id)).secrets, [fresh]);
    });

    test('an event goes to each enabled endpoint of its tenant that wants its type, and to its own address', async (t) => {
      const w = await makeWorld(t, make);
      const all = await endpoint(w, { url: 'https://all/' });
      const some = await endpoint(w, { url: 'https://some/', types: ['asset.failed', 'asset.created'] });
      await endpoint(w, { types: ['asset.ready'] });
      await endpoint(w, { tenant: 'other' });
      const disabled = await endpoint(w);
      await w.catalog.updateEndpoint(disabled.id, { enabled: false });
      const { id } = newAsset();
      const event = newEvent({ subjectId: id, extraUrl: 'https://own/', data: { asset: { id, name: 'ä' } } });
      await w.catalog.createAsset(newAsset({ id }), [], [event]);
      const { items } = await w.catalog.listDeliveries({}, { limit: 10 });
      assert.deepEqual(
        items.map(({ endpointId, url }) => `${endpointId} ${url}`).toSorted(),
        [`${all.id} https://all/`, `${some.id} https://some/`, 'null https://own/'].toSorted(),
      );
      assert.equal(new Set(items.map(({ eventId }) => eventId)).size, 1, 'one event, whoever is told');
      const [one] = items;
      assert.deepEqual([one?.state, one?.tries, one?.type, one?.subjectId], ['waiting', [], 'asset.created', id]);
      assert.deepEqual([one?.nextTryAtMs, one?.createdAtMs, one?.tenant], [w.clock.nowMs(), w.clock.nowMs(), 'tenant']);
      assert.deepEqual(JSON.parse(one?.payload ?? ''), {
        type: 'asset.created',
        timestamp: new Date(w.clock.nowMs()).toISOString(),
        data: { asset: { id, name: 'ä' } },
      });
      assert.deepEqual(await (await w.another()).getDelivery(one?.id ?? ''), one);
      await throwsCode(w.catalog.getDelivery('whd_missing'), 'not_found');
    });

    test('an event is there if and only if what it tells of is', async (t) => {
      const w = await makeWorld(t, make);
      await endpoint(w);
      const task = newTask();
      const plan = newAsset();
      await throwsCode(w.catalog.createAsset(plan, [task, task], [newEvent()]), 'conflict');
      const { asset } = await assetWith(w, {});
      assert.equal(await w.catalog.settleAsset(asset.id, asset.version - 1, { events: [newEvent()] }), null);
      assert.deepEqual(await told(w), []);
      await settle(w.catalog, asset, {
        events: [newEvent({ type: 'asset.playable' }), newEvent({ type: 'asset.ready' })],
      });
      await w.catalog.deleteAsset(asset.id, [newEvent({ type: 'asset.deleted' })]);
      assert.deepEqual(await told(w), ['asset.playable', 'asset.ready', 'asset.deleted'], 'in order of making');
    });

    test('deliveries that are due are taken once, oldest first, until the lease of whoever has them ends', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      await endpoint(w);
      const { asset } = await assetWith(w, {});
      for (const type of ['asset.created', 'asset.playable', 'asset.ready'] as const) {
        await settle(w.catalog, asset, { events: [newEvent({ type })] });
      }
      const claims = await Promise.all([
        w.catalog.claimDeliveries({ limit: 2, leaseMs: LEASE_MS }),
        other.claimDeliveries({ limit: 2, leaseMs: LEASE_MS }),
      ]);
      assert.deepEqual(
        claims
          .flat()
          .map(({ type }) => type)
          .toSorted(),
        ['asset.created', 'asset.playable', 'asset.ready'],
      );
      assert.ok(claims.some((taken) => taken[0]?.type === 'asset.created' && taken[1]?.type === 'asset.playable'));
      assert.deepEqual(await claimAll(w), []);
      await w.pass(LEASE_MS);
      assert.deepEqual(
        (await claimAll(w)).map(({ type }) => type),
        ['asset.created', 'asset.playable', 'asset.ready'],
      );
    });

    test('a claim leaves out tenants, endpoints and addresses that are busy', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [await endpoint(w), await endpoint(w)];
      await endpoint(w, { tenant: 'other' });
      const { asset } = await assetWith(w, {});
      const events = [
        newEvent({ extraUrl: 'https://Host/a' }),
        newEvent({ extraUrl: 'https://host/%' }),
        newEvent({ tenant: 'other', extraUrl: 'https://host/b' }),
      ];
      await settle(w.catalog, asset, { events });
      const urls = async (except: object): Promise<string[]> => {
        const nothing = { tenants: [], endpointIds: [], urlPrefixes: [] };
        const taken = await w.catalog.claimDeliveries({ limit: 99, leaseMs: 1, except: { ...nothing, ...except } });
        await w.pass(1);
        return taken.map(({ url, endpointId, tenant }) => (endpointId === null ? url : tenant)).toSorted();
      };
      const own = ['https://Host/a', 'https://host/%', 'https://host/b'];
      assert.equal((await urls({})).length, 8);
      assert.deepEqual(await urls({ tenants: ['tenant'] }), ['https://host/b', 'other']);
      assert.deepEqual(await urls({ endpointIds: [a.id, b.id] }), [...own, 'other']);
      assert.deepEqual(await urls({ endpointIds: [a.id, b.id], urlPrefixes: ['https://host/'] }), [
        'https://Host/a',
        'other',
      ]);
      assert.deepEqual(await urls({ tenants: ['other'], endpointIds: [a.id], urlPrefixes: ['https://host/%', 'x'] }), [
        'https://Host/a',
        'tenant',
        'tenant',
      ]);
    });

    test('a try is noted: delivered, to be tried again, or failed for good', async (t) => {
      const w = await makeWorld(t, make);
      const target = await endpoint(w);
      const one = await deliveryTo(w, target);
      const nowMs = w.clock.nowMs();
      const bad = { atMs: nowMs, status: 500, durationMs: 12, error: 'HTTP 500' };
      await w.catalog.recordTry(one.id, bad, wallMs(nowMs + 5_000));
      const waiting = await w.catalog.getDelivery(one.id);
      assert.deepEqual(waiting, { ...one, tries: [bad], nextTryAtMs: nowMs + 5_000 });
      assert.deepEqual(await claimAll(w), []);
      await w.pass(5_000);
      assert.deepEqual(await claimAll(w), [waiting]);
      const good = { atMs: w.clock.nowMs(), status: 204, durationMs: 3, error: null };
      await w.catalog.recordTry(one.id, good, null);
      const delivered = { ...waiting, tries: [bad, good], state: 'delivered', nextTryAtMs: null };
      assert.deepEqual(await w.catalog.getDelivery(one.id), delivered);
      await w.catalog.recordTry(one.id, bad, wallMs(nowMs));
      assert.equal((await w.catalog.getDelivery(one.id)).state, 'delivered', 'whatever a late sender says');
      const two = await deliveryTo(w, target);
      await w.catalog.recordTry(two.id, { ...bad, status: null }, null);
      assert.equal((await w.catalog.getDelivery(two.id)).state, 'failed');
      await w.pass(LEASE_MS);
      assert.deepEqual(await claimAll(w), []);
      await throwsCode(w.catalog.recordTry('whd_missing', bad, null), 'not_found');
    });

    test('a redelivery is sent at once with the same event id', async (t) => {
      const w = await makeWorld(t, make);
      const target = await endpoint(w);
      const one = await deliveryTo(w, target);
      await w.catalog.recordTry(one.id, { atMs: w.clock.nowMs(), status: 200, durationMs: 1, error: null }, null);
      await w.pass(1_000);
      const again = await w.catalog.redeliver(one.id);
      assert.deepEqual([again.state, again.nextTryAtMs, again.eventId], ['waiting', w.clock.nowMs(), one.eventId]);
      assert.equal(again.tries.length, 1);
      assert.deepEqual(await claimAll(w), [again]);
      await w.catalog.recordTry(one.id, { atMs: w.clock.nowMs(), status: 200, durationMs: 1, error: null }, null);
      await w.catalog.updateEndpoint(target.id, { enabled: false });
      await throwsCode(w.catalog.redeliver(one.id), 'conflict');
      await w.catalog.deleteEndpoint(target.id);
      await throwsCode(w.catalog.redeliver(one.id), 'not_found');
      await throwsCode(w.catalog.redeliver('whd_missing'), 'not_found');
    });

    test('what waits for a disabled endpoint waits until it is enabled again', async (t) => {
      const w = await makeWorld(t, make);
      const target = await endpoint(w);
      const [one, two] = [await deliveryTo(w, target), await deliveryTo(w, target)];
      const disabled = await w.catalog.updateEndpoint(target.id, { enabled: false, disabledCause: 'It answered 410.' });
      assert.deepEqual([disabled.enabled, disabled.disabledCause], [false, 'It answered 410.']);
      const bad = { atMs: w.clock.nowMs(), status: 500, durationMs: 1, error: 'HTTP 500' };
      await w.catalog.recordTry(two.id, bad, wallMs(w.clock.nowMs() + 10));
      await w.pass(LEASE_MS);
      assert.deepEqual(await claimAll(w), []);
      assert.equal((await w.catalog.getDelivery(one.id)).state, 'waiting');
      const enabled = await w.catalog.updateEndpoint(target.id, { enabled: true, url: 'https://moved/' });
      assert.deepEqual([enabled.enabled, enabled.disabledCause], [true, null]);
      assert.deepEqual(
        (await claimAll(w)).map(({ id, url }) => [id, url]),
        [
          [one.id, 'https://moved/'],
          [two.id, 'https://moved/'],
        ],
      );
    });

    test('with an endpoint go the deliveries that wait for it, and the log of the others stays', async (t) => {
      const w = await makeWorld(t, make);
      const [target, kept] = [await endpoint(w), await endpoint(w)];
      const ended = await deliveryTo(w, target);
      await w.catalog.recordTry(ended.id, { atMs: w.clock.nowMs(), status: 200, durationMs: 1, error: null }, null);
      const { asset } = await assetWith(w, {});
      await settle(w.catalog, asset, { events: [newEvent({ type: 'asset.ready' })] });
      await w.catalog.deleteEndpoint(target.id);
      const left = (await w.catalog.listDeliveries({ state: 'waiting' }, { limit: 9 })).items;
      assert.deepEqual([...new Set(left.map(({ endpointId }) => endpointId))], [kept.id]);
      assert.equal((await w.catalog.getDelivery(ended.id)).state, 'delivered');
    });

    test('the log is newest first, narrowed and paged, and forgotten when it is old', async (t) => {
      const w = await makeWorld(t, make);
      const target = await endpoint(w);
      const ids: string[] = [];
      for (let index = 0; index < 5; index++) {
        ids.unshift((await deliveryTo(w, target, `ast_${index}`)).id);
        await w.pass(10);
      }
      const all = (await w.catalog.listDeliveries({}, { limit: 10 })).items;
      assert.deepEqual(
        all.map(({ id }) => id),
        ids,
      );
      const paged = await allPages((cursor) => w.catalog.listDeliveries({}, { limit: 2, ...(cursor && { cursor }) }));
      assert.deepEqual(paged, all);
      const good = { atMs: w.clock.nowMs(), status: 200, durationMs: 1, error: null };
      await w.catalog.recordTry(String(ids[0]), good, null);
      const listed = async (filter: Parameters<typeof w.catalog.listDeliveries>[0]): Promise<string[]> =>
        (await w.catalog.listDeliveries(filter, { limit: 9 })).items.map(({ id }) => id);
      assert.deepEqual(await listed({ state: 'delivered' }), [ids[0]]);
      assert.deepEqual(await listed({ subjectId: 'ast_3', tenant: 'tenant', endpointId: target.id }), [ids[1]]);
      assert.deepEqual(await listed({ tenant: 'other' }), []);
      assert.deepEqual(await listed({ endpointId: 'whe_missing' }), []);
      await throwsCode(w.catalog.listDeliveries({}, { limit: 1, cursor: 'x' }), 'invalid_argument');
      assert.equal(await w.catalog.forgetDeliveries(w.clock.nowMs()), 0);
      await w.pass(1);
      assert.equal(await w.catalog.forgetDeliveries(w.clock.nowMs()), 1, 'what waits is not forgotten');
      assert.deepEqual(await listed({}), ids.slice(1));
    });

    test('a stream tells of its sessions as they begin and end', async (t) => {
      const w = await makeWorld(t, make);
      const stream = await w.stream({ deviceId: 'cam', name: 'Tür' });
      await w.catalog.appendSegment(newSegment(stream.id, { at: 0 }));
      assert.deepEqual(await told(w), [], 'nobody wants to know');
      await endpoint(w, { types: ['stream.online', 'stream.offline'] });
      await w.catalog.appendSegment(newSegment(stream.id, { at: 10 }));
      assert.deepEqual(await told(w), [], 'it goes on');
      await w.catalog.appendSegment(newSegment(stream.id, { at: 500 }));
      assert.deepEqual(await told(w), ['stream.offline', 'stream.online']);
      const { items } = await w.catalog.listDeliveries({ subjectId: stream.id }, { limit: 9 });
      const [open] = await w.catalog.openSessions();
      const { data } = JSON.parse(items[0]?.payload ?? '') as { data: object };
      const about = { streamId: stream.id, deviceId: 'cam', name: 'Tür' };
      assert.deepEqual(data, { ...about, sessionId: open?.session.id, at: new Date(at(500)).toISOString() });
      const sessionId = String(open?.session.id);
      await w.catalog.endSession({ sessionId, by: 'maxDuration', archive: newHold(stream.id, 500, 510) });
      await w.catalog.endSession({ sessionId, by: 'offline', archive: null });
      assert.deepEqual(await told(w), ['stream.offline', 'stream.online', 'stream.offline']);
      const [last] = (await w.catalog.listDeliveries({}, { limit: 1 })).items;
      assert.deepEqual((JSON.parse(last?.payload ?? '') as { data: object }).data, {
        ...about,
        sessionId,
        at: new Date(at(510)).toISOString(),
        endedBy: 'maxDuration',
      });
      await w.catalog.appendSegment(newSegment(stream.id, { at: 510 }));
      await w.catalog.deleteStream(stream.id);
      assert.deepEqual((await told(w)).slice(3), ['stream.online', 'stream.offline']);
    });
  });
}

async function endpoint(w: World, fields: Partial<WebhookEndpoint> = {}): Promise<WebhookEndpoint> {
  const {
    id = randomIds.next('endpoint'),
    tenant = 'tenant',
    url = 'https://a/',
    types = [],
    description = '',
  } = fields;
  return w.catalog.createEndpoint({ id, tenant, url, types, description, secret: 'whsec_1' });
}

/** A delivery to an endpoint, by an event that all of its tenant are told of. */
async function deliveryTo(w: World, target: WebhookEndpoint, subjectId = 'ast_1'): Promise<WebhookDelivery> {
  const { asset } = await assetWith(w, {});
  await settle(w.catalog, asset, { events: [newEvent({ subjectId })] });
  const { items } = await w.catalog.listDeliveries({ endpointId: target.id }, { limit: 1 });
  const [delivery] = items;
  assert.ok(delivery !== undefined);
  return delivery;
}

async function claimAll(w: World): Promise<readonly WebhookDelivery[]> {
  return w.catalog.claimDeliveries({ limit: 100, leaseMs: LEASE_MS });
}

/** Types of events, in order of making; each is told to one endpoint. */
async function told(w: World): Promise<string[]> {
  return (await w.catalog.listDeliveries({}, { limit: 100 })).items.map(({ type }) => type).toReversed();
}
