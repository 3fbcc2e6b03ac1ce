import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wallMs } from '../../base/time.ts';
import type { Stretch } from '../../catalog/catalog.ts';
import { gapsOf, toleranceOf, type GapQuestion } from './timeline-answer.ts';

const stretch = (fromMs: number, toMs: number): Stretch => ({
  fromMs: wallMs(fromMs),
  toMs: wallMs(toMs),
  segmentCount: 1,
  frameCount: 1,
  sizeBytes: 1,
});

function gaps(
  stretches: readonly (readonly [number, number])[],
  rest: Partial<Pick<GapQuestion, 'hasEarlier' | 'hasLater' | 'silentUntilMs'>> = {},
): readonly (readonly [number, number])[] {
  return gapsOf({
    fromMs: wallMs(1000),
    toMs: wallMs(2000),
    toleranceMs: 10,
    stretches: stretches.map(([from, to]) => stretch(from, to)),
    hasEarlier: false,
    hasLater: false,
    silentUntilMs: null,
    ...rest,
  }).map((gap) => [gap.fromMs, gap.toMs]);
}

test('a gap lies between two stretches, and is cut to the range', () => {
  assert.deepEqual(gaps([]), []);
  assert.deepEqual(
    gaps([
      [1100, 1200],
      [1300, 1400],
    ]),
    [[1200, 1300]],
  );
  assert.deepEqual(
    gaps([
      [1100, 1200],
      [1210, 1400],
    ]),
    [[1200, 1210]],
    'however short: the catalog has judged it',
  );
  assert.deepEqual(
    gaps(
      [
        [900, 995],
        [1300, 1400],
      ],
      { hasEarlier: true },
    ),
    [[1000, 1300]],
  );
  assert.deepEqual(gaps([[900, 1200]], { hasEarlier: true, hasLater: true }), [[1200, 2000]]);
});

test('a gap that reaches over an edge of the range is shown there', () => {
  assert.deepEqual(gaps([[1300, 1400]]), [], 'nothing is missing before the first picture');
  assert.deepEqual(gaps([[1300, 1400]], { hasEarlier: true }), [[1000, 1300]]);
  assert.deepEqual(gaps([[1300, 1400]], { hasLater: true }), [[1400, 2000]]);
  assert.deepEqual(gaps([], { hasEarlier: true, hasLater: true }), [[1000, 2000]]);
  assert.deepEqual(gaps([], { hasLater: true }), []);
  assert.deepEqual(gaps([[1000, 1995]], { hasLater: true, hasEarlier: true }), [[1995, 2000]]);
});

test('a source that is silent has a gap up to now; one that sends has none at its live edge', () => {
  assert.deepEqual(gaps([[1000, 1400]], { silentUntilMs: wallMs(1700) }), [[1400, 1700]]);
  assert.deepEqual(gaps([[1000, 1400]], { silentUntilMs: wallMs(1405) }), []);
  assert.deepEqual(gaps([[1000, 1400]]), []);
});

test('gaps and stretches never overlap, lie in the range in order, and cover it where both ends are known', () => {
  const points = fc.uniqueArray(fc.integer({ min: 900, max: 2100 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(points, (times) => {
      const sorted = times.toSorted((a, b) => a - b);
      const stretches = sorted.flatMap((from, index) => {
        const to = sorted[index + 1];
        return index % 2 === 0 && to !== undefined ? [[from, to] as const] : [];
      });
      const found = gaps(stretches, { hasEarlier: true, hasLater: true });
      let covered = 0;
      for (const [from, to] of found) {
        assert.ok(from >= 1000 && to <= 2000 && from < to);
        assert.ok(stretches.every(([start, end]) => end <= from || start >= to));
        covered += to - from;
      }
      for (const [from, to] of stretches) covered += Math.max(0, Math.min(to, 2000) - Math.max(from, 1000));
      const slack = 10 * (stretches.length + 1);
      assert.ok(covered <= 1000 && covered >= 1000 - slack, String(covered));
    }),
  );
});

test('the tolerance is the stream’s own, else by its interval, and at least a second', () => {
  assert.equal(toleranceOf({ gapToleranceMs: 5, frameIntervalMs: 5000 }), 5);
  assert.equal(toleranceOf({ gapToleranceMs: null, frameIntervalMs: 5000 }), 10_000);
  assert.equal(toleranceOf({ gapToleranceMs: null, frameIntervalMs: 40 }), 1000);
});
