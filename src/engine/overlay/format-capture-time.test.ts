import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../../base/time.ts';
import { formatCaptureTime } from './format-capture-time.ts';

const cases: readonly (readonly [utc: string, zone: string, shown: string])[] = [
  ['2026-11-20T10:30:00.250Z', 'UTC', '2026-11-20 10:30:00.250 Z'],
  ['2026-11-20T10:30:00.250Z', 'Europe/Berlin', '2026-11-20 11:30:00.250 +01:00'],
  ['2026-07-20T23:30:00.007Z', 'Europe/Berlin', '2026-07-21 01:30:00.007 +02:00'],
  ['2026-01-01T00:00:00.000Z', 'America/Santiago', '2025-12-31 21:00:00.000 -03:00'],
  ['2026-01-01T00:00:00.999Z', 'Asia/Kathmandu', '2026-01-01 05:45:00.999 +05:45'],
];

for (const [utc, zone, shown] of cases) {
  test(`${utc} in ${zone}`, () => assert.equal(formatCaptureTime(wallMs(Date.parse(utc)), zone), shown));
}

test('an unknown zone is named', () => {
  assert.throws(() => formatCaptureTime(wallMs(0), 'Mars/Olympus'), {
    code: 'invalid_argument',
    message: /Mars\/Olympus/,
  });
});
