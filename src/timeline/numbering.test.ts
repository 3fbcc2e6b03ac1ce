import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { insertIntoWindow, retireFromWindow, type WindowNumbers } from './numbering.ts';

interface Entry {
  readonly id: number;
  readonly epochId: string;
  readonly startMs: number;
  dvrDiscontinuity: boolean;
}

type Step =
  | { readonly kind: 'append'; readonly newEpoch: boolean }
  | { readonly kind: 'late'; readonly at: number }
  | { readonly kind: 'retire'; readonly count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), newEpoch: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('late' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retire' as const), count: fc.nat(5) }) },
);

/** A window as players see it, driven by the rules under test. */
class Model {
  numbers: WindowNumbers = { mediaSequence: 0, discontinuitySequence: 0, length: 0, tags: 0 };
  window: Entry[] = [];
  #made = 0;
  #epochs = 0;
  #epochId = 'e0';
  #edgeMs = 0;

  apply(taken: Step): void {
    switch (taken.kind) {
      case 'append': {
        const begins = this.#made === 0 || taken.newEpoch;
        if (begins) this.#epochId = `e${++this.#epochs}`;
        this.#edgeMs += 1000;
        this.#insert('onTime', this.#epochId, this.#edgeMs, begins && this.#epochs > 1);
        break;
      }
      case 'late':
        this.#insert('late', `late${this.#made}`, Math.floor(taken.at * this.#edgeMs) + 0.5, true);
        break;
      case 'retire': {
        const gone = this.window.splice(0, taken.count);
        this.numbers = retireFromWindow(this.numbers, {
          count: gone.length,
          tags: gone.filter((entry) => entry.dvrDiscontinuity).length,
        });
        break;
      }
    }
  }

  #insert(placement: 'onTime' | 'late', epochId: string, startMs: number, discontinuity: boolean): void {
    const behind = this.window.findIndex((entry) => entry.startMs > startMs);
    const at = behind === -1 ? this.window.length : behind;
    const after = this.window[at] ?? null;
    const insertion = insertIntoWindow(
      this.numbers,
      { placement, epochId, discontinuity },
      { before: this.window[at - 1] ?? null, after },
    );
    this.numbers = insertion.numbers;
    if (after !== null) after.dvrDiscontinuity = insertion.followerDiscontinuity ?? after.dvrDiscontinuity;
    this.window.splice(at, 0, { id: this.#made++, epochId, startMs, dvrDiscontinuity: insertion.dvrDiscontinuity });
  }
}

function forEachHistory(check: (model: Model) => void): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const taken of steps) {
        model.apply(taken);
        check(model);
      }
    }),
  );
}

test('counters equal what the window holds', () => {
  forEachHistory(({ numbers, window }) => {
    assert.equal(numbers.length, window.length);
    assert.equal(numbers.tags, window.filter((entry) => entry.dvrDiscontinuity).length);
  });
});

test('a tag stands exactly where two neighbours differ in epoch', () => {
  forEachHistory(({ window }) => {
    for (const [index, entry] of window.entries()) {
      const before = window[index - 1];
      if (before !== undefined) assert.equal(entry.dvrDiscontinuity, entry.epochId !== before.epochId);
    }
  });
});

test('a media sequence number names one segment for ever, and numbers never fall', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      const named = new Map<number, number>();
      let first = 0;
      for (const taken of steps) {
        model.apply(taken);
        assert.ok(model.numbers.mediaSequence >= first);
        first = model.numbers.mediaSequence;
        for (const [index, entry] of model.window.entries()) {
          const number = model.numbers.mediaSequence + index;
          assert.equal(named.get(number) ?? entry.id, entry.id);
          named.set(number, entry.id);
        }
      }
    }),
  );
});

test('the discontinuity sequence of a numbered segment never changes, and never falls along the timeline', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      const known = new Map<number, number>();
      for (const taken of steps) {
        model.apply(taken);
        let discontinuity = model.numbers.discontinuitySequence;
        for (const [index, entry] of model.window.entries()) {
          discontinuity += Number(entry.dvrDiscontinuity);
          const number = model.numbers.mediaSequence + index;
          assert.equal(known.get(number) ?? discontinuity, discontinuity);
          known.set(number, discontinuity);
        }
      }
      const ordered = [...known].sort((a, b) => a[0] - b[0]).map(([, discontinuity]) => discontinuity);
      assert.deepEqual(
        ordered,
        ordered.toSorted((a, b) => a - b),
      );
    }),
  );
});

test('the first segment behind an emptied window keeps its tag when it begins an epoch', () => {
  const empty: WindowNumbers = { mediaSequence: 7, discontinuitySequence: 2, length: 0, tags: 0 };
  const insertion = insertIntoWindow(
    empty,
    { placement: 'onTime', epochId: 'e2', discontinuity: true },
    { before: null, after: null },
  );
  assert.equal(insertion.dvrDiscontinuity, true);
  assert.deepEqual(insertion.numbers, { mediaSequence: 7, discontinuitySequence: 2, length: 1, tags: 1 });
});
