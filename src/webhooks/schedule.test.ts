import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../base/time.ts';
import { nextTryAt } from './schedule.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CREATED_MS = wallMs(1_000_000);

/** All times of tries that fail, from the making on. */
function triesOver(retryMs: number, random = 0.5): readonly number[] {
  const at: number[] = [];
  let nowMs = CREATED_MS;
  for (let tries = 1; tries < 1000; tries++) {
    at.push(nowMs - CREATED_MS);
    const next = nextTryAt({ tries, createdAtMs: CREATED_MS, nowMs, retryMs, retryAfterMs: null, random });
    if (next === null) return at;
    nowMs = next;
  }
  assert.fail('it never ends');
}

test('pauses grow from seconds to hours, and tries go on until the days are over', () => {
  const at = triesOver(3 * DAY_MS);
  const pauses = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
  assert.deepEqual(pauses.slice(0, 7), [5000, 30_000, 120_000, 600_000, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS]);
  assert.ok(pauses.slice(6).every((pauseMs) => pauseMs === 4 * HOUR_MS));
  const last = at.at(-1) ?? 0;
  assert.ok(last <= 3 * DAY_MS && last > 3 * DAY_MS - 4 * HOUR_MS);
});

test('pauses are spread by a fifth, both ways', () => {
  const first = (random: number): number | undefined => triesOver(DAY_MS, random)[1];
  assert.deepEqual([first(0), first(0.5), first(1)], [4000, 5000, 6000]);
});

test('a pause that was asked for counts when it is longer, up to a day', () => {
  const asked = (retryAfterMs: number): number | null =>
    nextTryAt({
      tries: 1,
      createdAtMs: CREATED_MS,
      nowMs: CREATED_MS,
      retryMs: 60 * DAY_MS,
      retryAfterMs,
      random: 0.5,
    });
  assert.equal(asked(1000), CREATED_MS + 5000);
  assert.equal(asked(HOUR_MS), CREATED_MS + HOUR_MS);
  assert.equal(asked(30 * DAY_MS), CREATED_MS + DAY_MS);
});
