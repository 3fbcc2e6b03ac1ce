import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkRuns } from './chunk.ts';

test('runs hold what was added and nothing else, rising and with holes between them, whatever the order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 80 }), (indexes) => {
      const runs = new ChunkRuns([]);
      for (const index of indexes) runs.add(index);
      const listed = runs.all.flatMap(({ firstIndex, lastIndex }) =>
        Array.from({ length: lastIndex - firstIndex + 1 }, (_, at) => firstIndex + at),
      );
      assert.deepEqual(
        listed,
        [...new Set(indexes)].toSorted((a, b) => a - b),
      );
      for (const [at, { firstIndex }] of runs.all.entries()) {
        assert.ok(at === 0 || firstIndex > (runs.all[at - 1]?.lastIndex ?? 0) + 1);
      }
      for (let index = 0; index <= 61; index++) assert.equal(runs.has(index), indexes.includes(index));
      assert.equal(runs.newest, indexes.length === 0 ? null : Math.max(...indexes));
      assert.deepEqual(new ChunkRuns(runs.all).all, runs.all);
    }),
  );
});
