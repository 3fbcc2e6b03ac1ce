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
  test('decoding times are the presentation times, sorted', () => {
    const { baseMediaDecodeTime, samples } = decodeOrderSamples(packets([100, 400, 200, 300]), 520);
    assert.equal(baseMediaDecodeTime, 100);
    assert.deepEqual(
      samples.map((sample) => [sample.duration, sample.compositionOffset]),
      [
        [100, 0],
        [100, 200],
        [100, -100],
        [120, -100],
      ],
    );
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
        for (const [index, sample] of read.samples.entries()) {
          assert.equal(decoding, rising[index]);
          assert.equal(decoding + sample.compositionOffset, shuffled[index]);
          decoding += sample.duration;
        }
        assert.equal(decoding, end);
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
