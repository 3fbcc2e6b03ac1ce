import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasMore, renditionsOf } from './renditions.ts';

const MASTER = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="out_a/index.m3u8?token=one"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="CC",INSTREAM-ID="CC1"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="out_v/iframes.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=100,AUDIO="a"
out_v/index.m3u8?token=one
`;

test('a multivariant playlist names its media playlists, whatever the token', () => {
  assert.deepEqual(renditionsOf(MASTER), ['out_a/index.m3u8', 'out_v/index.m3u8']);
  assert.deepEqual(renditionsOf(MASTER.replaceAll('one', 'two').replaceAll('\n', '\r\n')), renditionsOf(MASTER));
});

test('only what is new counts', () => {
  assert.ok(hasMore(['a'], ['b', 'a']));
  assert.ok(!hasMore(['a', 'b'], ['b']));
});
