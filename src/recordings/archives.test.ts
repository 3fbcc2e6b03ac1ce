import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomIds } from '../base/ids.ts';
import { wallMs } from '../base/time.ts';
import type { Session } from '../timeline/session.ts';
import { archiveOf } from './archives.ts';

describe('archiveOf', () => {
  const settings = { minArchiveDurationMs: 60_000, archiveRetentionMs: 1000 };
  const nowMs = wallMs(10_000_000);

  function sessionOf(startMs: number, endMs: number): Session {
    const [start, end] = [wallMs(startMs), wallMs(endMs)];
    return { id: 'ses_1', streamId: 'str_1', startMs: start, endMs: end, endedBy: null, closedAtMs: null };
  }

  it('keeps the whole session, and expires by itself', () => {
    const session = sessionOf(0, 60_000);
    const archive = archiveOf({ session, stream: { name: 'yard' }, settings, ids: randomIds, nowMs });
    assert.match(archive?.id ?? '', /^arc_/);
    assert.deepEqual(
      { ...archive, id: '' },
      {
        id: '',
        streamId: 'str_1',
        kind: 'archive',
        name: 'yard 1970-01-01T00:00:00.000Z',
        fromMs: 0,
        toMs: 60_000,
        sessionId: 'ses_1',
        expiresAtMs: 10_001_000,
      },
    );
  });

  it('is none for a session that is too short, or empty', () => {
    const stream = { name: 'yard' };
    assert.equal(archiveOf({ session: sessionOf(0, 59_999), stream, settings, ids: randomIds, nowMs }), null);
    const lenient = { ...settings, minArchiveDurationMs: 0 };
    assert.equal(archiveOf({ session: sessionOf(5, 5), stream, settings: lenient, ids: randomIds, nowMs }), null);
    assert.notEqual(archiveOf({ session: sessionOf(5, 6), stream, settings: lenient, ids: randomIds, nowMs }), null);
  });
});
