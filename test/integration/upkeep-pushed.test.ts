import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { wallMs } from '../../src/base/time.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream, type PushTarget } from '../fixtures/pushed-stream.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const signal = new AbortController().signal;
const WINDOW_MS = 300_000;

function targetOf({ stores, clock }: TimelineStore): PushTarget {
  return { catalog: stores.catalog, objects: stores.objects, clock };
}

describe('upkeep of pushed streams', () => {
  let media: PushedMedia;
  let small: PushedMedia;
  before(() => {
    media = new PushedMedia({ segmentSeconds: 2 });
    small = new PushedMedia({ segmentSeconds: 2, size: '160x90' });
  });

  test('one whose encoder stays away beyond its window ends where its last segment ends', async () => {
    await using store = await TimelineStore.open();
    const [usual, patient, empty] = [
      await PushedStream.make(targetOf(store), media),
      await PushedStream.make(targetOf(store), media, { settings: { reconnectWindowMs: 3 * WINDOW_MS } }),
      await PushedStream.make(targetOf(store), media),
    ];
    await patient.append();
    await usual.append();
    const endMs = usual.edgeMs;
    const check = async (dryRun = false): Promise<readonly (readonly [string, number])[]> =>
      (await store.upkeep.offlineChecker.runOnce({ signal, dryRun })).endedStreams.map((one) => [
        one.streamId,
        one.endedAtMs,
      ]);
    await store.clock.advance(WINDOW_MS - 1);
    assert.deepEqual(await check(), []);
    await store.clock.advance(2);
    assert.deepEqual(await check(true), [[usual.id, endMs]]);
    assert.equal((await store.stores.catalog.getStream(usual.id)).endedAtMs, null, 'a dry run changes nothing');
    assert.deepEqual(await check(), [[usual.id, endMs]]);
    assert.equal((await store.stores.catalog.getStream(usual.id)).endedAtMs, endMs);
    assert.deepEqual(await check(), []);
    await store.clock.advance(2 * WINDOW_MS);
    assert.deepEqual(await check(), [[patient.id, patient.edgeMs]]);
    assert.equal((await store.stores.catalog.getStream(empty.id)).endedAtMs, null, 'one that never began waits');
  });

  test('its endpoints are told of the end once', async () => {
    await using store = await TimelineStore.open();
    const { catalog } = store.stores;
    await catalog.createEndpoint({
      id: 'whe_1',
      tenant: 'acme',
      url: 'https://example.com/hook',
      types: ['stream.ended'],
      description: '',
      secret: 'whsec_x',
    });
    const pushed = await PushedStream.make(targetOf(store), media);
    await pushed.append();
    await store.clock.advance(2 * WINDOW_MS);
    for (let run = 0; run < 2; run++) await store.upkeep.offlineChecker.runOnce({ signal });
    const { items } = await catalog.listDeliveries({ tenant: 'acme' }, { limit: 10 });
    assert.deepEqual(
      items.map(({ type, subjectId }) => [type, subjectId]),
      [['stream.ended', pushed.id]],
    );
  });

  test('sessions are archived, and retention takes all renditions alike', async () => {
    await using store = await TimelineStore.open();
    const { catalog } = store.stores;
    const pushed = await PushedStream.make(targetOf(store), media, {
      others: { '90p': small },
      settings: { retentionMs: 60_000, minArchiveDurationMs: 1000 },
    });
    const beganMs = pushed.edgeMs;
    await pushed.appendMany(5);
    await pushed.append({ gapMs: 120_000 });
    const { ended } = await store.upkeep.offlineChecker.runOnce({ signal });
    assert.deepEqual(
      ended.map(({ startMs, endMs, archiveId }) => [startMs, endMs, archiveId !== null]),
      [[beganMs, beganMs + 10_000, true]],
    );
    await store.upkeep.retention.runOnce({ signal });
    for (const name of ['main', '90p']) {
      const { segments, rendition } = await catalog.dvrWindow(pushed.id, name);
      assert.deepEqual([segments.length, rendition.dvrMediaSequence], [1, 5], name);
      const kept = await catalog.segmentsBetween(pushed.id, wallMs(beganMs), wallMs(beganMs + 10_000), 10, name);
      assert.equal(kept.segments.length, 5, `the archive keeps ${name}`);
    }
    const [archive] = (await catalog.listHolds({ kind: 'archive' }, { limit: 1 })).items;
    await catalog.releaseHold(archive?.id ?? '');
    await store.clock.advance(600_000);
    await store.upkeep.retention.runOnce({ signal });
    await store.clock.advance(600_000);
    await store.upkeep.retention.runOnce({ signal });
    assert.deepEqual(await store.objectKeys(`media/${pushed.id}/`), []);
  });

  test('the doctor finds nothing in a sound one, and what is wrong in others', async () => {
    await using store = await TimelineStore.open();
    const { catalog, objects } = store.stores;
    const pushed = await PushedStream.make(targetOf(store), media, { others: { '90p': small } });
    await pushed.appendMany(2);
    await pushed.append({ skewMs: 100 });
    await pushed.append({ silent: true });
    await pushed.append({ gapMs: 5000 });
    await pushed.append({ lateAtMs: pushed.edgeMs - 4500 });
    const radio = await PushedStream.make(targetOf(store), new PushedMedia({ hasVideo: false, segmentSeconds: 2 }));
    await radio.appendMany(3);
    const run = async (): Promise<readonly string[]> =>
      (await store.upkeep.doctor.examine({ signal, deep: true })).findings.map(
        ({ check, message }) => `${check}: ${message}`,
      );
    assert.deepEqual(await run(), []);
    const [victim] = (await catalog.dvrWindow(pushed.id, '90p')).segments;
    await objects.delete([victim?.objectKey ?? '']);
    const [finding, ...others] = await run();
    assert.match(finding ?? '', /^objects: Its object .* is not there/);
    assert.deepEqual(others, []);
  });
});
