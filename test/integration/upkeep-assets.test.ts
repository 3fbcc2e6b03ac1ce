import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { describe, it } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import type { AssetSegment } from '../../src/catalog/asset-store.ts';
import { filesPrefix, mediaPrefix, partsPrefix, sourceKey } from '../../src/timeline/asset.ts';
import type { DoctorReport } from '../../src/upkeep/doctor/doctor.ts';
import { newAsset, newAssetSegment, newOutput, newTask, settle } from '../contract/asset-world.ts';
import { TimelineStore } from '../fixtures/timeline-store.ts';

const signal = new AbortController().signal;
const POSTER = { kind: 'thumbnails', timesMs: [0], widthPx: 64, heightPx: 36 } as const;
const TWO_HOURS_MS = 7_200_000;

/** A ready asset of two video outputs with two segments each, a poster and its file. */
class Scene implements AsyncDisposable {
  readonly store: TimelineStore;
  readonly id = randomIds.next('asset');
  readonly outputs = [
    newOutput({ totalChunks: 2 }),
    newOutput({ totalChunks: 2 }),
    newOutput({ name: 'poster', spec: POSTER, totalChunks: null }),
  ];

  private constructor(store: TimelineStore) {
    this.store = store;
  }

  static async open(environment: Readonly<Record<string, string>> = {}): Promise<Scene> {
    const scene = new Scene(await TimelineStore.open(environment));
    const { catalog } = scene.store.stores;
    const source = { kind: 'upload', filename: 'a.mp4', sizeBytes: 6 } as const;
    await catalog.createAsset(newAsset({ id: scene.id, source }), [], []);
    await scene.put(sourceKey(scene.id), 'source');
    await settle(catalog, scene, { newOutputs: scene.outputs });
    const segments = [
      await scene.segment(0, 0),
      await scene.segment(0, 1),
      await scene.segment(1, 0),
      await scene.segment(1, 1),
    ];
    const objectKey = `${filesPrefix(scene.id, scene.outputId(2))}try-poster.jpg`;
    await scene.put(objectKey, 'jpg');
    const files = [{ name: 'poster.jpg', objectKey, sizeBytes: 3, contentType: 'image/jpeg' }];
    await settle(catalog, scene, {
      asset: { state: 'ready', endedAtMs: scene.store.nowMs },
      segments,
      outputs: scene.outputs.map(({ id }) => ({ id, state: 'ready', publishedChunks: 2 })),
    });
    await settle(catalog, scene, { outputs: [{ id: scene.outputId(2), files }] });
    return scene;
  }

  outputId(index: number): string {
    return String(this.outputs[index]?.id);
  }

  async put(key: string, text: string): Promise<string> {
    await this.store.stores.objects.put(key, Buffer.from(text));
    return key;
  }

  /** A segment with its object. */
  async segment(output: number, index: number): Promise<AssetSegment> {
    const outputId = this.outputId(output);
    const objectKey = await this.put(`${mediaPrefix(this.id, outputId)}${index}-1-0.m4s`, `segment ${index}`);
    const made = newAssetSegment(outputId, index, { objectKey, sizeBytes: 9, sha256: sha256(`segment ${index}`) });
    return { ...made, epoch: { ...made.epoch, initSha256: sha256('a') } };
  }

  /** Makes all objects so old that only what is named stays. */
  async age(): Promise<void> {
    const atS = this.store.nowMs / 1000 - TWO_HOURS_MS / 1000;
    for (const key of await this.store.objectKeys()) {
      const path = await this.store.stores.objects.localPath(key);
      if (path !== null) await utimes(path, atS, atS);
    }
  }

  /** Changes the catalog behind the server's back. */
  tamper(sql: string, ...values: SQLInputValue[]): void {
    using database = new DatabaseSync(join(this.store.directory, 'catalog.db'));
    database.exec('PRAGMA busy_timeout = 5000');
    assert.notEqual(database.prepare(sql).run(...values).changes, 0, 'the fault was not planted');
  }

