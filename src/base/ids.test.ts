import assert from 'node:assert/strict';
import { test } from 'node:test';
import { derivedId, isId, randomIds } from './ids.ts';

test('ids have their kind’s shape; derived ones follow from their parts alone', () => {
  assert.ok(isId('segment', randomIds.next('segment')));
  assert.notEqual(randomIds.next('segment'), randomIds.next('segment'));
  const id = derivedId('segment', 'str_1', 'live0.ts', 7);
  assert.ok(isId('segment', id));
  assert.equal(derivedId('segment', 'str_1', 'live0.ts', 7), id);
  assert.notEqual(derivedId('segment', 'str_1', 'live0.ts', '7'), id);
  assert.notEqual(derivedId('segment', 'str_1live0.ts', '', 7), id);
});
