import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOf } from './partition-of.ts';

test('the partition of a key never changes: it is part of the stored format', () => {
  const places = ['', 'a', 'client-abc/device-001', 'client-abc/device-002', 'ключ/ä'].map((key) =>
    partitionOf(key, 16),
  );
  assert.deepEqual(places, PLACES);
});

test('keys that differ only at their end spread evenly', () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let index = 0; index < 16_000; index++) {
    const partition = partitionOf(`client/camera-${index}`, 16);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(count > 850 && count < 1_150, counts.join());
});

const PLACES = [11, 3, 5, 14, 1];
