import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { clustersOf, paletteSlot } from './clusters.ts';
import { ticksOf } from './ticks.ts';
import { mergeTimelines, type Marker, type TimelineData } from './timeline-data.ts';
import { clampTo, firstView, fit, panBy, spanOf, timeAt, xOf, zoomAt, type Viewport } from './viewport.ts';

const t0 = Date.parse('2026-11-20T00:00:00Z');
const HOUR = 3_600_000;
const bounds: Viewport = { fromMs: t0 - 24 * HOUR, toMs: t0 + 24 * HOUR };
const view: Viewport = { fromMs: t0, toMs: t0 + HOUR };

describe('viewport', () => {
  it('keeps the time under the pointer while zooming, unless a bound is in the way', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        (share, factor) => {
          const anchor = view.fromMs + share * HOUR;
          const zoomed = zoomAt(view, anchor, factor, bounds);
          assert.ok(Math.abs(xOf(anchor, zoomed, 1000) - share * 1000) < 1e-3);
        },
      ),
    );
  });

  it('never leaves its bounds and never turns over', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.double({ min: 0.001, max: 1000, noNaN: true })),
          { maxLength: 30 },
        ),
        (moves) => {
          let current = view;
          for (const [pan, zoom] of moves) {
            current = zoomAt(panBy(current, pan * spanOf(current), bounds), current.fromMs, zoom, bounds);
            assert.ok(
              current.fromMs >= bounds.fromMs - 1 && current.toMs <= bounds.toMs + 1 && spanOf(current) >= 4999,
            );
          }
        },
      ),
    );
  });

  it('maps pixels and times both ways', () => {
    assert.equal(timeAt(xOf(t0 + 12_345, view, 900), view, 900), t0 + 12_345);
  });

  it('starts with the shortest usual length that shows everything', () => {
    assert.equal(spanOf(firstView(t0 - 60_000, t0, bounds)), 300_000);
    assert.equal(spanOf(firstView(t0 - 5 * HOUR, t0, bounds)), 6 * HOUR);
    assert.equal(spanOf(fit({ fromMs: t0, toMs: t0 + 100_000 }, bounds)), 110_000);
    assert.deepEqual(clampTo({ fromMs: 0, toMs: 10 * 24 * HOUR }, bounds), bounds);
  });
});

describe('ticks', () => {
  it('go from seconds to days, with labels that do not touch', () => {
    for (const span of [5000, 60_000, HOUR, 6 * HOUR, 24 * HOUR, 32 * 24 * HOUR]) {
      const wide = { fromMs: t0 + 1234, toMs: t0 + 1234 + span };
      const labelled = ticksOf(wide, 1200, 'utc').filter((tick) => tick.label !== '');
      assert.ok(labelled.length >= 2 && labelled.length <= 15, `${span}: ${labelled.length}`);
      for (const [index, tick] of labelled.slice(1).entries()) {
        const before = labelled[index];
        assert.ok(before !== undefined && xOf(tick.atMs, wide, 1200) - xOf(before.atMs, wide, 1200) >= 60);
      }
    }
  });

  it('stand on round times and name the day at midnight', () => {
    const ticks = ticksOf({ fromMs: t0 - 2 * HOUR, toMs: t0 + 2 * HOUR }, 800, 'utc');
    assert.deepEqual(
      ticks.filter((tick) => tick.label !== '').map((tick) => tick.label),
      ['22:00', '22:30', '23:00', '23:30', 'Fri 20 Nov', '00:30', '01:00', '01:30', '02:00'],
    );
  });
});

describe('clusters', () => {
  const marker = (atMs: number, type: string): Marker => ({ id: `m${atMs}`, atMs, untilMs: null, label: 'x', type });

  it('draw close markers as one and lose none', () => {
    const markers = [0, 1000, 2000, 600_000, 1_200_000].map((at, index) =>
      marker(t0 + at, index === 1 ? 'door' : 'motion'),
    );
    const clusters = clustersOf(markers, view, 1000);
    assert.deepEqual(
      clusters.map((cluster) => [cluster.markers.length, cluster.type]),
      [
        [3, null],
        [1, 'motion'],
        [1, 'motion'],
      ],
    );
  });

  it('give a type the same colour each time', () => {
    assert.equal(paletteSlot('motion', 6), paletteSlot('motion', 6));
    assert.ok(paletteSlot('door', 6) < 6);
  });
});

describe('mergeTimelines', () => {
  const empty = { gaps: [], sessions: [], holds: [], markers: [], liveEdgeMs: null };
  const data = (
    from: number,
    to: number,
    stretches: readonly (readonly [number, number])[],
    more: Partial<TimelineData> = {},
  ): TimelineData => ({
    ...empty,
    fromMs: from,
    toMs: to,
    stretches: stretches.map(([fromMs, toMs]) => ({ fromMs, toMs })),
    ...more,
  });
  const shown = (timeline: TimelineData): number[][] => timeline.stretches.map(({ fromMs, toMs }) => [fromMs, toMs]);

  it('carries the live edge on', () => {
    const merged = mergeTimelines(data(0, 100, [[10, 90]]), data(50, 120, [[50, 115]], { liveEdgeMs: 115 }));
    assert.deepEqual([shown(merged), merged.liveEdgeMs, merged.toMs], [[[10, 115]], 115, 120]);
  });

  it('takes away what retention took', () => {
    assert.deepEqual(shown(mergeTimelines(data(0, 100, [[0, 100]]), data(0, 40, [[30, 40]]))), [[30, 100]]);
  });

  it('replaces gaps that late pictures filled', () => {
    const old = data(
      0,
      100,
      [
        [0, 20],
        [80, 100],
      ],
      { gaps: [{ fromMs: 20, toMs: 80 }] },
    );
    const merged = mergeTimelines(
      old,
      data(
        10,
        90,
        [
          [10, 20],
          [40, 90],
        ],
        { gaps: [{ fromMs: 20, toMs: 40 }] },
      ),
    );
    assert.deepEqual(shown(merged), [
      [0, 20],
      [40, 100],
    ]);
    assert.deepEqual(merged.gaps, [{ fromMs: 20, toMs: 40 }]);
  });

  it('starts anew when nobody asked for the time between', () => {
    assert.deepEqual(mergeTimelines(data(0, 10, [[0, 10]]), data(50, 60, [[50, 60]])).fromMs, 50);
  });

  it('keeps a session whole that the answer cut at its start', () => {
    const session = { id: 's', open: true };
    const merged = mergeTimelines(
      data(0, 100, [], { sessions: [{ ...session, fromMs: 10, toMs: 90 }] }),
      data(50, 120, [], { sessions: [{ ...session, fromMs: 50, toMs: 115 }] }),
    );
    assert.deepEqual(merged.sessions, [{ ...session, fromMs: 10, toMs: 115 }]);
  });

  it('drops markers the server dropped and keeps those outside the answer', () => {
    const m = (id: string, atMs: number): Marker => ({ id, atMs, untilMs: null, label: id, type: 'note' });
    const merged = mergeTimelines(
      data(0, 100, [], { markers: [m('a', 5), m('b', 60), m('c', 70)] }),
      data(50, 100, [], { markers: [m('c', 70), m('d', 80)] }),
    );
    assert.deepEqual(
      merged.markers.map((one) => one.id),
      ['a', 'c', 'd'],
    );
  });
});
