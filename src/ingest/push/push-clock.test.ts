import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wallMs } from '../../base/time.ts';
import { advanceClock, inOrder, placeSegment, type Arrival, type ClockRules, type RunningClock } from './push-clock.ts';

const RULES: ClockRules = { toleranceMs: 500, futureToleranceMs: 30_000, retentionMs: 86_400_000 };
const T = 1_760_000_000_000;
const SEGMENT_90K = 4 * 90_000;

function arrival(change: Partial<Arrival> = {}): Arrival {
  return {
    startPts90k: 126_000,
    duration90k: SEGMENT_90K,
    programDateTimeMs: null,
    receivedAtMs: wallMs(T + 4000),
    endedByMs: null,
    isBreak: false,
    isOutOfOrder: false,
    ...change,
  };
}

/** The n-th segment behind the first, as it comes when nothing is wrong. */
function following(n: number, change: Partial<Arrival> = {}): Arrival {
  return arrival({
    startPts90k: 126_000 + n * SEGMENT_90K,
    receivedAtMs: wallMs(T + 4000 * (n + 1)),
    ...change,
  });
}

function run(arrivals: readonly Arrival[]): RunningClock {
  const clock = arrivals.reduce<RunningClock | null>(
    (running, one) => advanceClock(running, placeSegment(running, one, RULES), one),
    null,
  );
  assert.ok(clock !== null);
  return clock;
}

describe('a source that says what time it is', () => {
  const said = (n: number, offMs = 0): Arrival => following(n, { programDateTimeMs: wallMs(T + 4000 * n + offMs) });

  test('is believed, to the millisecond, while its clocks agree within the tolerance', () => {
    const place = placeSegment(run([said(0)]), said(1, 37), RULES);
    assert.equal(place.startMs, T + 4037);
    assert.equal(place.begin, null);
    assert.equal(place.driftMs, 37);
    assert.equal(place.clock, 'programDateTime');
  });

  test('is passed over when it fell back behind what is there, and its media goes on', () => {
    let clock = run([said(0), said(1)]);
    const begun: number[] = [];
    for (let n = 2; n < 10; n++) {
      const arrived = said(n, -10_000);
      const place = placeSegment(clock, arrived, RULES);
      if (place.begin !== null) begun.push(n);
      assert.deepEqual([place.startMs, place.clock], [T + 4000 * n, 'arrival']);
      clock = advanceClock(clock, place, arrived);
    }
    assert.deepEqual(begun, [2]);
    assert.deepEqual(placeSegment(clock, said(10), RULES).clock, 'programDateTime', 'it is right again');
  });

  test('keeps the order of what it sends, however short a segment is', () => {
    const short = following(1, { programDateTimeMs: wallMs(T + 4000), duration90k: 1800 });
    const clock = run([said(0), short]);
    const early = arrival({
      startPts90k: 126_000 + SEGMENT_90K + 1800,
      programDateTimeMs: wallMs(T + 3990),
      receivedAtMs: wallMs(T + 8000),
    });
    const place = inOrder(clock, placeSegment(clock, early, RULES));
    assert.deepEqual([place.startMs, place.begin], [T + 4001, null]);
  });

  test('begins an epoch where they have come apart', () => {
    const place = placeSegment(run([said(0)]), said(1, 501), RULES);
    assert.deepEqual(place.begin, { anchorMs: T + 4501, originPts90k: 126_000 + SEGMENT_90K });
    assert.equal(place.gapMs, 501);
  });

  test('does not move the live edge back when its clock falls back', () => {
    const place = placeSegment(run([said(0), said(1)]), said(2, -60_000), RULES);
    assert.equal(place.startMs, T + 8000);
    assert.equal(place.placement, 'onTime');
    assert.equal(place.clock, 'arrival');
    assert.notEqual(place.begin, null);
  });

  test('is not believed about the far future', () => {
    const place = placeSegment(null, arrival({ programDateTimeMs: wallMs(T + 3_600_000) }), RULES);
    assert.equal(place.clock, 'arrival');
    assert.equal(place.startMs, T);
  });

  test('begins an epoch where its media clock begins anew', () => {
    const restarted = arrival({
      startPts90k: 0,
      programDateTimeMs: wallMs(T + 20_000),
      receivedAtMs: wallMs(T + 24_000),
    });
    const place = placeSegment(run([said(0)]), restarted, RULES);
    assert.deepEqual(place.begin, { anchorMs: T + 20_000, originPts90k: 0 });
    assert.equal(place.gapMs, 16_000);
  });

  test('what comes late lies where it says', () => {
    const place = placeSegment(run([said(0), said(2)]), { ...said(1), isOutOfOrder: true }, RULES);
    assert.equal(place.placement, 'late');
    assert.equal(place.startMs, T + 4000);
  });
});

describe('a source that does not', () => {
  test('is set at its arrival and carried by media time, however late some segments come', () => {
    const clock = run([following(0), following(1, { receivedAtMs: wallMs(T + 11_000) })]);
    const place = placeSegment(clock, following(2), RULES);
    assert.equal(place.startMs, T + 8000);
    assert.equal(place.begin, null);
    assert.equal(place.clock, 'arrival');
  });

  test('has a hole as long as its media clock says', () => {
    const place = placeSegment(run([following(0)]), following(2), RULES);
    assert.equal(place.startMs, T + 8000);
    assert.equal(place.gapMs, 4000);
    assert.notEqual(place.begin, null);
  });

  test('is set at its arrival anew when its media clock jumps further than time has passed, or back', () => {
    const ahead = following(1, { startPts90k: 126_000 + 3600 * 90_000 });
    assert.equal(placeSegment(run([following(0)]), ahead, RULES).startMs, T + 4000);
    const back = following(3, { startPts90k: 0 });
    assert.equal(placeSegment(run([following(0)]), back, RULES).startMs, T + 12_000);
  });

  test('is tied anew when its segments come later and later, not when a few do', () => {
    // A media clock that loses a tenth: after six segments each arrives more than 5 s behind.
    const slow = (n: number, lateMs: number): Arrival =>
      following(n, { receivedAtMs: wallMs(T + 4000 * (n + 1) + lateMs) });
    const lateFrom1 = (count: number): readonly Arrival[] =>
      Array.from({ length: count }, (_, n) => slow(n, n === 0 ? 0 : 6000));
    assert.equal(placeSegment(run(lateFrom1(5)), slow(5, 6000), RULES).begin, null, 'the first was on time');
    assert.equal(placeSegment(run(lateFrom1(6)), slow(6, 6000), RULES).begin?.anchorMs, T + 24_000 + 6000);
  });
});

test('parameters that change begin an epoch, and media that goes on leaves no gap', () => {
  const place = placeSegment(run([following(0)]), following(1, { isBreak: true }), RULES);
  assert.equal(place.startMs, T + 4000);
  assert.equal(place.gapMs, 0);
  assert.notEqual(place.begin, null);
});
