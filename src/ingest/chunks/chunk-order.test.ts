import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ChunkOrder, type ChunkPatience, type WaitingChunk } from './chunk-order.ts';

function chunk(index: number, retryAtMs = 0, durationMs = 2000): WaitingChunk {
  return { index, retryAtMs, durationMs };
}

/** Takes all that can be taken now; answers the indexes, late ones marked. */
function taken(
  order: ChunkOrder,
  indexes: readonly number[],
  nowMs: number,
  patience: ChunkPatience = 'full',
): string[] {
  let waiting = indexes.toSorted((a, b) => a - b).map((index) => chunk(index));
  const all: string[] = [];
  for (;;) {
    const step = order.next(waiting, nowMs, patience);
    if (step.kind === 'wait') return all;
    waiting = waiting.filter((other) => other !== step.chunk);
    order.passed(step.chunk.index);
    all.push(`${step.chunk.index}${step.isLate ? ' late' : ''}`);
  }
}

describe('the order of chunks', () => {
  test('what follows is taken at once, whatever order it came in', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }), (indexes) => {
        assert.deepEqual(taken(new ChunkOrder(null), indexes, 0), ['0', '1', '2', '3', '4', '5', '6']);
      }),
    );
  });

  test('a missing one is waited for as long as the next plays, and taken late after that', () => {
    const order = new ChunkOrder(4);
    assert.deepEqual(taken(order, [6, 7], 0), []);
    assert.deepEqual(order.next([chunk(6)], 500, 'full'), { kind: 'wait', untilMs: 2000 });
    assert.deepEqual(taken(order, [6, 7], 1999), []);
    assert.deepEqual(taken(order, [6, 7], 2000), ['6', '7']);
    assert.deepEqual(taken(order, [5, 8], 2001), ['5 late', '8']);
  });

  test('a wait has bounds, whatever the encoder says', () => {
    const until = (durationMs: number): unknown => new ChunkOrder(0).next([chunk(2, 0, durationMs)], 0, 'full');
    assert.deepEqual(
      [until(1), until(3_600_000)],
      [
        { kind: 'wait', untilMs: 1000 },
        { kind: 'wait', untilMs: 15_000 },
      ],
    );
  });

  test('what is given up is counted, and an encoder may begin where it likes', () => {
    assert.equal(new ChunkOrder(4).passed(8), 3);
    assert.equal(new ChunkOrder(null).passed(8), 0);
    assert.equal(new ChunkOrder(8).passed(3), 0);
    const order = new ChunkOrder(null);
    assert.deepEqual(taken(order, [8, 9], 0), [], 'its first may still come');
    assert.deepEqual(taken(order, [8, 9], 2000), ['8', '9']);
  });

  test('one whose object is not there holds up others no longer than one that never came', () => {
    const order = new ChunkOrder(4);
    const waiting = [chunk(5, 300), chunk(6)];
    assert.deepEqual(order.next(waiting, 0, 'full'), { kind: 'wait', untilMs: 300 });
    const later = [chunk(5, 9000), chunk(6)];
    assert.deepEqual(order.next(later, 1000, 'full'), { kind: 'wait', untilMs: 2000 });
    assert.deepEqual(order.next(later, 2000, 'full'), { kind: 'take', chunk: later[1], isLate: false });
    assert.deepEqual(order.next([chunk(5, 9000)], 0, 'full'), { kind: 'wait', untilMs: 9000 });
  });

  test('behind an end only what was announced is waited for; in a hurry nothing is', () => {
    assert.deepEqual(taken(new ChunkOrder(4), [7, 9], 0, 'announced'), ['7', '9']);
    const waiting = [chunk(5, 300), chunk(7)];
    assert.equal(new ChunkOrder(4).next(waiting, 0, 'announced').kind, 'wait');
    assert.deepEqual(new ChunkOrder(4).next(waiting, 0, 'none'), { kind: 'take', chunk: waiting[1], isLate: false });
  });
});
