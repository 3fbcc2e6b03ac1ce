import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomIds } from '../base/ids.ts';
import { pts90k, wallMs } from '../base/time.ts';
import type { AssetChange, AssetJob } from '../catalog/asset-store.ts';
import type { SplitResult } from '../engine/transcoder.ts';
import { NO_USAGE, type Asset, type Output, type OutputSpec } from '../timeline/asset.ts';
import type { Task } from '../timeline/task.ts';
import { cancelJob, settle } from './settle.ts';
import type { PicturesTaskInput } from './task-input.ts';

const RULES = { ids: randomIds, segmentMs: 4000, chunkMs: 12_000, maxAttempts: 3, nowMs: wallMs(1000) };

const ASSET: Asset = {
  id: 'ast_0123456789',
  tenant: 't',
  name: 'film',
  referenceId: null,
  source: { kind: 'upload', filename: null, sizeBytes: 1 },
  request: {
    video: [{ heightPx: 240 }, { heightPx: 144 }],
    audioBitrateKbps: null,
    captions: false,
    thumbnails: [],
    poster: true,
    storyboard: false,
    download: true,
    watermark: null,
    encryption: 'none',
    webhookUrl: 'https://example.org/hook',
  },
  priority: 0,
  state: 'probing',
  cause: null,
  media: {
    container: 'mp4',
    sizeBytes: 1,
    durationMs: null,
    video: [
      {
        index: 0,
        codec: 'h264',
        codedWidth: 426,
        codedHeight: 240,
        width: 426,
        height: 240,
        rotation: 0,
        sampleAspectRatio: 1,
        frameRate: 25,
        pixelFormat: 'yuv420p',
        bitDepth: 8,
        isInterlaced: false,
        hdr: null,
        bitsPerS: null,
      },
    ],
    audio: [
      {
        index: 1,
        codec: 'aac',
        sampleRateHz: 48_000,
        channels: 2,
        language: null,
        title: null,
        isDefault: true,
        bitsPerS: null,
      },
    ],
    subtitles: [],
  },
  version: 1,
  round: 0,
  createdAtMs: wallMs(0),
  startedAtMs: wallMs(1),
  playableAtMs: null,
  endedAtMs: null,
};

const SPLIT: SplitResult = {
  durationMs: 20_000,
  video: {
    parts: Array.from({ length: 10 }, (_, index) => ({
      key: `p${index}`,
      from90k: pts90k(index * 180_000),
      frames: 50,
      cuts90k: [],
      hasLeading: false,
    })),
    frames: 500,
    end90k: pts90k(1_800_000),
    frameRate: 25,
  },
  audio: [{ track: 1, sampleRateHz: 48_000, channels: 2, parts: [{ key: 'a0', fromSample: 0 }], endSample: 960_000 }],
  subtitles: [],
  warnings: [],
};

function task(more: Partial<Task> & Pick<Task, 'kind'>): Task {
  return {
    id: randomIds.next('task'),
    ownerId: ASSET.id,
    round: 0,
    rank: 0,
    ordinal: 0,
    outputIds: [],
    weight: 1,
    input: null,
    state: 'waiting',
    attempt: 0,
    maxAttempts: 3,
    notBeforeMs: wallMs(0),
    workerId: null,
    leaseUntilMs: null,
    progress: 0,
    result: null,
    cause: null,
    usage: NO_USAGE,
    shares: null,
    ...more,
  };
}

/** The job after its split was planned, as the catalog would hold it. */
function planned(): AssetJob {
  const split = task({ kind: 'split', state: 'done', attempt: 1, result: SPLIT });
  const change = settle({ asset: ASSET, outputs: [], tasks: [split] }, RULES);
  return applied({ asset: ASSET, outputs: [], tasks: [split] }, change);
}

/** What {@link AssetStore.settleAsset} makes of a change, as far as these tests look. */
function applied(job: AssetJob, change: AssetChange): AssetJob {
  const outputs = [
    ...job.outputs.map((output) => ({ ...output, ...change.outputs?.find(({ id }) => id === output.id) })),
    ...(change.newOutputs ?? []).map((output): Output => ({
      ...output,
      assetId: job.asset.id,
      state: 'queued',
      cause: null,
      publishedChunks: 0,
      files: [],
      usage: NO_USAGE,
      progress: 0,
      startedAtMs: null,
      endedAtMs: null,
    })),
  ];
  const tasks = [
    ...job.tasks.map((old) =>
      change.cancelTasks?.includes(old.id) === true ? { ...old, state: 'cancelled' as const } : old,
    ),
    ...(change.newTasks ?? []).map((fresh) => task(fresh)),
  ];
  return { asset: { ...job.asset, ...change.asset, version: job.asset.version + 1 }, outputs, tasks };
}

