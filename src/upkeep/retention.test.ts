import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/logger.ts';
import { wallMs } from '../base/time.ts';
import type { CatalogTotals, SegmentRef } from '../catalog/catalog.ts';
import { Retention, type RetentionDeps } from './retention.ts';

const SEGMENTS = 200_000;

test('a ceiling far below what is stored is reached without counting all that waits again and again', async () => {
  const clock = new FakeClock();
  const window: SegmentRef[] = Array.from({ length: SEGMENTS }, (_, index) => {
    const startMs = wallMs(index * 1000);
    return {
      id: `seg_${index}`,
      streamId: 'str_1',
      renditionId: 'rnd_1',
      objectKey: `media/${index}`,
      sizeBytes: 1,
      startMs,
      endMs: wallMs(startMs + 1000),
    };
  });
  const retired: SegmentRef[] = [];
  let counts = 0;
  const catalog: RetentionDeps['catalog'] = {
    listStreams: async () => ({ items: [], nextCursor: null }),
    oldestSegments: async (limit) => window.slice(0, limit),
    async retireSegments({ beforeMs, limit }) {
      const count = window.findIndex((ref) => ref.endMs > beforeMs);
      const taken = window.splice(0, Math.min(count, limit));
      retired.push(...taken);
      return taken;
    },
    async sweepableSegments({ limit, releasedByMs }) {
      // The sweep itself finds nothing: all of it waits for its grace.
      if (releasedByMs === undefined) return [];
      // Every second one is held, and so frees nothing.
      counts += 1;
      return retired.filter((_, index) => index % 2 === 0).slice(0, limit);
    },
    takeSweepable: async (ids) => new Set(ids),
    removeSegments: async () => undefined,
    totals: async () =>
      ({
        segmentBytes: window.length,
        retiredBytes: retired.length,
        remoteBytes: 0,
      }) as Partial<CatalogTotals> as CatalogTotals,
  };
  const retention = new Retention({
    catalog,
    objects: { delete: async () => undefined, freeBytes: async () => null },
    clock,
    logger: silentLogger,
    defaults: {} as RetentionDeps['defaults'],
    maxBytes: SEGMENTS - 50_000,
    minFreeBytes: 0,
  });
  const report = await retention.runOnce({ signal: new AbortController().signal });
  assert.equal(report.unmetBytes, 0);
  assert.ok(Math.abs(report.retiredByCeiling.segments - 100_000) < 5, String(report.retiredByCeiling.segments));
  assert.ok(counts < 30, `all that waits was counted ${counts} times`);
});
