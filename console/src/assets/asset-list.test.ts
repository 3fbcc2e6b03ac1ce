import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AssetJson, WorkState } from '../api/asset-types.ts';
import { append, canRetry, passes, remove, statesOf, upsert, type AssetFilter, type AssetList } from './asset-list.ts';

const ALL: AssetFilter = { state: 'all', text: '' };

function asset(number: number, state: WorkState = 'ready', name = `Film ${number}`): AssetJson {
  return {
    id: `ast_${String(number).padStart(4, '0')}`,
    name,
    referenceId: number === 7 ? 'shelf-A7' : null,
    state,
    cause: null,
    priority: 0,
    source: { kind: 'url', url: 'https://media.example.org/film.mp4' },
    media: null,
    durationMs: null,
    progress: 0,
    speed: null,
    etaSeconds: null,
    createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, number)).toISOString(),
    startedAt: null,
    playableAt: null,
    endedAt: null,
    playback: null,
    outputs: [],
  };
}

const list = (numbers: readonly number[], nextCursor: string | null = null): AssetList => ({
  items: numbers.map((number) => asset(number)),
  nextCursor,
});
const ids = ({ items }: AssetList): readonly number[] => items.map(({ id }) => Number(id.slice(4)));

test('a new asset comes first, a changed one stays where it is', () => {
  const grown = upsert(list([3, 2, 1]), asset(4, 'queued'), ALL);
  assert.deepEqual(ids(grown), [4, 3, 2, 1]);
  const changed = upsert(grown, asset(2, 'failed'), ALL);
  assert.deepEqual(ids(changed), [4, 3, 2, 1]);
  assert.equal(changed.items[2]?.state, 'failed');
});

test('an asset that no longer passes the filter goes', () => {
  const working: AssetFilter = { state: 'working', text: '' };
  const before = upsert({ items: [], nextCursor: null }, asset(1, 'transcoding'), working);
  assert.deepEqual(ids(before), [1]);
  assert.deepEqual(ids(upsert(before, asset(1, 'ready'), working)), []);
  assert.deepEqual(ids(upsert(before, asset(2, 'ready'), working)), [1]);
});

test('an older asset than those on screen waits for its page', () => {
  assert.deepEqual(ids(upsert(list([9, 8], 'next'), asset(3), ALL)), [9, 8]);
  assert.deepEqual(ids(upsert(list([9, 8]), asset(3), ALL)), [9, 8, 3]);
});

test('a page joins without doubling, and a removed asset goes', () => {
  const joined = append(list([5, 4], 'x'), { items: [asset(4, 'failed'), asset(3)], nextCursor: null });
  assert.deepEqual(ids(joined), [5, 4, 3]);
  assert.equal(joined.items[1]?.state, 'failed');
  assert.equal(joined.nextCursor, null);
  assert.deepEqual(ids(remove(joined, 'ast_0004')), [5, 3]);
  assert.equal(remove(joined, 'ast_9999'), joined);
});

test('the search looks at names and references', () => {
  assert.ok(passes(asset(1, 'ready', 'Harbour at dawn'), { state: 'all', text: ' DAWN ' }));
  assert.ok(passes(asset(7), { state: 'ready', text: 'shelf-a' }));
  assert.ok(!passes(asset(8), { state: 'ready', text: 'shelf-a' }));
  assert.deepEqual(statesOf('failed'), ['failed', 'cancelled']);
});

test('what was cancelled can be made again only where its file can be had again', () => {
  const source = { kind: 'upload', filename: 'a.mp4', sizeBytes: 1 } as const;
  assert.ok(canRetry({ state: 'failed', source }));
  assert.ok(!canRetry({ state: 'cancelled', source }));
  assert.ok(canRetry({ state: 'cancelled', source: { kind: 'url', url: 'https://media.example.org/a.mp4' } }));
  assert.ok(!canRetry({ state: 'ready', source }));
});

test('whatever happens, the list is sorted and names each asset once', () => {
  const step = fc.record({ number: fc.integer({ min: 1, max: 12 }), isRemoved: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const end = steps.reduce(
        (state, { number, isRemoved }) =>
          isRemoved ? remove(state, asset(number).id) : upsert(state, asset(number), ALL),
        list([]),
      );
      assert.deepEqual(
        ids(end),
        [...new Set(ids(end))].toSorted((a, b) => b - a),
      );
    }),
  );
});
