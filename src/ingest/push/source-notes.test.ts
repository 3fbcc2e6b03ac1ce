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

test('a file is known in its own rendition, and those of one do not push out those of another', () => {
  const notes = new SourceNotes(null);
  const known = (sha256: string, rendition?: string): boolean =>
    notes.isTaken(
      rendition === undefined ? file(sha256, 1000, 1000) : { ...file(sha256, 1000, 1000), rendition },
      4000,
    );
  notes.taken(file('a', 1000, 1000));
  for (let index = 0; index < 20; index++) notes.taken({ ...file(`v${index}`, 1000, 1000), rendition: 'v1' });
  assert.deepEqual([known('a'), known('a', 'v1'), known('v19', 'v1'), known('v0', 'v1')], [true, false, true, false]);
});

test('init segments under ever new names do not pile up', () => {
  const notes = new SourceNotes(null);
  const gone: string[] = [];
  for (let index = 0; index < 100; index++) gone.push(...notes.setInit(`init-${index}.mp4`, `key-${index}`));
  assert.deepEqual([gone.length, gone[0], notes.initKey('init-99.mp4')], [68, 'key-0', 'key-99']);
  assert.deepEqual(notes.setInit('init-99.mp4', 'other'), ['key-99']);
});
