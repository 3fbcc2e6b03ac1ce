import assert from 'node:assert/strict';
import { it } from 'node:test';
import { passes, type Filterable } from './filter.ts';

const camera: Filterable = { id: 'str_1', name: 'North gate', tenant: 'acme', deviceId: 'cam-07', state: 'online' };

it('finds by any words, in any order, in any case', () => {
  for (const text of ['', 'north', 'GATE north', 'acme 07', 'str_1'])
    assert.ok(passes(camera, { text, state: 'all' }), text);
  assert.ok(!passes(camera, { text: 'north south', state: 'all' }));
});

it('counts a camera that never sent a frame as offline', () => {
  assert.ok(passes({ ...camera, state: 'new' }, { text: '', state: 'offline' }));
  assert.ok(!passes(camera, { text: '', state: 'offline' }));
});
