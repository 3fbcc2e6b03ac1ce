import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTime, type TimeContext } from './parse-time.ts';

const nowMs = Date.parse('2026-11-20T15:00:00Z'); // a Friday
const context: TimeContext = {
  nowMs,
  playheadMs: Date.parse('2026-11-20T14:00:00Z'),
  fromMs: nowMs - 86_400_000,
  zone: 'utc',
};

const read = (text: string, over: Partial<TimeContext> = {}): string => {
  const time = parseTime(text, { ...context, ...over });
  if (time === null) return 'unreadable';
  return time.kind === 'live' ? 'live' : new Date(time.atMs).toISOString();
};

describe('parseTime', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['14:32', '2026-11-20T14:32:00.000Z'],
    ['14.32', '2026-11-20T14:32:00.000Z'],
    [' 14:32:05 ', '2026-11-20T14:32:05.000Z'],
    ['14:32:05.25', '2026-11-20T14:32:05.250Z'],
    ['2:30 pm', '2026-11-20T14:30:00.000Z'],
    ['9am', '2026-11-20T09:00:00.000Z'],
    ['12am', '2026-11-20T00:00:00.000Z'],
    ['18:00', '2026-11-19T18:00:00.000Z'],
    ['-10m', '2026-11-20T13:50:00.000Z'],
    ['− 10 min', '2026-11-20T13:50:00.000Z'],
    ['+1h30m', '2026-11-20T15:30:00.000Z'],
    ['-90s', '2026-11-20T13:58:30.000Z'],
    ['-250 ms', '2026-11-20T13:59:59.750Z'],
    ['5 minutes ago', '2026-11-20T14:55:00.000Z'],
    ['yesterday 18:00', '2026-11-19T18:00:00.000Z'],
    ['Yesterday at 6 PM', '2026-11-19T18:00:00.000Z'],
    ['yesterday', '2026-11-19T00:00:00.000Z'],
    ['today 9:15', '2026-11-20T09:15:00.000Z'],
    ['mon 9am', '2026-11-16T09:00:00.000Z'],
    ['friday 12:00', '2026-11-20T12:00:00.000Z'],
    ['20 Nov 14:32', '2026-11-20T14:32:00.000Z'],
    ['Nov 19, 14:32:05', '2026-11-19T14:32:05.000Z'],
    ['24 dec 8:00', '2025-12-24T08:00:00.000Z'],
    ['19.11. 7:00', '2026-11-19T07:00:00.000Z'],
    ['2026-11-20 14:32', '2026-11-20T14:32:00.000Z'],
    ['2026-11-20T14:32:05.250Z', '2026-11-20T14:32:05.250Z'],
    ['2026-11-20T14:32:05+02:00', '2026-11-20T12:32:05.000Z'],
    ['2026-11-20 14:32:05 UTC', '2026-11-20T14:32:05.000Z'],
    ['1795184125250', '2026-11-20T14:15:25.250Z'],
    ['now', 'live'],
    ['LIVE', 'live'],
  ];
  for (const [typed, expected] of cases)
    it(`reads ${JSON.stringify(typed)}`, () => assert.equal(read(typed), expected));

  for (const typed of ['', 'soon', '25:00', '14:61', '13pm', '31 feb 10:00', '14', 'ago', '-', '99.99. 10:00']) {
    it(`does not read ${JSON.stringify(typed)}`, () => assert.equal(read(typed), 'unreadable'));
  }

  it('means the day of the playhead when pictures can be there', () => {
    const week = { playheadMs: Date.parse('2026-11-18T10:00:00Z'), fromMs: nowMs - 7 * 86_400_000 };
    assert.equal(read('14:32', week), '2026-11-18T14:32:00.000Z');
    assert.equal(read('14:32', { playheadMs: Date.parse('2026-11-19T16:00:00Z') }), '2026-11-20T14:32:00.000Z');
  });
});
