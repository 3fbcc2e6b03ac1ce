import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../base/time.ts';
import { writeMuxedInit } from '../packager/cmaf/muxed-writer.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { LadderSetting } from '../timeline/ladder.ts';
import { planRungs } from './plan-rungs.ts';

/** Baseline at level 3 that says nothing of rates; the size that counts is the init segment's. */
const SETS = {
  sps: Buffer.from('6742c00ada11ec0440000003004000000ca3c489a8', 'hex'),
  pps: Buffer.from('68ce0fc8', 'hex'),
};

function epochOf(width: number, height: number): Epoch {
  return {
    id: 'epo_1',
    renditionId: 'rnd_1',
    placement: 'onTime',
    ordinal: 0,
    anchorMs: wallMs(0),
    init: writeMuxedInit({ video: { codec: 'avc1', ...SETS, width, height }, audio: null }),
    initSha256: '',
    codecs: 'avc1.42C00A',
    width,
    height,
    createdAtMs: wallMs(0),
  };
}

function plan(setting: LadderSetting | null, width: number, height: number): readonly string[] {
  const rungs = planRungs(setting, { epoch: epochOf(width, height), frameRate: 30 });
  return rungs.map(({ name, spec }) => `${name} ${spec.width}x${spec.height} ${spec.bitsPerS ?? spec.maxBitsPerS}`);
}

test('auto: up to three usual sizes, well below the source', () => {
  assert.deepEqual(plan('auto', 1920, 1080), ['720p 1280x720 2800000', '480p 854x480 1400000', '360p 640x360 800000']);
  assert.deepEqual(plan('auto', 320, 180), []);
  assert.deepEqual(plan('auto', 640, 360), ['240p 426x240 400000', '144p 256x144 200000']);
});

test('only rungs below the source, by its shorter side, largest first', () => {
  const ladder = [
    { height: 180, videoKbps: 200 },
    { height: 720, videoKbps: null },
    { height: 360, videoKbps: null },
  ];
  assert.deepEqual(plan(ladder, 1280, 720), ['360p 640x360 800000', '180p 320x180 200000']);
  assert.deepEqual(plan(ladder, 720, 1280), ['360p 360x640 800000', '180p 180x320 200000']);
  assert.deepEqual(plan(ladder, 200, 180), []);
  assert.deepEqual(plan(null, 1280, 720), []);
});
