import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wallMs } from '../../src/base/time.ts';
import type { AssetFilter } from '../../src/catalog/asset-store.ts';
import { assetWith, claim, done, newAsset, newAssetSegment, newOutput, newTask, settle, tryOf } from './asset-world.ts';
import { allPages, at, collect, makeWorld, type MakeCatalog, newSegment, record, throwsCode } from './catalog-world.ts';

/** Registers the contract of assets and their outputs in {@link AssetStore}. */
export function assetsContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, assets: ${adapter}`, () => {
    test('an asset is read as it was made, by every process, with its stream and first tasks', async (t) => {
      const w = await makeWorld(t, make);
      const plan = newAsset({
        name: 'Tür',
        referenceId: 'ref',
        source: { kind: 'url', url: 'https://a/b' },
        priority: 3,
      });
      const asset = await w.catalog.createAsset(plan, [newTask({ kind: 'split', input: null })], []);
      const { id, tenant, name, referenceId, source, request, priority } = asset;
      assert.deepEqual({ id, tenant, name, referenceId, source, request, priority }, plan);
      assert.deepEqual([asset.state, asset.round, asset.createdAtMs], ['queued', 0, w.clock.nowMs()]);
      const other = await w.another();
      assert.deepEqual(await other.getAsset(id), asset);
      const job = await other.assetJob(id);
      assert.deepEqual([job.asset, job.outputs], [asset, []]);
      assert.deepEqual(
        job.tasks.map((task) => [task.kind, task.state, task.attempt, task.input, task.round]),
        [['split', 'waiting', 0, null, 0]],
      );
      const stream = await other.getStream(id);
      assert.deepEqual([stream.kind, stream.name, stream.tenant, stream.deviceId], ['asset', 'Tür', tenant, null]);
      await throwsCode(other.getRendition(id, 'main'), 'not_found');
      await throwsCode(w.catalog.createAsset({ ...plan, name: 'again' }, [], []), 'conflict');
      assert.equal((await other.getAsset(id)).name, 'Tür');
      await throwsCode(w.catalog.getAsset('ast_missing'), 'not_found');
      await throwsCode(w.catalog.assetJob('ast_missing'), 'not_found');
    });

    test('making is all or nothing', async (t) => {
      const w = await makeWorld(t, make);
      const task = newTask();
      const plan = newAsset();
      await throwsCode(w.catalog.createAsset(plan, [task, task], []), 'conflict');
      await throwsCode(w.catalog.getAsset(plan.id), 'not_found');
      await throwsCode(w.catalog.getStream(plan.id), 'not_found');
      assert.deepEqual(await w.catalog.taskCounts(), { waiting: 0, running: 0 });
    });

    test('the list is newest first, narrowed by tenant, reference, states and text, in pages of any size', async (t) => {
      const w = await makeWorld(t, make);
      const plans = [
        newAsset({ name: 'one ÄB', tenant: 'a' }),
        newAsset({ name: 'two', referenceId: 'Ref-1' }),
        newAsset({ name: '100%_three', referenceId: 'Ref-1', tenant: 'a' }),
        newAsset({ name: 'four' }),
        newAsset({ name: 'five' }),
      ];
      for (const [index, plan] of plans.entries()) {
        await w.catalog.createAsset(plan, [], []);
        if (index !== 3) await w.pass(1); // Two are made in one millisecond.
      }
      await settle(w.catalog, plans[0] ?? newAsset(), { asset: { state: 'ready' } });
      const all = (await w.catalog.listAssets({}, { limit: 100 })).items;
      assert.deepEqual(
        all.slice(2).map(({ name }) => name),
        ['100%_three', 'two', 'one ÄB'],
      );
      for (const limit of [1, 2, 3, 5]) {
        const paged = await allPages((cursor) => w.catalog.listAssets({}, { limit, ...(cursor && { cursor }) }));
        assert.deepEqual(paged, all);
      }
      const names = async (filter: AssetFilter): Promise<string> =>
        (await w.catalog.listAssets(filter, { limit: 9 })).items.map(({ name }) => name).join();
      assert.equal(await names({ tenant: 'a' }), '100%_three,one ÄB');
      assert.equal(await names({ referenceId: 'Ref-1' }), '100%_three,two');
      assert.equal(await names({ referenceId: 'ref-1' }), '');
      assert.equal(await names({ states: ['ready', 'failed'] }), 'one ÄB');
      assert.equal(await names({ states: [] }), '');
      assert.equal(await names({ query: 'äb' }), 'one ÄB');
      assert.equal(await names({ query: 'REF' }), '100%_three,two');
      assert.equal(await names({ query: '%_t' }), '100%_three');
      await throwsCode(w.catalog.listAssets({}, { limit: 1, cursor: 'nonsense' }), 'invalid_argument');
      await throwsCode(w.catalog.listAssets({}, { limit: 0 }), 'invalid_argument');
    });

    test('a decision is applied if nothing was decided since it was read, and of many at once one is', async (t) => {
      const w = await makeWorld(t, make);
      const other = await w.another();
      const asset = await w.catalog.createAsset(newAsset(), [], []);
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 === 0 ? w.catalog : other).settleAsset(asset.id, asset.version, {
            newOutputs: [newOutput({ name: 'only' })],
          }),
        ),
      );
      assert.equal(results.filter((result) => result !== null).length, 1);
      const job = await other.assetJob(asset.id);
      assert.equal(job.outputs.length, 1, 'a lost race changes nothing');
      assert.ok(job.asset.version > asset.version);
      await throwsCode(w.catalog.settleAsset('ast_missing', 0, {}), 'not_found');
    });

    test('a decision changes all that it names, and is read as it was written', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, {
        newOutputs: [newOutput({ name: 'b' }), newOutput({ name: 'a' })],
      });
      const [b, a] = outputs;
      assert.deepEqual([b?.name, a?.name, b?.state, b?.totalChunks, b?.publishedChunks], ['b', 'a', 'queued', 4, 0]);
      const media = { container: 'mp4', sizeBytes: 9, durationMs: null, video: [], audio: [], subtitles: [] };
      const cause = { code: 'corrupt_media', message: 'It is damaged.' } as const;
      const changed = await settle(w.catalog, asset, {
        asset: {
          name: 'renamed',
          state: 'failed',
          cause,
          media,
          startedAtMs: wallMs(1),
          playableAtMs: wallMs(2),
          endedAtMs: wallMs(3),
          priority: -4,
        },
        outputs: [
          { id: String(a?.id), state: 'transcoding', publishedChunks: 2, totalChunks: null, startedAtMs: wallMs(4) },
        ],
        newOutputs: [newOutput({ name: 'c', totalChunks: null })],
      });
      const expected = { ...asset, name: 'renamed', state: 'failed', cause, media, priority: -4 };
      const times = { startedAtMs: 1, playableAtMs: 2, endedAtMs: 3 };
      assert.deepEqual(changed, { ...expected, ...times, version: changed.version });
      assert.deepEqual(await w.catalog.getAsset(asset.id), changed);
      assert.equal((await w.catalog.getStream(asset.id)).name, 'renamed');
      const after = (await w.catalog.assetJob(asset.id)).outputs;
      assert.deepEqual(
        after.map(({ name }) => name),
        ['b', 'a', 'c'],
        'in order of making',
      );
      assert.deepEqual(after[0], b);
      assert.deepEqual(after[1], { ...a, state: 'transcoding', publishedChunks: 2, totalChunks: null, startedAtMs: 4 });
      const file = { name: '0.jpg', objectKey: 'assets/x/0.jpg', sizeBytes: 3, contentType: 'image/jpeg' };
      await settle(w.catalog, asset, {
        asset: { cause: null, endedAtMs: null },
        outputs: [{ id: String(a?.id), files: [file], cause, endedAtMs: wallMs(5) }],
      });
      const last = await w.catalog.assetJob(asset.id);
      assert.deepEqual([last.asset.cause, last.asset.endedAtMs, last.asset.playableAtMs], [null, null, 2]);
      assert.deepEqual(
        [last.outputs[1]?.files, last.outputs[1]?.cause, last.outputs[1]?.endedAtMs],
        [[file], cause, 5],
      );
    });

    test('a decision that cannot be applied as a whole is not applied at all', async (t) => {
      const w = await makeWorld(t, make);
      const { asset } = await assetWith(w, { newOutputs: [newOutput({ name: 'taken' })] });
      const { version } = await w.catalog.getAsset(asset.id);
      const half = { asset: { state: 'ready' }, newTasks: [newTask()] } as const;
      const taken = { ...half, newOutputs: [newOutput({ name: 'fresh' }), newOutput({ name: 'taken' })] };
      await throwsCode(w.catalog.settleAsset(asset.id, version, taken), 'conflict');
      const missing = { ...half, outputs: [{ id: 'out_missing', state: 'ready' } as const] };
      await throwsCode(w.catalog.settleAsset(asset.id, version, missing), 'not_found');
      const job = await w.catalog.assetJob(asset.id);
      assert.deepEqual(
        [job.asset.state, job.asset.version, job.outputs.length, job.tasks.length],
        ['queued', version, 1, 0],
      );
    });

    test('what was just made or had a task end is unsettled until it is settled, oldest first', async (t) => {
      const w = await makeWorld(t, make);
      const ids: string[] = [];
      for (let index = 0; index < 3; index++) {
        ids.push((await w.catalog.createAsset(newAsset(), [newTask()], [])).id);
        await w.pass(1);
      }
      const other = await w.another();
      assert.deepEqual(await other.unsettledAssets(10), ids);
      assert.deepEqual(await other.unsettledAssets(2), ids.slice(0, 2));
      const lease = await claim(w.catalog);
      const [first] = ids;
      for (const id of ids) await settle(w.catalog, { id }, {});
      await other.unsettleAsset(String(first));
      assert.deepEqual(await other.unsettledAssets(10), [first], 'or somebody says so');
      await throwsCode(other.unsettleAsset('ast_missing'), 'not_found');
      for (const id of ids) await settle(w.catalog, { id }, {});
      assert.deepEqual(await other.unsettledAssets(10), []);
      const { version } = await w.catalog.getAsset(lease.asset.id);
      await w.catalog.finishTask(tryOf(lease), done());
      assert.deepEqual(await other.unsettledAssets(10), [lease.asset.id]);
      assert.equal(
        await w.catalog.settleAsset(lease.asset.id, version, {}),
        null,
        'the end of a task outdates decisions',
      );
    });

    test('a decision may leave more to be decided', async (t) => {
      const w = await makeWorld(t, make);
      const { asset } = await assetWith(w, {});
      assert.deepEqual(await w.catalog.unsettledAssets(9), []);
      await settle(w.catalog, asset, { asset: { name: 'other' }, isUnfinished: true });
      assert.deepEqual(await w.catalog.unsettledAssets(9), [asset.id]);
      await settle(w.catalog, asset, { isUnfinished: false });
      assert.deepEqual(await w.catalog.unsettledAssets(9), []);
    });

    test('a decision reads the tasks that were not taken in, with the input of those that are done', async (t) => {
      const w = await makeWorld(t, make);
      const newTasks = [0, 1, 2].map((ordinal) => newTask({ ordinal, input: { chunk: ordinal } }));
      const { asset } = await assetWith(w, { newTasks, newOutputs: [newOutput()] });
      for (const result of ['a', 'b']) await w.catalog.finishTask(tryOf(await claim(w.catalog)), done({ result }));
      const whole = await w.catalog.assetJob(asset.id);
      const tasks = whole.tasks.map((task) => (task.state === 'done' ? task : { ...task, input: null }));
      assert.deepEqual(await w.catalog.jobToSettle(asset.id), { ...whole, tasks });
      await settle(w.catalog, asset, { takenIn: [tasks[0]?.id ?? ''] });
      const left = await w.catalog.jobToSettle(asset.id);
      assert.deepEqual(left.tasks, tasks.slice(1));
      assert.deepEqual((await w.catalog.assetJob(asset.id)).tasks, whole.tasks, 'the job has them all');
      await throwsCode(w.catalog.jobToSettle('ast_missing'), 'not_found');
    });

    test('segments are published in order on a rendition of the output’s name, with an epoch for each init', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, { newOutputs: [newOutput(), newOutput()] });
      const [a = '', b = ''] = outputs.map(({ id }) => id);
      const segments = [
        newAssetSegment(a, 0),
        newAssetSegment(b, 0, { keyframeBytes: null }),
        newAssetSegment(a, 1),
        newAssetSegment(b, 1, { init: 'b' }),
      ];
      await settle(w.catalog, asset, { segments, outputs: [{ id: a, publishedChunks: 1 }] });
      await settle(w.catalog, asset, { segments: [newAssetSegment(a, 2), newAssetSegment(a, 3, { init: 'c' })] });
      const all = await collect(w.catalog.allSegments({ streamId: asset.id }));
      const epochs = await collect(w.catalog.allEpochs({ streamId: asset.id }));
      const rendition = await w.catalog.getRendition(asset.id, a);
      const ofA = all.filter(({ renditionId }) => renditionId === rendition.id);
      assert.deepEqual(
        ofA.map((segment) => [segment.sequence, segment.startMs, segment.discontinuity, segment.keyframeBytes]),
        [
          [0, 0, false, 100],
          [1, 2_000, false, 100],
          [2, 4_000, false, 100],
          [3, 6_000, true, 100],
        ],
      );
      assert.equal(new Set(ofA.slice(0, 3).map(({ epochId }) => epochId)).size, 1, 'the epoch goes on');
      assert.equal(epochs.filter(({ renditionId }) => renditionId === rendition.id).length, 2);
      const [first] = epochs.filter(({ id }) => id === ofA[0]?.epochId);
      assert.deepEqual([first?.anchorMs, Buffer.from(first?.init ?? []).toString()], [0, 'a']);
      const ofB = all.filter(({ renditionId }) => renditionId !== rendition.id);
      assert.deepEqual(
        ofB.map(({ keyframeBytes, discontinuity }) => [keyframeBytes, discontinuity]),
        [
          [null, false],
          [100, true],
        ],
      );
      const tail = await w.catalog.renditionWindow(asset.id, a, 2);
      assert.deepEqual([tail.segments, tail.epochs.length], [ofA.slice(2), 2]);
      const stream = await w.catalog.getStream(asset.id);
      assert.deepEqual([stream.lastCapturedAtMs, stream.lastReceivedAtMs], [null, null]);
      assert.deepEqual(await w.catalog.openSessions(), []);
      assert.equal((await w.catalog.objectKeysOf(asset.id)).length, 6);
    });

    test('a segment that is not behind its rendition’s end is refused with the whole decision', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, { newOutputs: [newOutput()] });
      const id = String(outputs[0]?.id);
      await settle(w.catalog, asset, { segments: [newAssetSegment(id, 0), newAssetSegment(id, 1)] });
      const { version } = await w.catalog.getAsset(asset.id);
      const again = { segments: [newAssetSegment(id, 2), newAssetSegment(id, 1)], asset: { state: 'ready' } } as const;
      await throwsCode(w.catalog.settleAsset(asset.id, version, again), 'conflict');
      assert.equal((await collect(w.catalog.allSegments({ streamId: asset.id }))).length, 2);
      assert.equal((await w.catalog.getAsset(asset.id)).state, 'queued');
    });

    test('a removed output leaves no row, and its name is free', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, { newOutputs: [newOutput({ name: 'x' }), newOutput()] });
      const [a = '', b = ''] = outputs.map(({ id }) => id);
      await settle(w.catalog, asset, { segments: [newAssetSegment(a, 0), newAssetSegment(b, 0)] });
      await settle(w.catalog, asset, { removeOutputs: [a], newOutputs: [newOutput({ name: 'x' })] });
      await throwsCode(w.catalog.getRendition(asset.id, a), 'not_found');
      assert.equal((await collect(w.catalog.allSegments({ streamId: asset.id }))).length, 1);
      assert.equal((await collect(w.catalog.allEpochs({ streamId: asset.id }))).length, 1);
      assert.deepEqual(
        (await w.catalog.assetJob(asset.id)).outputs.map(({ name }) => name).toSorted(),
        [String(outputs[1]?.name), 'x'].toSorted(),
      );
    });

    test('an output may lose what was published of it and stay', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, { newOutputs: [newOutput()] });
      const id = String(outputs[0]?.id);
      await settle(w.catalog, asset, { segments: [newAssetSegment(id, 0)] });
      await settle(w.catalog, asset, { outputs: [{ id, state: 'cancelled' }], removeRenditions: [id] });
      assert.equal((await w.catalog.assetJob(asset.id)).outputs[0]?.state, 'cancelled');
      await throwsCode(w.catalog.getRendition(asset.id, id), 'not_found');
      assert.deepEqual(await w.catalog.objectKeysOf(asset.id), []);
    });

    test('outputs are told for many assets at once, and of none that does not exist', async (t) => {
      const w = await makeWorld(t, make);
      const one = await assetWith(w, { newOutputs: [newOutput(), newOutput()] });
      const two = await assetWith(w, {});
      const outputs = await w.catalog.outputsOf([one.asset.id, two.asset.id, 'ast_missing']);
      assert.deepEqual(
        [...outputs],
        [
          [one.asset.id, one.outputs],
          [two.asset.id, []],
        ],
      );
      assert.equal((await w.catalog.outputsOf([])).size, 0);
    });

    test('a deleted asset leaves no row', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, { newOutputs: [newOutput()], newTasks: [newTask(), newTask()] });
      await settle(w.catalog, asset, { segments: [newAssetSegment(String(outputs[0]?.id), 0)] });
      const lease = await claim(w.catalog);
      await w.catalog.deleteAsset(asset.id, []);
      await throwsCode(w.catalog.getAsset(asset.id), 'not_found');
      await throwsCode(w.catalog.getStream(asset.id), 'not_found');
      assert.deepEqual(await w.catalog.objectKeysOf(asset.id), []);
      assert.deepEqual(await w.catalog.taskCounts(), { waiting: 0, running: 0 });
      assert.equal(await w.catalog.renewTask(tryOf(lease), { leaseMs: 1, progress: 0 }), 'lost');
      assert.equal(await w.catalog.finishTask(tryOf(lease), done()), false);
      await throwsCode(w.catalog.deleteAsset(asset.id, []), 'not_found');
    });

    test('every change raises the feed for the stream of the asset, here and elsewhere', async (t) => {
      const w = await makeWorld(t, make);
      const changes = record(w.catalog);
      const elsewhere = record(await w.another());
      const told = async (what: string, work: () => Promise<unknown>): Promise<void> => {
        changes.length = 0;
        elsewhere.length = 0;
        await work();
        assert.ok(
          changes.some(({ streamIds }) => streamIds.includes(id)),
          what,
        );
        await w.until(() => elsewhere.some(({ streamIds }) => streamIds.includes(id)), `${what}, elsewhere`);
      };
      const plan = newAsset();
      const { id } = plan;
      await told('made', () => w.catalog.createAsset(plan, [newTask(), newTask()], []));
      await told('settled', () => settle(w.catalog, plan, { asset: { state: 'probing' } }));
      const lease = await claim(w.catalog);
      await told('progress', () => w.catalog.renewTask(tryOf(lease), { leaseMs: 10_000, progress: 0.5 }));
      await told('finished', () => w.catalog.finishTask(tryOf(lease), done()));
      await told('claimed', () => claim(w.catalog));
      await w.pass(10_000);
      await told('expired', () => w.catalog.expireTasks());
      await told('deleted', () => w.catalog.deleteAsset(id, []));
    });

    test('upkeep sees nothing of assets: lists of streams, ceilings and totals leave them out', async (t) => {
      const w = await makeWorld(t, make);
      const { asset, outputs } = await assetWith(w, { newOutputs: [newOutput()] });
      await settle(w.catalog, asset, { segments: [newAssetSegment(String(outputs[0]?.id), 0)] });
      const stream = await w.stream();
      const { segment } = await w.catalog.appendSegment(newSegment(stream.id, { at: 0 }));
      const ids = async (kind?: 'asset'): Promise<string[]> =>
        (await w.catalog.listStreams(kind === undefined ? {} : { kind }, { limit: 9 })).items.map(({ id }) => id);
      assert.deepEqual([await ids(), await ids('asset')], [[stream.id], [asset.id]]);
      const everything = { streamId: asset.id, beforeMs: at(1e6), limit: 9, dryRun: false };
      assert.deepEqual(await w.catalog.retireSegments(everything), []);
      assert.deepEqual(
        (await w.catalog.oldestSegments(9)).map(({ id }) => id),
        [segment.id],
      );
      const { streams, segments, segmentBytes, assetSegmentBytes } = await w.catalog.totals();
      assert.deepEqual([streams, segments, segmentBytes, assetSegmentBytes], [1, 1, segment.sizeBytes, 500]);
      await throwsCode(w.catalog.deleteStream(asset.id), 'conflict');
      await throwsCode(w.catalog.updateStream(asset.id, { name: 'x' }), 'conflict');
      assert.equal((await w.catalog.getStream(asset.id)).name, asset.name);
    });
  });
}
