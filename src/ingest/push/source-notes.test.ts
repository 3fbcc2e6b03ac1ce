import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMs } from '../../base/time.ts';
import type { TakenFile } from '../../timeline/source-report.ts';
import { SourceNotes } from './source-notes.ts';

const file = (sha256: string, saidMs: number | null, receivedMs: number): TakenFile => ({
  sha256,
  programDateTimeMs: saidMs === null ? null : wallMs(saidMs),
  receivedAtMs: wallMs(receivedMs),
});

test('the same bytes at the same time, or at none, are the same file; at another time they are not', () => {
  const notes = new SourceNotes(null);
  notes.taken(file('a', 1000, 3000));
  assert.equal(notes.isTaken(file('a', 1000, 90_000), 2000), true);
  assert.equal(notes.isTaken(file('a', null, 90_000), 0), true);
  assert.equal(notes.isTaken(file('a', 5000, 3001), 2000), false);
  assert.equal(notes.isTaken(file('b', 1000, 3001), 2000), false);
});

test('without a time the same bytes are the same file while they could not have been made anew', () => {
  const notes = new SourceNotes(null);
  notes.taken(file('a', null, 3000));
  assert.equal(notes.isTaken(file('a', null, 3999), 2000), true);
  assert.equal(notes.isTaken(file('a', null, 4000), 2000), false);
  assert.equal(notes.isTaken(file('a', 1000, 3001), 2000), false);
});

test('only the newest are remembered', () => {
  const notes = new SourceNotes(null);
  for (let index = 0; index < 17; index++) notes.taken(file(String(index), index, index));
  assert.equal(notes.isTaken(file('0', 0, 0), 1), false);
  assert.equal(notes.isTaken(file('1', 1, 1), 1), true);
});
