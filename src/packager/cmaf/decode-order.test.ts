import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { decodeOrderSamples } from './decode-order.ts';
import { firstSampleEnd, readMediaSegment } from './media-reader.ts';
import { writeMediaSegment } from './media-writer.ts';

const DATA = Uint8Array.of(1, 2, 3);

function packets(times: readonly number[]): { data: Uint8Array; pts: number; isSync: boolean }[] {
  return times.map((pts, index) => ({ data: DATA, pts, isSync: index === 0 }));
}

describe('decoding order', () => {
  /** Decoding times of packets with these presentation times, in this order. */
  function decoded(times: readonly number[], end: number): number[] {
    const { baseMediaDecodeTime, samples } = decodeOrderSamples(packets(times), end);
    let at = baseMediaDecodeTime;
    return samples.map((sample) => (at += sample.duration) - sample.duration);
  }

  test('packets are decoded as late as they can be, and evenly', () => {
    assert.deepEqual(decoded([0, 100, 250, 300], 400), [0, 100, 250, 300], 'nothing is reordered');
    assert.deepEqual(decoded([0, 300, 100, 200, 600, 400, 500], 700), [0, 50, 100, 200, 300, 400, 500]);
    assert.deepEqual(
      decoded([0, 800, 400, 200, 100, 300, 600, 500, 700], 900),
      [0, 25, 50, 75, 100, 300, 400, 500, 700],
    );
    assert.deepEqual(decoded([0, 1_000_100, 1_000_000], 1_000_200), [0, 999_900, 1_000_000], 'after a long still');
    assert.deepEqual(decoded([300, 100, 200], 400), [100, 100, 200], 'the key frame is not shown first');
  });

  test('any order of any times comes back from the written segment, and fills it to its end', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 40 });
    const base = fc.integer({ min: 0, max: 2 ** 45 });
    const seeds = fc.infiniteStream(fc.nat());
    fc.assert(
      fc.property(gaps, base, seeds, (distances, start, order) => {
        const rising: number[] = [];
        let end = start;
        for (const distance of distances) {
          rising.push(end);
          end += distance;
        }
        const keyed = rising.map((time) => ({ time, key: order.next().value ?? 0 }));
        const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ time }) => time);
        const segment = decodeOrderSamples(packets(shuffled), end);
        const read = readMediaSegment(writeMediaSegment({ sequenceNumber: 0, ...segment }));
        assert.equal(read.baseMediaDecodeTime, start);
        let decoding = read.baseMediaDecodeTime;
        let latestEnd = 0;
        for (const [index, sample] of read.samples.entries()) {
          const shownAt = decoding + sample.compositionOffset;
          assert.equal(shownAt, shuffled[index]);
          assert.ok(sample.compositionOffset >= 0 && sample.duration >= 0);
          latestEnd = Math.max(latestEnd, shownAt + sample.duration);
          decoding += sample.duration;
        }
        assert.deepEqual([decoding, latestEnd], [end, end]);
      }),
    );
  });

  test('what has no such order is refused with its value', () => {
    assert.throws(() => decodeOrderSamples([], 1), { code: 'invalid_argument' });
    assert.throws(() => decodeOrderSamples(packets([5, 5]), 9), /Got 5 and then 5/);
    assert.throws(() => decodeOrderSamples(packets([5, 9]), 9), /Got 9 and then 9/);
    assert.throws(() => decodeOrderSamples(packets([0.5]), 9), { code: 'invalid_argument' });
  });
});

describe('the first sample', () => {
  test('ends where the reader says', () => {
    const samples = [5, 700, 3].map((length) => ({ data: new Uint8Array(length).fill(7), duration: 9, isSync: true }));
    const bytes = writeMediaSegment({ sequenceNumber: 0, baseMediaDecodeTime: 0, samples });
    assert.equal(firstSampleEnd(bytes), bytes.length - 703);
    assert.deepEqual([...bytes.subarray(firstSampleEnd(bytes) - 5, firstSampleEnd(bytes))], [7, 7, 7, 7, 7]);
  });
});
