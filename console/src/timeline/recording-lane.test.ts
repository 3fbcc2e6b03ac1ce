import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lanesOf, recordingAt } from './recording-lane.ts';
import { heightOf, ROWS } from './rows.ts';
import type { Hold } from './timeline-data.ts';

const hold = (id: string, fromMs: number, toMs: number, fields: Partial<Hold> = {}): Hold => ({
  id,
  kind: 'recording',
  name: id,
  running: false,
  fromMs,
  toMs,
  ...fields,
});
const ids = (holds: readonly Hold[]): string[][] => lanesOf(holds).map((lane) => lane.map(({ id }) => id));

it('puts recordings that follow each other into one lane, and those that overlap below each other', () => {
  const all = [
    hold('a', 0, 10),
    hold('b', 5, 20),
    hold('c', 10, 15),
    hold('d', 20, 30),
    hold('x', 0, 9, { kind: 'archive' }),
  ];
  assert.deepEqual(ids(all), [['a', 'c', 'd'], ['b']]);
  assert.deepEqual(
    ids([hold('a', 0, 10, { running: true }), hold('b', 50, 60)]),
    [['a'], ['b']],
    'one that runs goes on',
  );
  assert.deepEqual(ids([0, 1, 2, 3, 4].map((at) => hold(`${at}`, at, 99))), [['0'], ['1'], ['2', '3', '4']]);
  assert.deepEqual(ids([]), []);
});

it('finds the recording under the pointer', () => {
  const lanes = lanesOf([hold('a', 0, 10), hold('b', 5, 20), hold('c', 30, 31, { running: true })]);
  const at = (atMs: number, lane: number): string | undefined =>
    recordingAt(lanes, atMs, ROWS.lane.top + lane * ROWS.lane.step + 3, 50)?.id;
  assert.deepEqual(
    [at(5, 0), at(5, 1), at(10, 0), at(40, 0), at(51, 0), at(5, 2)],
    ['a', 'b', undefined, 'c', undefined, undefined],
  );
  assert.equal(recordingAt(lanes, 5, ROWS.band.top, 50), undefined);
});

it('is as high as it must be', () => {
  assert.equal(heightOf(0), ROWS.height);
  assert.ok(heightOf(2) > heightOf(1) && heightOf(1) > heightOf(0));
});
