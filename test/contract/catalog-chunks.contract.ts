import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { MAX_CHUNK_RUNS } from '../../src/catalog/chunk-store.ts';
import { makeWorld, type MakeCatalog, newSegment, throwsCode, type World } from './catalog-world.ts';

/** Registers the contract of {@link ChunkStore}. */
export function chunksContract(adapter: string, make: MakeCatalog): void {
  describe(`catalog contract, chunks: ${adapter}`, () => {
    test('a segment takes its chunk’s index for good, in whatever order they come', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'chunks' });
      const other = await w.stream({ kind: 'chunks' });
      for (const index of [5, 6, 9, 0, 8, 7, 2]) await take(w.catalog, id, index);
      await take(w.catalog, other.id, 5);
      const expected = [
        { firstIndex: 0, lastIndex: 0 },
        { firstIndex: 2, lastIndex: 2 },
        { firstIndex: 5, lastIndex: 9 },
      ];
      assert.deepEqual(await (await w.another()).takenChunks(id), expected);
      for (const index of [0, 2, 5, 7, 9]) await throwsCode(take(w.catalog, id, index), 'conflict');
      assert.equal((await w.catalog.dvrWindow(id)).segments.length, 7);
      await take(w.catalog, id, 1);
      assert.deepEqual((await w.catalog.takenChunks(id))[0], { firstIndex: 0, lastIndex: 2 });
      await w.catalog.deleteStream(id);
      assert.deepEqual(await w.catalog.takenChunks(id), []);
      assert.deepEqual(await w.catalog.takenChunks(other.id), [{ firstIndex: 5, lastIndex: 5 }]);
    });

    test('a segment that cannot be appended takes nothing', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'chunks' });
      await w.catalog.claimRendition(id, 'main', 7);
      const segment = { ...newSegment(id, { at: 0, fence: 6 }), chunkIndex: 3 };
      await throwsCode(w.catalog.appendSegment(segment), 'fenced');
      assert.deepEqual(await w.catalog.takenChunks(id), []);
    });

    test('of many holes the oldest close', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'chunks' });
      for (let index = 0; index <= MAX_CHUNK_RUNS; index++) await take(w.catalog, id, index * 2);
      const runs = await w.catalog.takenChunks(id);
      assert.equal(runs.length, MAX_CHUNK_RUNS);
      assert.deepEqual(runs.slice(0, 2), [
        { firstIndex: 0, lastIndex: 2 },
        { firstIndex: 4, lastIndex: 4 },
      ]);
      await throwsCode(take(w.catalog, id, 1), 'conflict');
    });

    test('a rejection is told once, again when it is another, and forgotten when the chunk is taken', async (t) => {
      const w = await makeWorld(t, make);
      const { id, tenant } = await w.stream({ kind: 'chunks' });
      const endpoint = { url: 'https://a/', types: [], description: '', secret: 'whsec_1', tenant } as const;
      await w.catalog.createEndpoint({ ...endpoint, id: randomIds.next('endpoint') });
      const [first, another] = [rejection(id, 4, 'md5:1'), rejection(id, 4, 'md5:2')];
      assert.equal(await w.catalog.rejectChunk(first), true);
      assert.equal(await w.catalog.rejectChunk(first), false);
      assert.deepEqual(await w.catalog.rejectedChunks(id, 0, 9), [{ ...first, atMs: w.clock.nowMs() }]);
      assert.equal(await w.catalog.rejectChunk(another), true);
      assert.equal(await w.catalog.rejectChunk(rejection(id, 2, 'md5:3')), true);
      const listed = async (from: number): Promise<readonly (readonly [number, string])[]> =>
        (await w.catalog.rejectedChunks(id, from, 9)).map((one) => [one.chunkIndex, one.checksum]);
      assert.deepEqual(await listed(0), [
        [2, 'md5:3'],
        [4, 'md5:2'],
      ]);
      assert.deepEqual(await listed(3), [[4, 'md5:2']]);
      const { items } = await w.catalog.listDeliveries({ subjectId: id }, { limit: 9 });
      assert.deepEqual(new Set(items.map(({ type }) => type)), new Set(['chunk.rejected']));
      assert.equal(items.length, 3);
      const { data } = JSON.parse(items.at(-1)?.payload ?? '') as { readonly data: Record<string, unknown> };
      assert.deepEqual([data['chunkIndex'], data['code'], data['streamId']], [4, 'corrupt_media', id]);
      await take(w.catalog, id, 4);
      assert.deepEqual(await listed(0), [[2, 'md5:3']]);
      await w.catalog.deleteStream(id);
      assert.deepEqual(await listed(0), []);
      await throwsCode(w.catalog.rejectChunk(first), 'not_found');
    });

    test('of many rejections the newest are kept', async (t) => {
      const w = await makeWorld(t, make);
      const { id } = await w.stream({ kind: 'chunks' });
      for (let index = 0; index < MAX_CHUNK_RUNS + 3; index++)
        await w.catalog.rejectChunk(rejection(id, index, 'md5:1'));
      const left = await w.catalog.rejectedChunks(id, 0, 2 * MAX_CHUNK_RUNS);
      assert.deepEqual([left.length, left[0]?.chunkIndex], [MAX_CHUNK_RUNS, 3]);
    });
  });
}

async function take(
  catalog: World['catalog'],
  streamId: string,
  chunkIndex: number,
): ReturnType<Catalog['appendSegment']> {
  return await catalog.appendSegment({ ...newSegment(streamId, { at: chunkIndex * 10 }), chunkIndex });
}

function rejection(streamId: string, chunkIndex: number, checksum: string): Parameters<Catalog['rejectChunk']>[0] {
  return {
    streamId,
    chunkIndex,
    objectKey: `chunks/${streamId}/${chunkIndex}/a`,
    checksum,
    code: 'corrupt_media',
    message: 'Its bytes are others.',
  };
}