function named(job: AssetJob, name: string): Output {
  const output = job.outputs.find((candidate) => candidate.name === name);
  assert.ok(output !== undefined, `there is an output ${name}`);
  return output;
}

/** Ends tasks as if workers had done them. */
function done(job: AssetJob, which: (task: Task) => boolean): AssetJob {
  const tasks = job.tasks.map((old): Task => {
    if (!which(old) || old.state !== 'waiting') return old;
    return { ...old, state: 'done', attempt: 1, result: resultOf(old) };
  });
  return { ...job, tasks };
}

function resultOf({ kind, outputIds, id }: Task): unknown {
  const file = { name: '0.jpg', objectKey: `files/${id}`, sizeBytes: 1, contentType: 'image/jpeg' };
  if (kind === 'pictures' || kind === 'download') return { files: { [outputIds[0] ?? '']: [file] } };
  return {
    renditions: outputIds.map((outputId) => ({
      id: outputId,
      init: { base64: '', sha256: 'init', codecs: 'avc1', width: 1, height: 1 },
      segments: [
        {
          mediaStart90k: 0,
          duration90k: 1,
          objectKey: `${outputId}/${id}`,
          sizeBytes: 1,
          sha256: 'x',
          keyframeBytes: 1,
        },
      ],
    })),
  };
}

const isChunk = (kind: Task['kind'], chunk: number) => (candidate: Task) =>
  candidate.kind === kind && (candidate.input as { chunk: number }).chunk === chunk;

function kinds(outputs: readonly { readonly spec: OutputSpec }[]): readonly string[] {
  return outputs.map(({ spec }) => spec.kind);
}

test('a split becomes outputs and tasks; the lowest rung of the first chunk is a task of its own', () => {
  const job = planned();
  assert.equal(job.asset.state, 'transcoding');
  assert.equal(job.asset.media?.durationMs, 20_000);
  assert.deepEqual(kinds(job.outputs), ['video', 'video', 'audio', 'thumbnails', 'download']);
  const opening = job.tasks.filter(isChunk('video', 0)).map(({ outputIds, rank }) => ({ outputIds, rank }));
  assert.deepEqual(opening, [
    { outputIds: [named(job, '144p').id], rank: 0 },
    { outputIds: [named(job, '240p').id], rank: 0 },
  ]);
  assert.equal(job.tasks.filter(({ kind }) => kind === 'download').length, 0, 'it waits for its sources');
});

test('chunks are published in order, whatever the order in which they were done', () => {
  let job = done(planned(), isChunk('video', 1));
  const early = settle(job, RULES);
  assert.equal(early.segments?.length, 0);
  job = done(applied(job, early), (candidate) => isChunk('video', 0)(candidate));
  const change = settle(job, RULES);
  const keys = change.segments?.filter(({ outputId }) => outputId === named(job, '240p').id);
  assert.equal(keys?.length, 2);
  job = applied(job, change);
  assert.equal(named(job, '240p').publishedChunks, 2);
  const again = settle(job, RULES);
  assert.deepEqual([again.segments, again.outputs, again.events], [[], [], []], 'settled again, nothing changes');
});

test('it is playable when one rung and the default sound have begun, and says so once', () => {
  let job = done(planned(), (candidate) => candidate.outputIds.includes(named(planned(), '144p').id));
  const lowest = named(job, '144p').id;
  job = done(job, (candidate) => candidate.outputIds.length === 1 && candidate.outputIds[0] === lowest);
  let change = settle(job, RULES);
  assert.equal(change.asset?.playableAtMs, undefined, 'there is no sound yet');
  job = done(applied(job, change), isChunk('audio', 0));
  change = settle(job, RULES);
  assert.equal(change.asset?.playableAtMs, 1000);
  assert.deepEqual(
    change.events?.map(({ type, extraUrl }) => [type, extraUrl]),
    [['asset.playable', 'https://example.org/hook']],
  );
  assert.deepEqual(settle(applied(job, change), RULES).events, []);
});

