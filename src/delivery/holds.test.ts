import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../base/time.ts';
import type { Window } from '../catalog/catalog.ts';
import type { Segment } from '../timeline/segment.ts';
import { segmentsBetween } from './holds.ts';

test('while a long range is read, others get their turn between its pages', async () => {
  const all = Array.from({ length: 15_000 }, (_, index) => ({ id: `seg_${index}`, startMs: wallMs(index) }) as Segment);
  const page = (fromMs: number, limit: number): Partial<Window> => ({
    segments: all.slice(fromMs, fromMs + limit),
    epochs: [],
  });
  let others = 0;
  setImmediate(() => (others += 1));
  const found = await segmentsBetween(
    { segmentsBetween: async (_streamId, fromMs, _toMs, limit) => page(fromMs, limit) as Window },
    { streamId: 'str_1', rendition: 'main', fromMs: wallMs(0), toMs: wallMs(15_000) },
    200_000,
  );
  assert.equal(found.segments.length, 15_000);
  assert.equal(others, 1);
});
