import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isAtEdge, isNearEdge, liveDelayS } from './live-edge.ts';

it('stays a segment and a half behind, and seconds where segments are short', () => {
  assert.deepEqual([1, 2, 6, 32].map(liveDelayS), [3, 6, 10, 48]);
});

it('calls it live where playing live brings one', () => {
  const edge = { edgeS: 1000, targetS: 30 };
  assert.deepEqual(
    [1000, 955, 926, 900].map((timeS) => isNearEdge(edge, timeS)),
    [true, true, true, false],
  );
  assert.deepEqual(
    [999.5, 999].map((timeS) => isAtEdge(edge, timeS)),
    [true, false],
  );
  assert.equal(isNearEdge(null, 0), false);
});
