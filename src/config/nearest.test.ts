import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nearestName } from './nearest.ts';

it('finds the name that was probably meant, and none where nothing is near', () => {
  const known = ['http.port', 'http.host', 'frames.crf', 'logLevel'];
  assert.equal(nearestName('http.prot', known), 'http.port');
  assert.equal(nearestName('HTTP.HOST', known), 'http.host');
  assert.equal(nearestName('loglevel', known), 'logLevel');
  assert.equal(nearestName('frames.crf', known), 'frames.crf');
  assert.equal(nearestName('retention', known), null);
  assert.equal(nearestName('', known), null);
  assert.equal(nearestName('x', []), null);
});
