import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isZoetropeError } from '../../base/errors.ts';
import { pushedName, referredName } from './pushed-name.ts';

const BASE = '/ingest/hls/str_1/';

const refused = (work: () => unknown): void =>
  assert.throws(work, (error) => isZoetropeError(error, 'invalid_argument'));

test('names are taken as they are, and what would be a way out is refused', () => {
  assert.equal(pushedName('720p/segment 1.ts'), '720p/segment 1.ts');
  for (const name of ['', '..', 'a/../b', 'a//b', '/a', 'a/', './a', 'a\\b', 'a\u0000b', 'x'.repeat(513)]) {
    refused(() => pushedName(name));
  }
});

test('what a playlist names is found beside it, or by its whole address', () => {
  assert.equal(referredName('seg1.ts', 'live.m3u8', BASE), 'seg1.ts');
  assert.equal(referredName('seg1.ts?x=1#y', 'v0/prog.m3u8', BASE), 'v0/seg1.ts');
  assert.equal(referredName('../init.mp4', 'v0/prog.m3u8', BASE), 'init.mp4');
  assert.equal(referredName('seg%201.ts', 'live.m3u8', BASE), 'seg 1.ts');
  assert.equal(referredName('/ingest/hls/str_1/a/b.ts', 'live.m3u8', BASE), 'a/b.ts');
  assert.equal(referredName('https://cdn.example/x/seg1.ts', 'live.m3u8', BASE), 'seg1.ts');
});

test('a playlist names nothing outside its stream', () => {
  for (const uri of [
    '../other/seg.ts',
    '../../../etc/passwd',
    '/etc/passwd',
    '%2e%2e/%2e%2e/x',
    '%ff',
    'file:///etc/',
  ]) {
    refused(() => referredName(uri, 'live.m3u8', BASE));
  }
});
