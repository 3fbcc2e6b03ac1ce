import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { wallMs, type WallMs } from '../../src/base/time.ts';
import type { NewClip } from '../../src/catalog/clip-store.ts';
import { NO_USAGE } from '../../src/timeline/asset.ts';
import { CLIP_FILE, newClip, newClipTask } from '../contract/clip-world.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const signal = new AbortController().signal;
const TWO_HOURS_S = 7200;
const BYTES = Buffer.from('a movie');

/** A ready clip of a stream with a filled timeline, its file, and what a try that failed left. */
async function readyClip(store: TimelineStore, expiresAtMs: WallMs | null = null): Promise<NewClip> {
  const { catalog, objects } = store.stores;
  const { id: streamId } = await store.stream(`camera-${store.clock.nowMs()}`);
  await store.fill(streamId, 600_000, 3);
  const fromMs = wallMs(store.nowMs - 600_000);
  const spec = { fromMs, toMs: wallMs(fromMs + 60_000), mode: 'exact', gaps: 'skip', speed: 1 } as const;
  const clip = newClip({ streamId, spec, expiresAtMs });
  await catalog.createClip(clip, newClipTask());
  const lease = await catalog.claimTask({ workerId: 'w', leaseMs: 1000 });
  assert.equal(lease?.clip?.id, clip.id);
  const objectKey = `clips/${clip.id}/2.mp4`;
  await objects.put(`clips/${clip.id}/1.mp4`, BYTES);
  await objects.put(objectKey, BYTES);
  const sha256 = createHash('sha256').update(BYTES).digest('hex');
  const result = { ...CLIP_FILE, objectKey, sizeBytes: BYTES.length, sha256 };
  const outcome = { kind: 'done', result, usage: NO_USAGE, shares: null } as const;
  assert.equal(await catalog.finishTask({ taskId: lease?.task.id ?? '', attempt: 1 }, outcome), true);
  return clip;
}

async function age(store: TimelineStore): Promise<void> {
  const atS = store.nowMs / 1000 - TWO_HOURS_S;
  for (const key of await store.objectKeys('clips/')) {
    const path = await store.stores.objects.localPath(key);
    if (path !== null) await utimes(path, atS, atS);
  }
}

describe('clips and upkeep', () => {
  it('one whose time is over goes with its objects, another stays', async () => {
    await using store = await TimelineStore.open();
    const { catalog } = store.stores;
    const kept = await readyClip(store);
    await store.clock.advance(1);
    const gone = await readyClip(store, wallMs(store.nowMs + 1000));
    await store.clock.advance(2000);
    const { clipExpiry } = store.upkeep;
    const preview = await clipExpiry.runOnce({ signal, dryRun: true });
    assert.deepEqual(
      preview.removed.map(({ id }) => id),
      [gone.id],
    );
    await catalog.getClip(gone.id);
    await clipExpiry.runOnce({ signal });
    await assert.rejects(catalog.getClip(gone.id), { code: 'not_found' });
    assert.deepEqual(await store.objectKeys(`clips/${gone.id}/`), []);
    assert.equal((await catalog.getClip(kept.id)).state, 'ready');
    assert.equal((await store.objectKeys(`clips/${kept.id}/`)).length, 2);
  });

  it('the sweep takes what tries left and what is of no clip, once it is old; of one under way nothing', async () => {
    await using store = await TimelineStore.open();
    const { catalog, objects } = store.stores;
    const { id, streamId } = await readyClip(store);
    const open = newClip({ streamId });
    await catalog.createClip(open, newClipTask());
    await objects.put(`clips/${open.id}/1.mp4`, BYTES);
    await objects.put('clips/clp_0123456789/1.mp4', BYTES);
    await age(store);
    await store.upkeep.orphanSweep.runOnce({ signal });
    assert.deepEqual(await store.objectKeys('clips/'), [`clips/${id}/2.mp4`, `clips/${open.id}/1.mp4`].sort());
  });

  it('a source under way survives retention, and goes when the clip has ended', async () => {
    await using store = await TimelineStore.open({ ZOETROPE_RETENTION_HOURS: '0.1' });
    const { catalog } = store.stores;
    const { id: streamId } = await store.stream('held');
    await store.fill(streamId, 3_600_000, 3);
    const before = await store.segmentIds(streamId);
    assert.equal(before.length, 3);
    const fromMs = wallMs(store.nowMs - 3_700_000);
    const spec = { fromMs, toMs: wallMs(store.nowMs), mode: 'exact', gaps: 'skip', speed: 1 } as const;
    const clip = newClip({ streamId, spec });
    await catalog.createClip(clip, newClipTask());
    const retire = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await store.upkeep.retention.runOnce({ signal });
        await store.clock.advance(600_000);
      }
    };
    await retire();
    const { segments } = await catalog.segmentsBetween(streamId, fromMs, spec.toMs, 10);
    assert.deepEqual(
      segments.map(({ id }) => id),
      before,
    );
    await catalog.cancelClip(clip.id);
    await retire();
    assert.deepEqual(await store.segmentIds(streamId), []);
    assert.deepEqual(await store.objectKeys('media/'), []);
  });

  it('the doctor finds a file that is gone or changed, and a hold that nobody needs', async () => {
    await using store = await TimelineStore.open();
    const { catalog, objects } = store.stores;
    const { id, streamId } = await readyClip(store);
    const { doctor } = store.upkeep;
    assert.deepEqual((await doctor.examine({ signal, deep: true })).findings, []);
    const key = `clips/${id}/2.mp4`;
    await objects.put(key, Buffer.from('A MOVIE'));
    const changed = await doctor.examine({ signal, deep: true });
    assert.deepEqual(
      changed.findings.map(({ check, subject }) => [check, subject]),
      [['objects', id]],
    );
    await objects.delete([key]);
    assert.match((await doctor.examine({ signal })).findings[0]?.message ?? '', /is not there/);
    await catalog.deleteClip(id);
    const { fromMs, toMs } = newClip({ streamId }).spec;
    const range = { fromMs: wallMs(store.nowMs - (toMs - fromMs)), toMs: store.nowMs };
    const hold = { streamId, kind: 'clip', name: 'left', sessionId: null, expiresAtMs: null, ...range } as const;
    await catalog.createHold({ id: 'hld_0123456789', ...hold });
    const left = await doctor.examine({ signal, repair: true });
    assert.ok(
      left.findings.some(
        ({ check, subject, repaired }) => check === 'holds' && subject === 'hld_0123456789' && repaired,
      ),
      JSON.stringify(left.findings),
    );
    assert.deepEqual((await catalog.listHolds({ streamId }, { limit: 9 })).items, []);
  });
});
