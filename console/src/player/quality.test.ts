import assert from 'node:assert/strict';
import { it } from 'node:test';
import { qualitiesOf } from './quality.ts';

const MASTER = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=700000,AVERAGE-BANDWIDTH=600000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360
live.m3u8?rendition=low%20one
#EXT-X-STREAM-INF:BANDWIDTH=3500000,CODECS="avc1.640028,mp4a.40.2",RESOLUTION=1920x1080
live.m3u8
`;

it('reads what there is to choose', () => {
  assert.deepEqual(qualitiesOf(MASTER), [
    { rendition: null, name: '1080p', detail: '3.5 Mbit/s' },
    { rendition: 'low one', name: '360p', detail: '600 kbit/s' },
  ]);
});

it('offers nothing where there is one', () => {
  assert.deepEqual(qualitiesOf(MASTER.split('\n').slice(0, 5).join('\n')), []);
  assert.deepEqual(qualitiesOf(''), []);
});