  examine(options: { readonly deep?: boolean; readonly repair?: boolean } = {}): Promise<DoctorReport> {
    return this.store.upkeep.doctor.examine({ signal, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }
}

function checksOf(report: DoctorReport): readonly string[] {
  return [...new Set(report.findings.map(({ check }) => check))].sort();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('assets and upkeep', () => {
  it('no retention, ceiling, offline check or orphan sweep touches a ready asset', async () => {
    await using scene = await Scene.open({ ZOETROPE_MAX_BYTES: '1' });
    const { store } = scene;
    store.clock.jump(30 * 86_400_000);
    await scene.age();
    const keys = await store.objectKeys();
    assert.equal(keys.length, 6);
    const retention = await store.upkeep.retention.runOnce({ signal });
    assert.deepEqual(
      [retention.streams, retention.retiredByAge.segments, retention.retiredByCeiling.segments, retention.unmetBytes],
      [0, 0, 0, 0],
    );
    assert.equal((await store.upkeep.offlineChecker.runOnce({ signal })).open, 0);
    assert.equal((await store.upkeep.orphanSweep.runOnce({ signal })).objects, 0);
    assert.deepEqual(await store.objectKeys(), keys);
    const report = await scene.examine({ deep: true });
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.streams, report.assets, report.segments, report.epochs], [0, 1, 4, 2]);
  });

  it('of an asset that has ended the sweep takes what its rows do not name, once it is old', async () => {
    await using scene = await Scene.open();
    const { store, id } = scene;
    const kept = await store.objectKeys();
    const left = [
      await scene.put(`${partsPrefix(id)}v0`, 'x'),
      await scene.put(`${mediaPrefix(id, scene.outputId(0))}0-2-0.m4s`, 'x'),
      await scene.put(`${filesPrefix(id, scene.outputId(2))}other-poster.jpg`, 'x'),
    ];
    assert.equal((await store.upkeep.orphanSweep.runOnce({ signal })).objects, 0, 'a try may still be writing');
    await scene.age();
    const sick = await scene.examine();
    assert.deepEqual(
      sick.findings.map(({ check, subject }) => `${check} ${subject}`).sort(),
      left.map((key) => `orphans ${key}`).sort(),
    );
    assert.equal((await store.upkeep.orphanSweep.runOnce({ signal })).objects, 3);
    assert.deepEqual(await store.objectKeys(), kept);
  });

  it('while a job goes on all of its objects are its own', async () => {
    await using scene = await Scene.open();
    const { store, id } = scene;
    await settle(store.stores.catalog, scene, {
      asset: { state: 'transcoding', endedAtMs: null },
      newTasks: [newTask()],
    });
    await scene.put(`${partsPrefix(id)}v0`, 'x');
    await scene.put(`${mediaPrefix(id, scene.outputId(0))}7-1-0.m4s`, 'finished, not yet published');
    await scene.age();
    assert.equal((await store.upkeep.orphanSweep.runOnce({ signal })).objects, 0);
  });

  it('of an asset that was cancelled or is gone the sweep takes everything', async () => {
    await using scene = await Scene.open();
    const { catalog } = scene.store.stores;
    await scene.age();
    const removeRenditions = [scene.outputId(0), scene.outputId(1)];
    const outputs = [{ id: scene.outputId(2), files: [] }];
    await settle(catalog, scene, { asset: { state: 'cancelled' }, removeRenditions, outputs });
    assert.equal((await scene.store.upkeep.orphanSweep.runOnce({ signal, dryRun: true })).objects, 6);
    await catalog.deleteAsset(scene.id, []);
    assert.equal((await scene.examine({ repair: true })).clean, true);
    assert.deepEqual(await scene.store.objectKeys(), []);
  });

  it('the doctor finds chunks that are missing, doubled or out of step', async () => {
    const faults = [
      ['chunks', 'update output set published_chunks = 1 where id = ?'],
      ['chunks', "update output set published_chunks = 3, state = 'failed' where id = ?"],
      ['chunks', 'delete from segment where sequence = 0 and rendition_id = (select id from rendition where name = ?)'],
      ['chunks', 'update segment set duration_90k = 1 where rendition_id = (select id from rendition where name = ?)'],
      [
        'alignment',
        'update segment set media_start_90k = media_start_90k + 1 where rendition_id = (select id from rendition where name = ?)',
      ],
      ['epochs', "update epoch set init_sha256 = '' where rendition_id = (select id from rendition where name = ?)"],
    ] as const;
    for (const [check, sql] of faults) {
      await using scene = await Scene.open();
      scene.tamper(sql, scene.outputId(1));
      const report = await scene.examine();
      assert.ok(checksOf(report).includes(check), `${sql}: ${JSON.stringify(report.findings)}`);
      assert.equal(report.clean, false);
    }
  });

  it('the doctor finds a job that stands still, and has it looked at again', async () => {
    await using scene = await Scene.open();
    const { catalog } = scene.store.stores;
    await settle(catalog, scene, { asset: { state: 'transcoding' } });
    assert.deepEqual(checksOf(await scene.examine()), ['jobs']);
    assert.equal((await scene.examine({ repair: true })).clean, true);
    assert.deepEqual(await catalog.unsettledAssets(9), [scene.id]);
    assert.deepEqual((await scene.examine()).findings, []);
  });

  it('the doctor finds tasks and outputs that outlived their asset, and cancels the tasks', async () => {
    await using scene = await Scene.open();
    const { catalog } = scene.store.stores;
    await settle(catalog, scene, { newTasks: [newTask()] });
    assert.deepEqual(checksOf(await scene.examine()), ['jobs']);
    assert.equal((await scene.examine({ repair: true })).clean, true);
    assert.deepEqual(await catalog.taskCounts(), { waiting: 0, running: 0 });
    await settle(catalog, scene, { outputs: [{ id: scene.outputId(0), state: 'packaging' }] });
    assert.deepEqual(
      (await scene.examine({ repair: true })).findings.map(({ repaired }) => repaired),
      [false],
    );
  });

  it('the doctor finds bytes that are gone or changed: segments are marked as lost, files are told', async () => {
    await using scene = await Scene.open();
    const { catalog, objects } = scene.store.stores;
    const [first, second] = (await catalog.renditionWindow(scene.id, scene.outputId(0), 0)).segments;
    await objects.delete([String(first?.objectKey)]);
    await scene.put(String(second?.objectKey), 'SEGMENT 1');
    assert.equal((await scene.examine()).findings.length, 1);
    const deep = await scene.examine({ deep: true, repair: true });
    assert.deepEqual([deep.findings.length, deep.clean, checksOf(deep)], [2, true, ['objects']]);
    const { segments } = await catalog.renditionWindow(scene.id, scene.outputId(0), 0);
    assert.deepEqual(
      segments.map(({ lost }) => lost),
      [true, true],
    );
    await scene.put(String(second?.objectKey), 'segment 1');
    const back = await scene.examine({ repair: true });
    assert.match(back.findings[0]?.message ?? '', /marked as lost, but/);
    assert.equal(back.clean, true);
    await objects.delete([sourceKey(scene.id), `${filesPrefix(scene.id, scene.outputId(2))}try-poster.jpg`]);
    const files = await scene.examine({ repair: true });
    assert.deepEqual(
      files.findings.map(({ check, repaired }) => [check, repaired]),
      [
        ['objects', false],
        ['objects', false],
      ],
    );
  });
});