test('the download comes last, and with it the asset is ready', () => {
  let job = done(planned(), () => true);
  job = applied(job, settle(job, RULES));
  assert.equal(job.asset.state, 'packaging');
  const download = job.tasks.filter(({ kind }) => kind === 'download');
  assert.equal(download.length, 1);
  job = done(job, ({ kind }) => kind === 'download');
  const change = settle(job, RULES);
  job = applied(job, change);
  assert.equal(job.asset.state, 'ready');
  assert.ok(job.outputs.every(({ state }) => state === 'ready'));
  assert.equal(named(job, 'poster').files.length, 1);
  assert.deepEqual(
    change.events?.map(({ type }) => type),
    ['asset.ready'],
  );
});

test('a chunk that failed for good fails the asset with its cause and cancels the rest', () => {
  const job = planned();
  const cause = { code: 'corrupt_media', message: 'no picture' } as const;
  const tasks = job.tasks.map((old) => (isChunk('video', 1)(old) ? { ...old, state: 'failed' as const, cause } : old));
  const change = settle({ ...job, tasks }, RULES);
  const after = applied({ ...job, tasks }, change);
  assert.equal(after.asset.state, 'failed');
  assert.deepEqual(after.asset.cause, cause);
  assert.ok(after.tasks.every(({ state }) => state !== 'waiting' && state !== 'running'));
  assert.ok(after.outputs.every(({ state }) => state === 'failed'));
});

test('the storyboard is drawn for the whole asset, also where sound goes on behind the last picture', () => {
  const asset = { ...ASSET, request: { ...ASSET.request, storyboard: true } };
  const split = task({ kind: 'split', state: 'done', attempt: 1, result: { ...SPLIT, durationMs: 21_500 } });
  const change = settle({ asset, outputs: [], tasks: [split] }, RULES);
  const { tasks } = applied({ asset, outputs: [], tasks: [split] }, change);
  const inputs = tasks.flatMap(({ kind, input }) => (kind === 'pictures' ? [input as PicturesTaskInput] : []));
  assert.deepEqual(
    inputs.map(({ end90k }) => end90k / 90),
    [21_500, 21_500],
  );
});

test('pictures that fail do not fail the asset', () => {
  const job = done(planned(), ({ kind }) => kind !== 'pictures');
  const cause = { code: 'engine_failed', message: 'it was ended by SIGSEGV' } as const;
  const tasks = job.tasks.map((old) => (old.kind === 'pictures' ? { ...old, state: 'failed' as const, cause } : old));
  let after = applied({ ...job, tasks }, settle({ ...job, tasks }, RULES));
  after = done(after, ({ kind }) => kind === 'download');
  after = applied(after, settle(after, RULES));
  assert.equal(after.asset.state, 'ready');
  assert.deepEqual(named(after, 'poster').cause, cause);
});

test('a download of a cancelled rendition is cancelled, and an asset of nothing but cancelled outputs too', () => {
  const job = planned();
  const outputs = job.outputs.map((output) =>
    output.spec.kind === 'download' ? output : { ...output, state: 'cancelled' as const },
  );
  const after = applied({ ...job, outputs }, settle({ ...job, outputs }, RULES));
  assert.equal(named(after, 'download').state, 'cancelled');
  assert.equal(after.asset.state, 'cancelled');
});

test('a split that finds nothing to play fails with the cause', () => {
  const media = { container: 'mp4', sizeBytes: 1, durationMs: 1, video: [], audio: [], subtitles: [] };
  const split = task({ kind: 'split', state: 'done', result: { ...SPLIT, video: null, audio: [] } });
  const change = settle({ asset: { ...ASSET, media }, outputs: [], tasks: [split] }, RULES);
  assert.equal(change.asset?.state, 'failed');
  assert.equal(change.asset?.cause?.code, 'unsupported_media');
});

test('a fetched file is split', () => {
  const fetched = task({ kind: 'fetch', state: 'done' });
  const change = settle({ asset: ASSET, outputs: [], tasks: [fetched] }, RULES);
  assert.deepEqual(
    change.newTasks?.map(({ kind }) => kind),
    ['split'],
  );
});

