import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ago, clockTime, dayName, duration, listTime, spokenTime } from './format.ts';

const at = Date.parse('2026-11-20T14:32:05.250Z');

it('writes clock times to the wanted precision', () => {
  assert.equal(clockTime(at, 'utc', 'minute'), '14:32');
  assert.equal(clockTime(at, 'utc'), '14:32:05');
  assert.equal(clockTime(at, 'utc', 'ms'), '14:32:05.250');
});

it('does not let float noise below a microsecond change the millisecond', () => {
  assert.equal(clockTime(at - 0.000_5, 'utc', 'ms'), '14:32:05.250');
});

it('speaks a wall time', () => {
  assert.equal(spokenTime(at, 'utc'), '14 hours 32 minutes 5 seconds, 20 November');
  assert.equal(spokenTime(Date.parse('2026-01-01T01:01:01Z'), 'utc'), '1 hour 1 minute 1 second, 1 January');
});

it('names days', () => {
  assert.equal(dayName(at, at, 'utc'), 'Today');
  assert.equal(dayName(at - 86_400_000, at, 'utc'), 'Yesterday');
  assert.equal(dayName(at - 2 * 86_400_000, at, 'utc'), 'Wed 18 Nov');
  assert.equal(listTime(at - 86_400_000, at, 'utc'), 'Thu 19 Nov 14:32:05');
});

it('says how long ago and how long', () => {
  assert.deepEqual(
    [0, 3000, 61_000, 7_200_000, 260_000_000].map((age) => ago(at - age, at)),
    ['now', '3 s ago', '1 min ago', '2 h ago', '3 d ago'],
  );
  assert.deepEqual([850, 42_000, 200_000, 7_500_000, 273_600_000, 3_600_000].map(duration), [
    '850 ms',
    '42 s',
    '3 min 20 s',
    '2 h 5 min',
    '3 d 4 h',
    '1 h',
  ]);
});
