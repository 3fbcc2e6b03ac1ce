import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../../base/time.ts';
import { SiblingEpochs } from './sibling-epochs.ts';

const T = 1_760_000_000_000;
const WRAP_90K = 2 ** 33;

test('a rendition finds the epoch of another where its media lies, over the wrap of time stamps', () => {
  const epochs = new SiblingEpochs();
  const begun = { ordinal: 3, anchorMs: wallMs(T), originPts90k: WRAP_90K - 90_000 };
  epochs.note('main', begun);
  assert.deepEqual(epochs.at('v1', WRAP_90K, T + 1010), { ...begun, startMs: T + 1000 });
  assert.deepEqual(epochs.at('v1', 0, T + 990), { ...begun, startMs: T + 1000 });
  assert.equal(epochs.at('v1', 0, T + 60_000), null, 'at another time it is another start of the encoder');
  assert.equal(epochs.at('main', 0, T + 990), null, 'its own is none');
  assert.notEqual(epochs.at('a1', begun.originPts90k - 9000, T - 100), null, 'sound may begin before pictures');
  assert.equal(epochs.at('a1', begun.originPts90k - 90_000, T - 1000), null);
});

test('a rendition that begins first counts on from what the others had', () => {
  const epochs = new SiblingEpochs();
  for (const ordinal of [4, 5]) epochs.note('main', { ordinal, anchorMs: wallMs(T + ordinal * 1000), originPts90k: 0 });
  assert.equal(epochs.numberAt('v1', T + 60_000), 6);
  assert.equal(epochs.numberAt('v1', T + 4500), 5, 'it is behind the others');
  assert.equal(epochs.numberAt('main', T + 60_000), 0);
});
