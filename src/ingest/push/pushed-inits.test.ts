import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PushedFile } from './push-event.ts';
import { PushedInits } from './pushed-inits.ts';

const init = (objectKey: string, sha256 = objectKey, name = 'init.mp4'): PushedFile => ({
  kind: 'init',
  streamId: 'str_1',
  name,
  id: objectKey,
  objectKey,
  sizeBytes: 700,
  sha256,
  container: 'fmp4',
  receivedAtMs: 0,
});

const wish = (order: number, runSince: number | null = null): Parameters<PushedInits<string>['find']>[0] => ({
  name: 'init.mp4',
  order,
  runSince,
});

test('a segment needs the newest that came before it, or one a moment later if there was none', () => {
  const inits = new PushedInits<string>();
  inits.add(init('a'), 'a', 0);
  inits.add(init('b'), 'b', 5);
  assert.equal(inits.find(wish(3), null), 'a');
  assert.equal(inits.find(wish(7), null), 'b');
  assert.equal(new PushedInits<string>().find(wish(7), null), null);
  const late = new PushedInits<string>();
  late.add(init('c'), 'c', 2);
  assert.equal(late.find(wish(1), null), 'c');
  assert.equal(late.find(wish(1), 'former'), 'former');
});

test('an encoder that began anew needs one that came since: before or behind the segment, the same or another', () => {
  const inits = new PushedInits<string>();
  inits.add(init('a'), 'a', 0);
  assert.equal(inits.find(wish(10, 8), 'former'), null);
  inits.add(init('b'), 'b', 11);
  assert.equal(inits.find(wish(10, 8), 'former'), 'b');
  assert.equal(inits.find(wish(7), null), 'a', 'what waits of the former run keeps the former one');
  const same = new PushedInits<string>();
  same.add(init('a'), 'a', 0);
  assert.equal(same.add(init('copy', 'a'), 'copy', 9), 'again');
  assert.equal(same.add(init('a'), 'a', 9), 'known');
  assert.equal(same.find(wish(10, 8), null), 'a');
});

test('one is written down when nothing waits that came before it', () => {
  const inits = new PushedInits<string>();
  inits.add(init('a'), 'a', 0);
  inits.add(init('b'), 'b', 4);
  const kept = (oldest: number): readonly string[] => inits.keep(oldest).map(({ event }) => event);
  assert.deepEqual(kept(2), ['a']);
  assert.deepEqual(kept(3), []);
  assert.deepEqual(kept(9), ['b']);
  assert.equal(inits.find(wish(3), null), 'b', 'the former one is gone');
  inits.add(init('c'), 'c', 10);
  assert.deepEqual(
    inits.drain().map(({ event }) => event),
    ['c'],
  );
});
