import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatRfc3339, wallMs } from '../../src/base/time.ts';
import { deadLetterTopic } from '../../src/events/event-log.ts';
import { FRAMES_TOPIC, SEGMENTER_GROUP } from '../../src/ingest/frames/frame-event.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const signal = new AbortController().signal;

/** The archives of a store. */
async function archivesOf(
  store: TimelineStore,
): Promise<readonly { readonly fromMs: number; readonly toMs: unknown }[]> {
  return (await store.stores.catalog.listHolds({ kind: 'archive' }, { limit: 100 })).items;
}

describe('the offline checker', () => {
  it('leaves a camera alone that was heard 59 s ago, and ends the session of one that was heard 61 s ago', async () => {
    await using store = await TimelineStore.open();
    const [heard, silent] = [await store.stream('heard'), await store.stream('silent')];
    for (const { id } of [heard, silent]) await store.fill(id, 180_000, 4);
    await store.touch(heard.id, store.nowMs - 59_000);
    await store.touch(silent.id, store.nowMs - 61_000);
    const dry = await store.upkeep.offlineChecker.runOnce({ signal, dryRun: true });
    assert.equal(dry.ended.length, 1);
    const report = await store.upkeep.offlineChecker.runOnce({ signal });
    assert.equal(report.open, 2);
    assert.deepEqual(
      report.ended.map(({ streamName, by }) => ({ streamName, by })),
      [{ streamName: 'silent', by: 'offline' }],
    );
    const [archive, ...others] = await archivesOf(store);
    assert.equal(others.length, 0);
    assert.equal(archive?.fromMs, store.nowMs - 180_000);
    assert.equal(archive.toMs, store.nowMs - 60_000);
    assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).ended.length, 0);
  });

  it('goes by the settings of each stream', async () => {
    await using store = await TimelineStore.open();
    const patient = await store.stream('patient', { offlineAfterMs: 600_000 });
    await store.fill(patient.id, 180_000, 4);
    await store.touch(patient.id, store.nowMs - 61_000);
    assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).ended.length, 0);
  });

  it('makes no archive of a session that was too short', async () => {
    await using store = await TimelineStore.open();
    const { id } = await store.stream('yard');
    await store.append(id, { startMs: store.nowMs - 120_000 });
    await store.touch(id, store.nowMs - 95_000);
    const { ended } = await store.upkeep.offlineChecker.runOnce({ signal });
    assert.deepEqual(
      ended.map(({ archiveId }) => archiveId),
      [null],
    );
    assert.deepEqual(await archivesOf(store), []);
  });

  it('splits a session that grew too long while its camera goes on', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_MAX_SESSION_HOURS: '0.05' });
    const { id } = await store.stream('yard');
    await store.fill(id, 180_000, 6);
    await store.touch(id, store.nowMs);
    const { ended } = await store.upkeep.offlineChecker.runOnce({ signal });
    assert.deepEqual(
      ended.map(({ by }) => by),
      ['maxDuration'],
    );
    assert.equal((await archivesOf(store)).length, 1);
    const next = await store.append(id, { startMs: store.nowMs });
    assert.equal(next.session?.startMs, store.nowMs);
    assert.equal(next.segment.sequence, 6);
    const sessions = await store.stores.catalog.sessionsBetween(id, wallMs(0), wallMs(store.nowMs + 60_000));
    assert.deepEqual(
      sessions.map(({ endedBy }) => endedBy),
      ['maxDuration', null],
    );
    assert.equal((await store.upkeep.doctor.examine({ signal, deep: true })).clean, true);
  });

  it('makes one archive however many checkers run at once', async () => {
    await using store = await TimelineStore.open();
    const { id } = await store.stream('yard');
    await store.fill(id, 180_000, 4);
    await store.touch(id, store.nowMs - 61_000);
    const reports = await Promise.all(Array.from({ length: 5 }, () => store.upkeep.offlineChecker.runOnce({ signal })));
    assert.equal(reports.flatMap(({ ended }) => ended).length, 1);
    assert.equal((await archivesOf(store)).length, 1);
  });

  it('archives a session that ended by itself because the next frame came too late', async () => {
    await using store = await TimelineStore.open();
    const { id } = await store.stream('yard');
    await store.fill(id, 600_000, 4);
    await store.append(id, { startMs: store.nowMs - 60_000 });
    await store.touch(id, store.nowMs);
    await store.upkeep.offlineChecker.runOnce({ signal });
    const archives = await archivesOf(store);
    assert.deepEqual(
      archives.map(({ fromMs, toMs }) => [fromMs, toMs]),
      [[store.nowMs - 600_000, store.nowMs - 480_000]],
    );
    await store.upkeep.offlineChecker.runOnce({ signal });
    assert.equal((await archivesOf(store)).length, 1);
  });

  describe('after a restart', () => {
    /** A store whose only stream is silent, and one event of it that the segmenter has not committed. */
    async function withWaitingEvent(capturedAgoMs: number): Promise<{ store: TimelineStore; event: object }> {
      const store = await TimelineStore.open();
      const { events } = store.stores;
      const { id } = await store.stream('yard');
      await store.fill(id, 180_000, 4);
      await store.touch(id, store.nowMs - 61_000, store.nowMs - 65_000);
      // A group is known to the log from its first membership on; before it nothing counts as waiting.
      const [topic, group] = [FRAMES_TOPIC, SEGMENTER_GROUP];
      const onAssigned = async (): Promise<void> => undefined;
      const consumer = await events.consume({ topic, group, onAssigned, onError: () => undefined });
      await consumer.close();
      const timestamp = formatRfc3339(wallMs(store.nowMs - capturedAgoMs));
      const event = { eventId: 'e1', clientId: 'acme', deviceId: 'yard', timestamp, framePath: 'frames/x.jpg' };
      await events.publish(topic, [{ key: 'acme/yard', value: event }]);
      return { store, event };
    }

    it('waits for frames that are in the log and not yet on the timeline', async () => {
      const { store } = await withWaitingEvent(60_000);
      await using _ = store;
      const first = await store.upkeep.offlineChecker.runOnce({ signal });
      assert.deepEqual([first.ended.length, first.postponed], [0, 1]);
      const { id } = await store.stream('yard');
      await store.append(id, { startMs: store.nowMs - 60_000, frames: 1 });
      await store.touch(id, store.nowMs - 61_000, store.nowMs - 60_000);
      const second = await store.upkeep.offlineChecker.runOnce({ signal });
      assert.deepEqual([second.ended.length, second.postponed], [1, 0]);
      assert.equal((await archivesOf(store))[0]?.toMs, store.nowMs - 55_000);
    });

    it('does not wait for frames that are on the timeline, committed or not', async () => {
      const { store } = await withWaitingEvent(65_000);
      await using _ = store;
      assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).ended.length, 1);
    });

    it('does not wait for frames that went to the dead letters', async () => {
      const { store, event } = await withWaitingEvent(60_000);
      await using _ = store;
      const value = { code: 'corrupt_media', cause: 'no JPEG', tries: 1, event, diedAt: formatRfc3339(store.nowMs) };
      await store.stores.events.publish(deadLetterTopic(FRAMES_TOPIC), [{ key: 'acme/yard', value }]);
      assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).ended.length, 1);
    });

    it('does not wait for ever', async () => {
      const { store } = await withWaitingEvent(60_000);
      await using _ = store;
      assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).postponed, 1);
      await store.clock.advance(890_000);
      assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).postponed, 1);
      await store.clock.advance(20_000);
      assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).ended.length, 1);
    });
  });
});

