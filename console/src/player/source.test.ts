import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { TimelineData } from '../timeline/timeline-data.ts';
import { isSameSource, nextSource, sourceFor, type Source } from './source.ts';

const H = 3_600_000;
const data: TimelineData = {
  fromMs: 0,
  toMs: 100 * H,
  stretches: [
    { fromMs: 10 * H, toMs: 12 * H },
    { fromMs: 20 * H, toMs: 40 * H },
    { fromMs: 76 * H, toMs: 100 * H },
  ],
  gaps: [],
  sessions: [],
  holds: [],
  markers: [],
  liveEdgeMs: 100 * H,
};

it('plays the retained window wherever it can', () => {
  assert.deepEqual(sourceFor(80 * H, 76 * H, data), { kind: 'dvr' });
  assert.deepEqual(sourceFor(5, null, null), { kind: 'dvr' });
});

it('plays what is kept before it, at most a day’s half around the time', () => {
  assert.deepEqual(sourceFor(11 * H, 76 * H, data), { kind: 'range', fromMs: 10 * H, toMs: 12 * H });
  assert.deepEqual(sourceFor(30 * H, 76 * H, data), { kind: 'range', fromMs: 24 * H, toMs: 36 * H });
  assert.deepEqual(sourceFor(15 * H, 76 * H, data), { kind: 'range', fromMs: 20 * H, toMs: 26 * H });
});

it('finds nothing between the last kept stretch and the window', () => {
  assert.equal(sourceFor(50 * H, 76 * H, data), null);
});

it('plays the last kept stretch when the window is empty', () => {
  const kept = { ...data, stretches: data.stretches.slice(0, 2) };
  assert.deepEqual(sourceFor(90 * H, Number.POSITIVE_INFINITY, kept), { kind: 'range', fromMs: 34 * H, toMs: 40 * H });
  assert.equal(sourceFor(90 * H, Number.POSITIVE_INFINITY, { ...data, stretches: [] }), null);
});

it('knows playlists apart', () => {
  assert.ok(isSameSource({ kind: 'dvr' }, { kind: 'dvr' }));
  assert.ok(!isSameSource({ kind: 'range', fromMs: 1, toMs: 2 }, { kind: 'range', fromMs: 1, toMs: 3 }));
});

it('knows which playlist goes on where another ends', () => {
  const kept = (fromMs: number, toMs: number | null): Source => ({
    kind: 'kept',
    folder: 'recordings',
    id: 'rec_1',
    window: { fromMs, toMs },
  });
  const next = (source: Source, found: Source | null): Source | null => nextSource(source, 12, () => found);
  assert.deepEqual(next(kept(0, 12), kept(6, 18)), kept(6, 18));
  assert.deepEqual(next(kept(6, 18), kept(12, null)), kept(12, null));
  assert.equal(next(kept(0, 12), kept(6, 12)), null);
  assert.equal(next(kept(0, null), kept(6, null)), null);
  assert.equal(next({ kind: 'dvr' }, kept(0, 99)), null);
  assert.deepEqual(next({ kind: 'range', fromMs: 0, toMs: 9 }, { kind: 'dvr' }), { kind: 'dvr' });
  assert.equal(next({ kind: 'range', fromMs: 0, toMs: 9 }, { kind: 'range', fromMs: 8, toMs: 9 }), null);
  assert.equal(next({ kind: 'range', fromMs: 0, toMs: 9 }, null), null);
});
