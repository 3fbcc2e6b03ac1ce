import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isZoetropeError } from '../../base/errors.ts';
import { randomIds } from '../../base/ids.ts';
import { chunkKey, chunkValue, parseChunk, readChunkEvent, type ChunkEventValue } from './chunk-event.ts';

const STREAM = randomIds.next('stream');
const KEY = chunkKey(STREAM, 7, randomIds.next('chunk'));
const VALUE: ChunkEventValue = {
  stream_id: STREAM,
  chunk_index: 7,
  sequence_number: 7,
  timestamp: '2026-11-20T10:30:00.250Z',
  size_bytes: 1000,
  duration_ms: 2000,
  keyframe_aligned: true,
  checksum: `sha256:${'ab'.repeat(32)}`,
  audio_track_id: 'audio-1',
  video_track_id: null,
  object_key: KEY,
};

function logged(value: unknown, key = STREAM): Parameters<typeof readChunkEvent>[0] {
  return { partition: 0, offset: 0, key, value, publishedAtMs: 5 };
}

describe('a chunk event', () => {
  test('is read with what it says; what it says beyond is passed over and not kept', () => {
    const more = { ...VALUE, match_home: 'x', stream_type: 'LIVE', status: 'READY' };
    const read = readChunkEvent(logged(more));
    assert.deepEqual(read, {
      kind: 'chunk',
      streamId: STREAM,
      index: 7,
      startMs: Date.UTC(2026, 10, 20, 10, 30, 0, 250),
      durationMs: 2000,
      sizeBytes: 1000,
      checksum: { algorithm: 'sha256', hex: 'ab'.repeat(32) },
      objectKey: KEY,
      receivedAtMs: 5,
    });
    assert.deepEqual(chunkValue(more), VALUE);
    const md5 = parseChunk({ ...VALUE, checksum: `MD5:${'AB'.repeat(16)}` }, 5).checksum;
    assert.deepEqual(md5, { algorithm: 'md5', hex: 'ab'.repeat(16) });
    const end = readChunkEvent(logged({ stream_id: STREAM, type: 'end' }));
    assert.deepEqual(end, { kind: 'end', streamId: STREAM, receivedAtMs: 5 });
  });

  test('that is not as it must be is refused, and the field is named', () => {
    const other = randomIds.next('stream');
    const chunk = randomIds.next('chunk');
    const wrong: readonly (readonly [keyof ChunkEventValue, unknown])[] = [
      ['stream_id', 'str_../x'],
      ['stream_id', 7],
      ['chunk_index', -1],
      ['chunk_index', 1.5],
      ['chunk_index', '7'],
      ['chunk_index', 2 ** 53],
      ['sequence_number', undefined],
      ['size_bytes', 0],
      ['duration_ms', 0],
      ['duration_ms', Number.NaN],
      ['duration_ms', 1e9],
      ['keyframe_aligned', 'yes'],
      ['checksum', 'ab'.repeat(32)],
      ['checksum', `sha256:${'ab'.repeat(16)}`],
      ['checksum', `sha1:${'ab'.repeat(20)}`],
      ['checksum', `md5:${'zz'.repeat(16)}`],
      ['audio_track_id', ''],
      ['video_track_id', {}],
      ['object_key', null],
      ['object_key', `media/${STREAM}/seg_0000000000.m4s`],
      ['object_key', chunkKey(other, 7, chunk)],
      ['object_key', chunkKey(STREAM, 8, chunk)],
      ['object_key', `${chunkKey(STREAM, 7, '')}../8/${chunk}`],
      ['object_key', `${KEY}/../../../x`],
      ['object_key', `/${KEY}`],
      ['object_key', chunkKey(STREAM, 7, '')],
    ];
    for (const [field, value] of wrong) {
      assert.throws(
        () => readChunkEvent(logged({ ...VALUE, [field]: value })),
        (error) => isZoetropeError(error, 'invalid_argument') && error.message.includes(field),
        `${field}: ${String(value)}`,
      );
    }
    for (const timestamp of ['yesterday', '2026-11-20T10:30:00', 5]) {
      assert.throws(() => readChunkEvent(logged({ ...VALUE, timestamp })), /timestamp|RFC 3339/);
    }
    for (const value of [null, [], 'text', 5])
      assert.throws(() => readChunkEvent(logged(value)), /must be a JSON object/);
    assert.throws(() => readChunkEvent(logged(VALUE, 'another')), /needs its stream_id as its key/);
  });
});
