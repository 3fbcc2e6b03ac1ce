import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyText, stateText, subjectHref } from './delivery-text.ts';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const attempt = (status: number | null) => ({ at: '2026-01-01T00:00:00.000Z', status, durationMs: 5, error: null });

test('a delivery says how it stands', () => {
  assert.equal(stateText({ state: 'delivered', tries: [attempt(200)], nextTryAt: null }, NOW), 'Delivered, 200');
  assert.equal(
    stateText({ state: 'delivered', tries: [attempt(500), attempt(204)], nextTryAt: null }, NOW),
    'Delivered, 204, 2 tries',
  );
  assert.equal(stateText({ state: 'failed', tries: [attempt(410)], nextTryAt: null }, NOW), 'Failed after 1 try');
  const nextTryAt = '2026-01-01T00:09:00.000Z';
  assert.equal(stateText({ state: 'waiting', tries: [attempt(null)], nextTryAt }, NOW), '1 try, again in 9 min');
  assert.equal(stateText({ state: 'waiting', tries: [], nextTryAt }, NOW), 'due in 9 min');
  assert.equal(stateText({ state: 'waiting', tries: [], nextTryAt: null }, NOW), 'on its way');
});

test('a body is readable, whatever it is', () => {
  assert.equal(bodyText('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(bodyText('not json'), 'not json');
});

test('a delivery leads to what it is about', () => {
  assert.equal(subjectHref({ type: 'asset.ready', subjectId: 'ast_1' }), '/assets/ast_1');
  assert.equal(subjectHref({ type: 'stream.offline', subjectId: 'str_1' }), '/streams/str_1');
  assert.equal(subjectHref({ type: 'asset.deleted', subjectId: 'ast_1' }), null);
  assert.equal(subjectHref({ type: 'endpoint.test', subjectId: 'x' }), null);
});
