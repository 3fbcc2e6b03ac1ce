import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PlaybackClock, type ClockFragment } from './playback-clock.ts';

const t0 = Date.parse('2026-11-20T14:00:00Z');
/** 0–30 s and 30–60 s on the wall, a gap of ten minutes, then 30 s more. */
const fragments: readonly ClockFragment[] = [
  { startS: 100, durationS: 30, wallMs: t0 },
  { startS: 130, durationS: 30, wallMs: t0 + 30_000 },
  { startS: 160, durationS: 30, wallMs: t0 + 660_000 },
];
const clock = new PlaybackClock(fragments);

describe('PlaybackClock', () => {
  it('maps media time to wall time fragment by fragment', () => {
    assert.equal(clock.wallAt(100), t0);
    assert.equal(clock.wallAt(145), t0 + 45_000);
    assert.equal(clock.wallAt(160), t0 + 660_000);
    assert.equal(clock.wallAt(175), t0 + 675_000);
  });

  it('holds at its ends', () => {
    assert.equal(clock.wallAt(0), t0);
    assert.equal(clock.wallAt(500), t0 + 690_000);
    assert.deepEqual([clock.startMs, clock.endMs], [t0, t0 + 690_000]);
  });

  it('sends a time in a gap to the start of the next stretch', () => {
    assert.deepEqual(clock.mediaAt(t0 + 300_000), { timeS: 160, wallMs: t0 + 660_000, found: 'gap' });
  });

  it('does not call a millisecond of rounding a gap', () => {
    const rounded = new PlaybackClock([
      { startS: 0, durationS: 4.999, wallMs: t0 },
      { startS: 4.999, durationS: 5, wallMs: t0 + 5000 },
    ]);
    assert.deepEqual(rounded.mediaAt(t0 + 4999.5), { timeS: 4.999, wallMs: t0 + 5000, found: 'exact' });
  });

  it('says when a time lies outside', () => {
    assert.deepEqual(clock.mediaAt(t0 - 1), { timeS: 100, wallMs: t0, found: 'before' });
    const after = clock.mediaAt(t0 + 1_000_000);
    assert.equal(after?.found, 'after');
    assert.ok(after !== null && after.timeS < 190 && after.timeS > 189.9);
  });

  it('finds the longer stretch behind a late one inside it', () => {
    const late = new PlaybackClock([
      { startS: 0, durationS: 30, wallMs: t0 },
      { startS: 30, durationS: 5, wallMs: t0 + 12_000 },
      { startS: 35, durationS: 30, wallMs: t0 + 30_000 },
    ]);
    assert.equal(late.mediaAt(t0 + 13_000)?.timeS, 31);
    assert.equal(late.mediaAt(t0 + 25_000)?.timeS, 25);
  });

  it('knows the speed of a retimed playlist', () => {
    const fast = new PlaybackClock(
      fragments.map((fragment) => ({ ...fragment, durationS: 1, startS: (fragment.startS - 100) / 30 })),
      30,
    );
    assert.equal(fast.wallAt(0.5), t0 + 15_000);
    assert.equal(fast.mediaAt(t0 + 45_000)?.timeS, 1.5);
  });

  it('is empty without fragments', () => {
    const empty = new PlaybackClock([]);
    assert.deepEqual([empty.startMs, empty.endMs, empty.wallAt(1), empty.mediaAt(t0)], [null, null, null, null]);
  });

  it('comes back to the same wall time from anywhere in any playlist', () => {
    const stretch = fc.record({
      durationMs: fc.integer({ min: 40, max: 60_000 }),
      gapMs: fc.constantFrom(0, 0, 0, 5000, 3_600_000),
    });
    fc.assert(
      fc.property(
        fc.array(stretch, { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(1, 5, 30),
        (stretches, share, speed) => {
          let startS = 7;
          let wallMs = t0;
          const list = stretches.map(({ durationMs, gapMs }) => {
            const fragment = { startS, durationS: durationMs / 1000 / speed, wallMs };
            startS += fragment.durationS;
            wallMs += durationMs + gapMs;
            return fragment;
          });
          const mapping = new PlaybackClock(list, speed);
          const timeS = 7 + share * (startS - 7);
          const wall = mapping.wallAt(timeS);
          assert.ok(wall !== null);
          const back = mapping.mediaAt(wall);
          assert.ok(back !== null && Math.abs(back.timeS - timeS) <= 0.0021, `${timeS} came back as ${back?.timeS}`);
        },
      ),
    );
  });
});
