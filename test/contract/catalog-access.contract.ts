import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiKey, CatalogChange } from '../../src/catalog/catalog.ts';
import type { Marker } from '../../src/timeline/marker.ts';
import {
  allPages,
  appendRun,
  at,
  makeWorld,
  type MakeCatalog,
  newHold,
  newSegment,
  newStream,
  record,
  throwsCode,
} from './catalog-world.ts';

const HOUR_MS = 3_600_000;

/** Registers the contract of {@link MarkerStore}, {@link AccessStore} and the change feed. */
export function accessContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, markers: ${adapter}`, () => {
    test('markers are listed by time, narrowed to what overlaps a range, in pages of any size', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const plans = [
        ['d', 30, null],
        ['a', 10, null],
        ['range', 5, 20],
        ['b', 20, null],
        ['c', 20, null],
        ['point', 15, 15],
      ] as const;
      for (const [name, from, until] of plans) await w.catalog.addMarker(marker(id, name, from, until));
      const labels = async (filter: Parameters<typeof w.catalog.listMarkers>[1]): Promise<string> =>
        (await w.catalog.listMarkers(id, filter, { limit: 100 })).items.map(({ label }) => label).join();
      assert.equal(await labels({}), 'range,a,point,b,c,d');
      assert.equal(await labels({ fromMs: at(10), toMs: at(20) }), 'range,a,point');
      assert.equal(await labels({ fromMs: at(19.999), toMs: at(20.001) }), 'range,b,c');
      assert.equal(await labels({ fromMs: at(20) }), 'b,c,d', 'a range ends before its end');
      assert.equal(await labels({ toMs: at(10) }), 'range');
      for (const limit of [1, 2, 3, 6]) {
        const paged = await allPages((cursor) => w.catalog.listMarkers(id, {}, { limit, ...(cursor && { cursor }) }));
        assert.equal(paged.map(({ label }) => label).join(), 'range,a,point,b,c,d');
      }
      await throwsCode(w.catalog.listMarkers(id, {}, { limit: 1, cursor: 'nonsense' }), 'invalid_argument');
    });

    test('after a marker come those made after it, in order of making, whoever made them', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      const { id } = await w.stream();
      const made: string[] = [];
      for (let index = 0; index < 12; index++) {
        const catalog = index % 2 === 0 ? w.catalog : other;
        made.push((await catalog.addMarker(marker(id, `m${index}`, 100 - index, null))).id);
      }
      const burst = await Promise.all(
        [12, 13, 14].map((index) => w.catalog.addMarker(marker(id, `m${index}`, 1, null))),
      );
      made.push(...burst.map((one) => one.id));
      const after = String(made[3]);
      const rest = await allPages((cursor) =>
        other.listMarkers(id, { after }, { limit: 4, ...(cursor && { cursor }) }),
      );
      assert.deepEqual(
        rest.map((one) => one.id),
        made.slice(4),
      );
      await throwsCode(w.catalog.listMarkers(id, { after: 'mrk_missing' }, { limit: 4 }), 'not_found');
    });

    test('a marker is read as it was made, and deleted from its own stream alone', async (t) => {
      const w = await makeWorld(t, make);
      const [a, b] = [await w.stream(), await w.stream()];
      const made = await w.catalog.addMarker({ ...marker(a.id, 'ä', 1, 2), data: { deep: [1, { x: null }] } });
      assert.deepEqual((await w.catalog.listMarkers(a.id, {}, { limit: 1 })).items, [made]);
      assert.deepEqual(made.data, { deep: [1, { x: null }] });
      await throwsCode(w.catalog.deleteMarker(b.id, made.id), 'not_found');
      await throwsCode(w.catalog.addMarker(marker('str_missing', 'x', 1, null)), 'not_found');
      await throwsCode(w.catalog.addMarker(marker(a.id, 'x', 2, 1)), 'invalid_argument');
      await throwsCode(w.catalog.addMarker({ ...marker(a.id, 'x', 1, null), id: made.id }), 'conflict');
      await w.catalog.deleteMarker(a.id, made.id);
      await throwsCode(w.catalog.deleteMarker(a.id, made.id), 'not_found');
    });
  });

  describe(`catalog contract, access: ${adapter}`, () => {
    test('a key is found by its secret until it is revoked', async (t) => {
      const w = await makeWorld(t, make);
      const key = await w.catalog.createKey(newKey('key_1', 'tenant'), 'aa');
      await w.catalog.createKey(newKey('key_2', null), 'bb');
      assert.deepEqual(await (await w.another()).findKey('aa'), key);
      assert.equal(await w.catalog.findKey('cc'), null);
      const bound = await w.catalog.createKey({ ...newKey('key_3', 'tenant'), streamId: 'str_1' }, 'ee');
      assert.equal(bound.streamId, 'str_1');
      assert.deepEqual(await (await w.another()).findKey('ee'), bound);
      await throwsCode(w.catalog.createKey(newKey('key_4', null), 'aa'), 'conflict');
      await throwsCode(w.catalog.createKey(newKey('key_1', null), 'dd'), 'conflict');
      const revoked = await w.catalog.revokeKey('key_1');
      assert.equal(revoked.revokedAtMs, w.clock.nowMs());
      await w.pass(10);
      assert.deepEqual(await w.catalog.revokeKey('key_1'), revoked);
      assert.equal(await w.catalog.findKey('aa'), null);
      assert.deepEqual(
        (await w.catalog.listKeys()).map(({ id }) => id),
        ['key_1', 'key_2', 'key_3'],
      );
      await throwsCode(w.catalog.revokeKey('key_missing'), 'not_found');
    });

    test('a secret is made once, whoever asks first', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      let made = 0;
      const ask = (index: number): Promise<Uint8Array> =>
        (index % 2 === 0 ? w.catalog : other).serverSecret('tokens', () => Uint8Array.of(++made, 0, 255));
      const secrets = await Promise.all(Array.from({ length: 10 }, (_, index) => ask(index)));
      assert.equal(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size, 1);
      assert.deepEqual(await ask(0), secrets[0]);
      assert.notDeepEqual(await w.catalog.serverSecret('other', () => Uint8Array.of(9)), secrets[0]);
    });

    test('a repeated request gets the first answer; another one under its key, or one too early, is a conflict', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      assert.equal(await w.catalog.beginIdempotent('s', 'k', 'aa'), null);
      await throwsCode(other.beginIdempotent('s', 'k', 'aa'), 'conflict');
      assert.equal(await w.catalog.beginIdempotent('s2', 'k', 'aa'), null, 'another scope is another key');
      const answer = { status: 201, body: '{"id":"ä"}' };
      await w.catalog.endIdempotent('s', 'k', answer);
      assert.deepEqual(await other.beginIdempotent('s', 'k', 'aa'), answer);
      await throwsCode(other.beginIdempotent('s', 'k', 'bb'), 'conflict');
      await w.pass(24 * HOUR_MS + 1);
      assert.equal(await w.catalog.beginIdempotent('s', 'k', 'bb'), null, 'forgotten after a day');
    });

    test('a request that failed, or was cut off, may be tried again', async (t) => {
      const w = await makeWorld(t, make);
      assert.equal(await w.catalog.beginIdempotent('s', 'k', 'aa'), null);
      await w.catalog.endIdempotent('s', 'k', null);
      assert.equal(await w.catalog.beginIdempotent('s', 'k', 'aa'), null);
      await w.pass(HOUR_MS);
      assert.equal(await w.catalog.beginIdempotent('s', 'k', 'aa'), null, 'its process must have died');
    });

    test('of many that begin at once one is the first', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? w.catalog : other).beginIdempotent('s', 'k', 'aa')),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    });
  });

  describe(`catalog contract, change feed: ${adapter}`, () => {
    test('a stream to which more happened in the commit of an append is told without it: that alone would not bring anyone up to date', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const { id: other } = await w.stream();
      const changes = record(w.catalog);
      const [, segment] = await Promise.all([
        w.catalog.updateStream(id, { name: 'renamed' }),
        w.catalog.appendSegment(newSegment(other, { at: 0 })),
        w.catalog.appendSegment(newSegment(id, { at: 0 })),
      ]);
      await w.until(() => changes.flatMap(({ streamIds }) => streamIds).includes(other), 'both are told');
      const isWhole = ({ streamIds, appended }: CatalogChange): boolean =>
        streamIds.includes(id) && !appended.some((one) => one.segment.streamId === id);
      assert.ok(changes.some(isWhole), 'one change says that more than an append happened');
      assert.deepEqual(
        changes.flatMap(({ appended }) => appended).filter((one) => one.segment.streamId === other),
        [segment],
      );
    });

    test('a commit is told to its own process with what was appended, and to others as remote', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const other = await w.another();
      const [local, remote] = [record(w.catalog), record(other)];
      const appended = await w.catalog.appendSegment(newSegment(id, { at: 0 }));
      assert.deepEqual(local, [{ streamIds: [id], remote: false, appended: [appended] }], 'told when it resolves');
      await w.until(() => remote.length > 0, 'the other process was told');
      assert.deepEqual(remote, [{ streamIds: [id], remote: true, appended: [] }]);
      await w.pass(2_000);
      assert.equal(local.length, 1, 'one’s own commits are not told as remote');
      assert.equal(remote.length, 1);
    });

    test('every write that a stream shows is told; what it does not show is not', async (t) => {
      const w = await makeWorld(t, make);
      const changes = record(w.catalog);
      const told = async (what: string, write: () => Promise<unknown>): Promise<void> => {
        changes.length = 0;
        await write();
        assert.equal(changes.length, 1, what);
      };
      const stream = newStream();
      const { id } = stream;
      await told('createStream', () => w.catalog.createStream(stream));
      await told('updateStream', () => w.catalog.updateStream(id, { name: 'n' }));
      const [appended] = await appendRun(w.catalog, id, 0, 3);
      await told('createHold', () => w.catalog.createHold(newHold(id, 0, 10, { id: 'hld_1' })));
      await told('updateHold', () => w.catalog.updateHold('hld_1', { name: 'x' }));
      await told('releaseHold', () => w.catalog.releaseHold('hld_1'));
      await told('addMarker', () => w.catalog.addMarker(marker(id, 'x', 1, null)));
      await told('deleteMarker', () => w.catalog.deleteMarker(id, `mrk_x`));
      await told('setSegmentLost', () => w.catalog.setSegmentLost(String(appended?.segment.id), true));
      await told('retireSegments', () =>
        w.catalog.retireSegments({ streamId: id, beforeMs: at(10), limit: 9, dryRun: false }),
      );
      await told('removeSegments', () => w.catalog.removeSegments([String(appended?.segment.id)]));
      const [open] = await w.catalog.openSessions();
      await told('endSession', () =>
        w.catalog.endSession({ sessionId: String(open?.session.id), by: 'offline', archive: null }),
      );
      await told('deleteStream', () => w.catalog.deleteStream(id));
      changes.length = 0;
      await w.catalog.createKey(newKey('key_1', null), 'aa');
      await w.catalog.beginIdempotent('s', 'k', 'aa');
      await throwsCode(w.catalog.updateStream(id, { name: 'gone' }), 'not_found');
      assert.deepEqual(changes, []);
    });

    test('remote changes are not missed when own writes come between', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const other = await w.another();
      const remote = record(other);
      const [first] = await appendRun(w.catalog, id, 0, 1);
      await other.appendSegment(newSegment(id, { at: 10, epochId: first?.epoch.id }));
      await w.until(() => remote.some((change) => change.remote), 'the remote append was told');
      assert.ok(remote.some((change) => change.remote && change.streamIds.includes(id)));
    });

    test('a deletion is told to other processes', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      const other = await w.another();
      const remote = record(other);
      await w.catalog.deleteStream(id);
      await w.until(() => remote.length > 0, 'the deletion was told');
      assert.deepEqual(remote[0], { streamIds: [id], remote: true, appended: [] });
    });

    test('a listener that was taken off, or throws, disturbs nobody', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream();
      let calls = 0;
      const stop = w.catalog.onChange(() => calls++);
      w.catalog.onChange(() => {
        throw new Error('a listener’s own trouble');
      });
      const changes = record(w.catalog);
      await w.catalog.updateStream(id, { name: 'a' });
      stop();
      await w.catalog.updateStream(id, { name: 'b' });
      assert.equal(calls, 1);
      assert.equal(changes.length, 2);
    });

    test('processes that start at once share one database', async (t) => {
      const w = await makeWorld(t, make);
      const many = await Promise.all([w.another(), w.another(), w.another(), w.another()]);
      const streams = await Promise.all(many.map((catalog) => catalog.createStream(newStream())));
      assert.equal((await w.catalog.totals()).streams, streams.length);
    });

    test('a closed catalog refuses; what was under way is done; closing twice or unstarted is harmless', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      const pending = other.createStream(newStream());
      await other.close();
      await other.close();
      const { id } = await pending;
      assert.equal((await w.catalog.getStream(id)).id, id);
      await throwsCode(other.createStream(newStream()), 'unavailable');
      await w.unstarted().close();
    });
  });
}

function marker(streamId: string, name: string, from: number, until: number | null): Omit<Marker, 'createdAtMs'> {
  return {
    id: `mrk_${name}`,
    streamId,
    atMs: at(from),
    untilMs: until === null ? null : at(until),
    label: name,
    type: 'note',
    data: {},
  };
}

function newKey(id: string, tenant: string | null): Omit<ApiKey, 'createdAtMs' | 'revokedAtMs'> {
  return { id, tenant, scopes: ['read', 'manage'], streamId: null, name: `name of ${id}` };
}
