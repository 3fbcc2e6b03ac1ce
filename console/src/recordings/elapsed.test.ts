import assert from 'node:assert/strict';
import { it } from 'node:test';
import { elapsed } from './elapsed.ts';

it('counts as a recorder does', () => {
  const shown = [-5, 999, 7_000, 750_000, 3_723_999, 86_399_000, 86_400_000 * 3 + 4 * 3_600_000 + 300_000].map(elapsed);
  assert.deepEqual(shown, ['0:00', '0:00', '0:07', '12:30', '1:02:03', '23:59:59', '3 d 04:05']);
});