describe('archive expiry', () => {
  it('lets archives go after their time and not before, and retention then takes what they alone kept', async () => {
    await using store = await TimelineStore.open({
      ZOETROPE_RETENTION_HOURS: '1',
      ZOETROPE_ARCHIVE_RETENTION_DAYS: '0.1',
    });
    const { archiveExpiry, doctor, offlineChecker, retention } = store.upkeep;
    const { id } = await store.stream('yard');
    await store.fill(id, 180_000, 4);
    await store.touch(id, store.nowMs - 61_000);
    await offlineChecker.runOnce({ signal });
    await store.clock.advance(8_639_000);
    assert.equal((await archiveExpiry.runOnce({ signal })).released.length, 0);
    await retention.runOnce({ signal });
    await store.clock.advance(400_000);
    assert.equal((await retention.runOnce({ signal })).swept.segments, 0, 'the archive keeps them');
    const dry = await archiveExpiry.runOnce({ signal, dryRun: true });
    assert.equal(dry.released.length, 1);
    assert.equal((await archivesOf(store)).length, 1);
    assert.equal((await archiveExpiry.runOnce({ signal })).released.length, 1);
    assert.deepEqual(await archivesOf(store), []);
    await store.clock.advance(400_000);
    assert.equal((await retention.runOnce({ signal })).swept.segments, 4);
    assert.deepEqual(await store.objectKeys(), []);
    assert.equal((await doctor.examine({ signal })).clean, true);
  });
});
