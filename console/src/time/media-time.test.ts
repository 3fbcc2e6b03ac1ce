import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaTime, parseMediaTime, spokenMediaTime } from './media-time.ts';

test('a position in a film reads as players show it', () => {
  assert.deepEqual(
    [0, 7.99, 59.96, 725, 3723, 86_399.5].map((seconds) => mediaTime(seconds)),
    ['0:00', '0:07', '0:59', '12:05', '1:02:03', '23:59:59'],
  );
  assert.equal(mediaTime(59.96, 'tenth'), '0:59.9');
  assert.equal(mediaTime(7.4, 'tenth'), '0:07.4');
  assert.equal(mediaTime(4.999_99), '0:05');
  assert.equal(mediaTime(-1), '0:00');
});

test('a position is spoken in whole units', () => {
  assert.equal(spokenMediaTime(0), 'start');
  assert.equal(spokenMediaTime(3661), '1 hour 1 minute 1 second');
  assert.equal(spokenMediaTime(120), '2 minutes');
});

test('typed positions are read, nonsense is not', () => {
  assert.deepEqual(['75', '1:15', '0:01:15.5', ' 3 '].map(parseMediaTime), [75, 75, 75.5, 3]);
  assert.deepEqual(['', 'x', '1:75', '-3', '1:2:3:4'].map(parseMediaTime), [null, null, null, null, null]);
});
