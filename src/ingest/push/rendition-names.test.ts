import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OfferedPlaylist } from './push-event.ts';
import { RenditionNames } from './rendition-names.ts';
import { SourceNotes } from './source-notes.ts';

const TARGET_MS = 2000;

describe('which rendition a playlist is', () => {
  function world(notes = new SourceNotes(null), sinceMs = 0) {
    const names = new RenditionNames(notes, sinceMs);
    return {
      notes,
      saw: (name: string, nowMs: number, isEnded = false): void =>
        names.saw(
          { kind: 'playlist', streamId: 'x', name, targetDurationMs: TARGET_MS, isEnded, entries: [], receivedAtMs: 0 },
          nowMs,
        ),
      offer: (pictures: readonly string[], sound: readonly string[] = []): void => {
        const offered = (name: string, kind: OfferedPlaylist['kind']): OfferedPlaylist => {
          return { name, kind, language: 'en', label: null, isDefault: true };
        };
        const playlists = [
          ...pictures.map((name) => offered(name, 'pictures')),
          ...sound.map((name) => offered(name, 'sound')),
        ];
        names.offered({ kind: 'multivariant', streamId: 'x', name: 'master.m3u8', playlists, receivedAtMs: 0 });
      },
      of: (name: string, nowMs: number): string | number => {
        const naming = names.of(name, nowMs);
        if (naming.kind === 'named') return naming.rendition;
        return naming.kind === 'wait' ? naming.untilMs : -1;
      },
    };
  }

  test('the best of the multivariant playlist is main, whichever came first', () => {
    const w = world();
    w.saw('sound', 0);
    w.saw('small', 10);
    assert.equal(w.of('small', 10), 1000, 'it waits for the multivariant playlist');
    w.offer(['large', 'small'], ['sound']);
    assert.deepEqual([w.of('small', 20), w.of('sound', 20), w.of('large', 20)], ['v1', 'a1', 'main']);
    assert.deepEqual(w.notes.report.sound, { a1: { language: 'en', label: null, isDefault: true } });
    w.offer(['small', 'large']);
    assert.equal(w.of('small', 30), 'v1', 'a name is for ever');
  });

  test('without one they are named in order of arrival', () => {
    const w = world();
    w.saw('a', 0);
    w.saw('b', 500);
    assert.equal(w.of('b', 999), 1000);
    assert.deepEqual([w.of('b', 1000), w.of('a', 1000)], ['v1', 'main']);
  });

  test('a newcomer beside others that go on is one more', () => {
    const w = world();
    w.saw('a', 0);
    assert.equal(w.of('a', 1000), 'main');
    w.saw('b', 1500);
    assert.equal(w.of('b', 1500), 5000, 'until it is known whether the other goes on');
    w.saw('a', 2000);
    assert.equal(w.of('b', 2000), 'v1');
  });

  test('a newcomer goes on with what ended, or comes no more', () => {
    const ended = world();
    ended.saw('a', 0, true);
    assert.equal(ended.of('a', 1000), 'main');
    ended.saw('b', 1500);
    assert.equal(ended.of('b', 1500), 'main');
    ended.saw('a', 9000);
    assert.equal(ended.of('a', 20_000), 'main', 'b came no more');
    const killed = world();
    killed.saw('a', 0);
    assert.equal(killed.of('a', 1000), 'main');
    killed.saw('b', 3000);
    assert.equal(killed.of('b', 4999), 5000);
    assert.equal(killed.of('b', 5000), 'main');
    assert.deepEqual(killed.notes.report.memory.renditions, { b: 'main' });
  });

  test('whoever takes over waits for signs of those that it does not know', () => {
    const before = world();
    before.saw('a', 0);
    before.saw('b', 0);
    assert.deepEqual([before.of('a', 1000), before.of('b', 1000)], ['main', 'v1']);
    const after = world(new SourceNotes(before.notes.report), 50_000);
    after.saw('a', 50_100);
    after.saw('c', 50_200);
    assert.equal(after.of('a', 50_200), 'main');
    assert.equal(after.of('c', 50_200), 55_100, 'until a was silent for long');
    after.saw('a', 52_100);
    assert.equal(after.of('c', 52_100), 55_000, 'until b was');
    after.saw('b', 53_000);
    assert.equal(after.of('c', 53_000), 'v2', 'never one that another writes');
  });

  test('there is a bound, and what is forgotten is free', () => {
    const w = world();
    const many = Array.from({ length: 20 }, (_, index) => `p${index}`);
    for (const name of many) w.saw(name, 0);
    const given = many.map((name) => w.of(name, 1000));
    assert.equal(given.filter((one) => typeof one === 'string').length, 16);
    for (const name of many) w.saw(name, 2000);
    assert.equal(w.of('p19', 2000), -1);
    assert.equal(Object.keys(w.notes.report.memory.renditions).length, 16);
    w.saw('p0', 4000, true);
    assert.deepEqual([w.of('p16', 4000), w.of('p19', 4000)], ['main', -1]);
  });
});
