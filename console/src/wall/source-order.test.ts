import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { StreamJson } from '../api/client.ts';
import { sortSources, type SortKey } from './source-order.ts';

const make = (name: string, change: object = {}): StreamJson =>
  ({
    id: name,
    name,
    kind: 'push',
    state: 'online',
    endedAt: null,
    lastReceivedAt: null,
    lastCapturedAt: null,
    source: null,
    edge: null,
    effective: { reconnectWindowSeconds: 300 },
    ...change,
  }) as unknown as StreamJson;
const source = (bitsPerSecond: number, driftMs: number): object => ({
  source: { bitsPerSecond, driftMs, width: 1, height: 1, gaps: 0, rejected: 0 },
});
const all = [
  make('b 10', source(3, -500)),
  make('b 9', source(1, 20)),
  make('a', { kind: 'frames', state: 'offline' }),
];
const names = (key: SortKey, isDown: boolean): readonly string[] =>
  sortSources(all, { key, isDown }).map(({ name }) => name);

it('sorts by name as people count', () => {
  assert.deepEqual(names('name', false), ['a', 'b 9', 'b 10']);
  assert.deepEqual(names('name', true), ['b 10', 'b 9', 'a']);
});

it('sorts by numbers; what has none comes last either way', () => {
  assert.deepEqual(names('bitRate', true), ['b 10', 'b 9', 'a']);
  assert.deepEqual(names('bitRate', false), ['b 9', 'b 10', 'a']);
  assert.deepEqual(names('drift', true), ['b 10', 'b 9', 'a']);
});

it('puts what wants to be looked at first', () => {
  assert.deepEqual(names('state', false), ['a', 'b 9', 'b 10']);
});