test('a chunk that failed does not fail an asset of which nobody wants the output any more', () => {
  const job = planned();
  const gone = named(job, '240p').id;
  const outputs = job.outputs.map((output) =>
    output.id === gone ? { ...output, state: 'cancelled' as const } : output,
  );
  const tasks = job.tasks.map((old) =>
    old.outputIds.length === 1 && old.outputIds[0] === gone ? { ...old, state: 'failed' as const } : old,
  );
  assert.ok(tasks.some(({ state }) => state === 'failed'));
  assert.equal(applied(job, settle({ ...job, outputs, tasks }, RULES)).asset.state, 'transcoding');
});

test('a job that is cancelled keeps nothing, also of outputs that were ready', () => {
  let job = done(planned(), ({ kind }) => kind === 'pictures');
  job = applied(job, settle(job, RULES));
  assert.deepEqual([named(job, 'poster').state, named(job, 'poster').files.length], ['ready', 1]);
  const change = cancelJob(job, RULES);
  job = applied(job, change);
  assert.ok(job.outputs.every(({ state, files }) => state === 'cancelled' && files.length === 0));
  assert.deepEqual(change.removeRenditions?.toSorted(), job.outputs.map(({ id }) => id).toSorted());
  assert.ok(job.tasks.every(({ state }) => state === 'done' || state === 'cancelled'));
  assert.deepEqual(
    change.events?.map(({ type }) => type),
    ['asset.cancelled'],
  );
});

test('with its last rendition an asset is cancelled as a whole: pictures of nothing are not kept', () => {
  let job = done(planned(), ({ kind }) => kind === 'pictures');
  job = applied(job, settle(job, RULES));
  const outputs = job.outputs.map((output) =>
    output.spec.kind === 'video' || output.spec.kind === 'audio' ? { ...output, state: 'cancelled' as const } : output,
  );
  const after = applied({ ...job, outputs }, settle({ ...job, outputs }, RULES));
  assert.equal(after.asset.state, 'cancelled');
  assert.deepEqual([named(after, 'poster').state, named(after, 'poster').files.length], ['cancelled', 0]);
});

test('a task is taken in when none of its outputs needs its result any more', () => {
  let job = done(planned(), isChunk('video', 1));
  assert.deepEqual(settle(job, RULES).takenIn?.length, 1, 'the split');
  const lowest = named(job, '144p').id;
  job = done(job, (candidate) => isChunk('video', 0)(candidate) && candidate.outputIds[0] === lowest);
  const change = settle(job, RULES);
  const opening = job.tasks.find((candidate) => isChunk('video', 0)(candidate) && candidate.outputIds[0] === lowest);
  const split = job.tasks.find(({ kind }) => kind === 'split');
  assert.deepEqual(change.takenIn, [split?.id, opening?.id], 'the other rung has not begun yet');
  job = done(applied(job, change), isChunk('video', 0));
  const later = settle(job, RULES).takenIn;
  assert.ok(job.tasks.every(({ kind, state, id }) => kind !== 'video' || state !== 'done' || later?.includes(id)));
});

test('an output that no task works for fails instead of waiting for ever, and without others so does the asset', () => {
  let job = planned();
  const orphan = named(job, '240p').id;
  const without = { ...job, tasks: job.tasks.filter(({ outputIds }) => !outputIds.includes(orphan)) };
  job = applied(without, settle(without, RULES));
  assert.deepEqual([named(job, '240p').state, named(job, '240p').cause?.code], ['failed', 'internal']);
  assert.equal(named(job, 'audio').state, 'queued');
  job = { ...job, tasks: job.tasks.filter(({ kind }) => kind === 'split') };
  job = applied(job, settle(job, RULES));
  assert.deepEqual([job.asset.state, job.asset.cause?.code], ['failed', 'internal']);
  assert.ok(job.outputs.every(({ state }) => state === 'failed'));
});

test('pictures that are described and could not be read give no outputs: the sound is made all the same', () => {
  const split = task({ kind: 'split', state: 'done', attempt: 1, result: { ...SPLIT, video: null } });
  const job = { asset: ASSET, outputs: [], tasks: [split] };
  const after = applied(job, settle(job, RULES));
  assert.deepEqual(kinds(after.outputs), ['audio']);
});
