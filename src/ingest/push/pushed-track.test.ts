import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PushedPlaylist } from './push-event.ts';
import { PushedTrack, type WaitingFile } from './pushed-track.ts';

type Waiting = WaitingFile<string>;

function playlist(first: number, names: readonly string[]): PushedPlaylist {
  return {
    kind: 'playlist',
    streamId: 'str_1',
    name: 'live.m3u8',
    targetDurationMs: 4000,
    isEnded: false,
    receivedAtMs: 0,
    entries: names.map((name, index) => ({
      name,
      sequence: first + index,
      durationMs: 4000,
      programDateTimeMs: null,
      discontinuity: false,
      initName: null,
    })),
  };
}

const file = (name: string, content = name, order = 0): Waiting => ({ file: content, name, order, sinceMs: 0 });

/** Takes all that can be taken; answers with what was, and a `!` behind what came out of order. */
function takeAll(track: PushedTrack<string>, waiting: Waiting[], nowMs = 0): readonly string[] {
  const taken: string[] = [];
  for (;;) {
    const step = track.next(waiting, nowMs);
    if (step.kind !== 'take') return taken;
    taken.push(step.waiting.file + (step.isOutOfOrder ? '!' : ''));
    waiting.splice(waiting.indexOf(step.waiting), 1);
    track.took(step);
  }
}

test('files are taken in the playlist’s order, not in that of their arrival', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['a', 'b', 'c']), 1, []);
  assert.deepEqual(takeAll(track, [file('c'), file('a'), file('b')]), ['a', 'b', 'c']);
});

test('a file that no playlist names waits', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['a']), 1, []);
  const waiting = [file('x')];
  assert.deepEqual(takeAll(track, waiting), []);
  assert.equal(track.names('x'), false);
  assert.equal(waiting.length, 1);
});

test('a missing segment is waited for while later ones are there, and then given up', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  const waiting = [file('a'), file('c')];
  track.update(playlist(0, ['a', 'b', 'c']), 1, []);
  assert.deepEqual(takeAll(track, waiting, 1000), ['a']);
  assert.deepEqual(track.next(waiting, 1000), { kind: 'wait', untilMs: 5000 });
  assert.deepEqual(takeAll(track, waiting, 5000), ['c']);
});

test('one that comes after it was given up is out of order', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['a', 'b', 'c']), 1, []);
  assert.deepEqual(takeAll(track, [file('a')], 0), ['a']);
  const waiting = [file('c')];
  track.next(waiting, 0);
  assert.deepEqual(takeAll(track, waiting, 10_000), ['c']);
  assert.deepEqual(takeAll(track, [file('b')], 10_000), ['b!']);
});

test('one that is named before it is sent is no gap', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['a', 'b']), 1, []);
  assert.deepEqual(takeAll(track, [file('a')]), ['a']);
  assert.deepEqual(track.next([], 60_000), { kind: 'none' });
  assert.deepEqual(takeAll(track, [file('b')], 60_000), ['b']);
});

test('a playlist listed again takes nothing twice', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['a', 'b']), 1, []);
  assert.deepEqual(takeAll(track, [file('a'), file('b')]), ['a', 'b']);
  track.update(playlist(1, ['b', 'c']), 1, []);
  assert.deepEqual(takeAll(track, [file('c')]), ['c']);
});

test('an encoder that begins anew with the same names sends new segments', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['seg0', 'seg1', 'seg2']), 1, []);
  assert.deepEqual(takeAll(track, [file('seg0'), file('seg1'), file('seg2')]), ['seg0', 'seg1', 'seg2']);
  const waiting = [file('seg0', 'new seg0', 2)];
  assert.deepEqual(takeAll(track, waiting), [], 'its playlist is still to come');
  track.update(playlist(0, ['seg0']), 3, waiting);
  assert.deepEqual(takeAll(track, waiting), ['new seg0']);
  track.update(playlist(0, ['seg0', 'seg1']), 1, []);
  assert.deepEqual(takeAll(track, [file('seg1', 'new seg1')]), ['new seg1']);
});

test('an encoder that begins anew after its first segment sends a new first segment', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['seg0']), 1, []);
  assert.deepEqual(takeAll(track, [file('seg0')]), ['seg0']);
  const waiting = [file('seg0', 'new seg0', 2)];
  track.update(playlist(0, ['seg0']), 3, waiting);
  assert.deepEqual(takeAll(track, waiting), ['new seg0']);
});

test('a file in the middle that comes again is taken out of order', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['a', 'b']), 1, []);
  assert.deepEqual(takeAll(track, [file('a'), file('b')]), ['a', 'b']);
  const waiting = [file('a', 'a again', 2)];
  track.update(playlist(0, ['a', 'b']), 3, waiting);
  assert.deepEqual(takeAll(track, waiting), ['a again!']);
});

test('the first of all is waited for too, also of an encoder that begins anew', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['seg0', 'seg1']), 1, []);
  assert.deepEqual(track.next([file('seg1')], 1000), { kind: 'wait', untilMs: 5000 });
  assert.deepEqual(takeAll(track, [file('seg0'), file('seg1')], 1000), ['seg0', 'seg1']);
  const waiting = [file('seg1', 'new seg1', 2)];
  track.update(playlist(0, ['seg0', 'seg1']), 3, waiting);
  assert.deepEqual(track.next(waiting, 2000), { kind: 'wait', untilMs: 6000 });
});

test('whoever takes over begins with the first file that is there', () => {
  const track = new PushedTrack<string>('live.m3u8', false);
  track.update(playlist(7, ['g', 'h', 'i']), 1, []);
  assert.deepEqual(takeAll(track, [file('i')]), ['i']);
});

test('all that are missing in a row are waited for together', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  const waiting = [file('a'), file('e')];
  track.update(playlist(0, ['a', 'b', 'c', 'd', 'e']), 1, []);
  assert.deepEqual(takeAll(track, waiting, 0), ['a']);
  assert.deepEqual(track.next(waiting, 0), { kind: 'wait', untilMs: 4000 });
  assert.deepEqual(takeAll(track, waiting, 4000), ['e']);
});

test('a playlist that was overtaken on its way is not that of an encoder that begins anew', () => {
  const track = new PushedTrack<string>('live.m3u8', true);
  track.update(playlist(0, ['a', 'b', 'c']), 1, []);
  assert.deepEqual(takeAll(track, [file('a'), file('b'), file('c')]), ['a', 'b', 'c']);
  track.update(playlist(0, ['a', 'b']), 2, []);
  track.update(playlist(0, ['a', 'b', 'c', 'd']), 3, []);
  assert.deepEqual(takeAll(track, [file('d', 'd', 2)]), ['d'], 'nothing that was taken is missed');
});
