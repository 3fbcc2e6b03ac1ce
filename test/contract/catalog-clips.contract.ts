import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import type { ClipTaskLease } from '../../src/catalog/asset-store.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { NewClip } from '../../src/catalog/clip-store.ts';
import { NO_USAGE } from '../../src/timeline/asset.ts';
import { newAsset, newTask } from './asset-world.ts';
import { CLIP_FILE, newClip, newClipTask } from './clip-world.ts';
import { makeWorld, newStream, type MakeCatalog } from './catalog-world.ts';

const PAGE = { limit: 10 };

/** Clips: their tasks, their holds, what is left of them. */
export function clipsContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, clips: ${adapter}`, () => {
    test('a clip is what its task is, and its source is held until that has ended', async (t) => {
      const { catalog } = await makeWorld(t, make);
      const clip = await makeClip(catalog);
      const made = await catalog.getClip(clip.id);
      assert.deepEqual([made.state, made.progress, made.file, made.endedAtMs], ['queued', 0, null, null]);
      assert.equal(await catalog.countOpenClips('client'), 1);
      const [hold] = (await catalog.listHolds({ streamId: clip.streamId }, PAGE)).items;
      assert.deepEqual([hold?.id, hold?.kind, hold?.fromMs, hold?.toMs], [clip.holdId, 'clip', 1000, 2000]);
      const lease = await claimClip(catalog);
      assert.equal(lease.clip.id, clip.id);
      await catalog.renewTask({ taskId: lease.task.id, attempt: 1 }, { leaseMs: 1000, progress: 0.5 });
      const working = await catalog.getClip(clip.id);
      assert.deepEqual([working.state, working.progress], ['working', 0.5]);
      assert.equal(await finish(catalog, lease), true);
      const ready = await catalog.getClip(clip.id);
      assert.deepEqual([ready.state, ready.progress, ready.file], ['ready', 1, CLIP_FILE]);
      assert.notEqual(ready.endedAtMs, null);
      assert.deepEqual((await catalog.listHolds({ streamId: clip.streamId }, PAGE)).items, []);
      assert.equal(await catalog.countOpenClips('client'), 0);
      assert.deepEqual(await catalog.objectKeysOf(clip.streamId), [CLIP_FILE.objectKey]);
    });

    test('a try that fails is tried again, and the last one ends it', async (t) => {
      const w = await makeWorld(t, make);
      const { catalog } = w;
      const clip = await makeClip(catalog, {}, 2);
      const cause = { code: 'engine_failed', message: 'No.' } as const;
      for (const expected of ['queued', 'failed'] as const) {
        const { task } = await claimClip(catalog);
        const retryAtMs = w.clock.nowMs();
        const outcome = { kind: 'failed', cause, usage: NO_USAGE, retryAtMs } as const;
        await catalog.finishTask({ taskId: task.id, attempt: task.attempt }, outcome);
        const { state, cause: told } = await catalog.getClip(clip.id);
        assert.deepEqual([state, told], [expected, cause]);
        const isHeld = (await catalog.getHold(clip.holdId)).releasedAtMs === null;
        assert.equal(isHeld, expected === 'queued');
      }
    });

    test('a worker that is lost gives it back, and in the end lets its source go', async (t) => {
      const w = await makeWorld(t, make);
      const { catalog } = w;
      const clip = await makeClip(catalog, {}, 1);
      const lease = await claimClip(catalog);
      await w.pass(20_000);
      assert.equal(await catalog.expireTasks(), 1);
      assert.equal((await catalog.getClip(clip.id)).state, 'failed');
      assert.notEqual((await catalog.getHold(clip.holdId)).releasedAtMs, null);
      assert.equal(await finish(catalog, lease), false);
      assert.equal((await catalog.getClip(clip.id)).file, null);
    });

    test('one that is cancelled can neither be finished nor cancelled again', async (t) => {
      const { catalog } = await makeWorld(t, make);
      const clip = await makeClip(catalog);
      const lease = await claimClip(catalog);
      assert.equal((await catalog.cancelClip(clip.id)).state, 'cancelled');
      const renewal = { leaseMs: 1000, progress: 0.1 };
      assert.equal(await catalog.renewTask({ taskId: lease.task.id, attempt: 1 }, renewal), 'lost');
      assert.equal(await finish(catalog, lease), false);
      const { state, file } = await catalog.getClip(clip.id);
      assert.deepEqual([state, file], ['cancelled', null]);
      assert.notEqual((await catalog.getHold(clip.holdId)).releasedAtMs, null);
      await assert.rejects(catalog.cancelClip(clip.id), { code: 'conflict' });
    });

    test('a clip goes with its task and its hold, and with its stream', async (t) => {
      const { catalog } = await makeWorld(t, make);
      const first = await makeClip(catalog);
      await catalog.deleteClip(first.id);
      await assert.rejects(catalog.getClip(first.id), { code: 'not_found' });
      await assert.rejects(catalog.deleteClip(first.id), { code: 'not_found' });
      assert.notEqual((await catalog.getHold(first.holdId)).releasedAtMs, null);
      assert.equal(await catalog.claimTask({ workerId: 'w', leaseMs: 1000 }), null);
      const second = await makeClip(catalog);
      const lease = await claimClip(catalog);
      await catalog.deleteStream(second.streamId);
      await assert.rejects(catalog.getClip(second.id), { code: 'not_found' });
      assert.equal(await finish(catalog, lease), false);
    });

    test('lists are of a stream, of a tenant, or of what is to expire; newest first', async (t) => {
      const w = await makeWorld(t, make);
      const { catalog } = w;
      const a = await makeClip(catalog, { expiresAtMs: wallMs(5) });
      await w.pass(10);
      const b = await makeClip(catalog, { streamId: a.streamId, expiresAtMs: null });
      await w.pass(10);
      const c = await makeClip(catalog);
      const ids = async (filter: Parameters<Catalog['listClips']>[0]): Promise<readonly string[]> =>
        (await catalog.listClips(filter, PAGE)).items.map(({ id }) => id);
      assert.deepEqual(await ids({ streamId: a.streamId }), [b.id, a.id]);
      assert.deepEqual(await ids({ tenant: 'client' }), [c.id, b.id, a.id]);
      assert.deepEqual(await ids({ tenant: 'other' }), []);
      assert.deepEqual(await ids({ expiredByMs: wallMs(6) }), [a.id]);
      const page = await catalog.listClips({ tenant: 'client' }, { limit: 2 });
      assert.ok(page.nextCursor !== null);
      const rest = await catalog.listClips({ tenant: 'client' }, { limit: 2, cursor: page.nextCursor });
      assert.deepEqual(
        rest.items.map(({ id }) => id),
        [a.id],
      );
    });

    test('clips take turns with assets: by rank, then the clip that waits longest', async (t) => {
      const w = await makeWorld(t, make);
      const { catalog } = w;
      const tasks = [newTask({ rank: 0 }), newTask({ rank: 1 })];
      const { id: assetId } = await catalog.createAsset(newAsset(), tasks, []);
      const first = await makeClip(catalog);
      await w.pass(10);
      const second = await makeClip(catalog);
      const order: string[] = [];
      for (;;) {
        const lease = await catalog.claimTask({ workerId: 'w', leaseMs: 1000 });
        if (lease === null) break;
        order.push(lease.clip === undefined ? lease.asset.id : lease.clip.id);
      }
      assert.deepEqual(order, [assetId, first.id, second.id, assetId]);
      assert.equal(await catalog.claimTask({ workerId: 'w', leaseMs: 1000, kinds: ['video'] }), null);
    });

    test('a clip needs its stream, and an id of its own', async (t) => {
      const { catalog } = await makeWorld(t, make);
      await assert.rejects(makeClip(catalog, { streamId: randomIds.next('stream') }), { code: 'not_found' });
      const { id, streamId } = await makeClip(catalog);
      await assert.rejects(makeClip(catalog, { id, streamId }), { code: 'conflict' });
    });
  });
}

async function makeClip(catalog: Catalog, fields: Partial<NewClip> = {}, maxAttempts = 3): Promise<NewClip> {
  const streamId = fields.streamId ?? randomIds.next('stream');
  if (fields.streamId === undefined) {
    await catalog.createStream(newStream({ id: streamId, tenant: 'client', deviceId: streamId }));
  }
  const clip = newClip({ streamId, ...fields });
  await catalog.createClip(clip, newClipTask({ maxAttempts }));
  return clip;
}

async function claimClip(catalog: Catalog): Promise<ClipTaskLease> {
  const lease = await catalog.claimTask({ workerId: 'worker', leaseMs: 10_000 });
  assert.ok(lease?.clip !== undefined, 'there is a clip to be made');
  return lease;
}

function finish(catalog: Catalog, { task }: ClipTaskLease): Promise<boolean> {
  const outcome = { kind: 'done', result: CLIP_FILE, usage: NO_USAGE, shares: null } as const;
  return catalog.finishTask({ taskId: task.id, attempt: task.attempt }, outcome);
}
