import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { EventPlaylist } from './event-playlist.ts';
import { renderMediaPlaylist, type PlaylistHead, type PlaylistSegment } from './media-playlist.ts';

const HEAD: PlaylistHead & { readonly canSkipUntilS: number } = {
  targetDurationS: 5,
  mediaSequence: 0,
  discontinuitySequence: 0,
  type: 'EVENT',
  canSkipUntilS: 30,
  dateRanges: [],
};

function segmentAt(index: number, durationS: number): PlaylistSegment {
  return {
    uri: `segments/${index}.m4s`,
    mapUri: `init/${Math.floor(index / 50)}.mp4`,
    durationS,
    startMs: null,
    discontinuity: index > 0 && index % 50 === 0,
    gap: index % 97 === 96,
  };
}

describe('EventPlaylist', () => {
  it('is the same text as one that is rendered at once, whatever its length', () => {
    const playlist = new EventPlaylist();
    const segments: PlaylistSegment[] = [];
    for (let index = 0; index < 1000; index++) {
      segments.push(segmentAt(index, 5));
      playlist.append(segmentAt(index, 5), 30);
      assert.equal(playlist.count, index + 1);
      if (index % 61 !== 0) continue;
      assert.equal(playlist.full(HEAD, false), renderMediaPlaylist(HEAD, segments, false));
      assert.equal(playlist.full(HEAD, true), renderMediaPlaylist(HEAD, segments, true));
    }
    assert.equal(new EventPlaylist().full(HEAD, true), renderMediaPlaylist(HEAD, [], true));
  });

  it('leaves out of a delta update what ends before its last seconds, and nothing else', () => {
    const durations = fc.array(fc.double({ min: 0.1, max: 5, noNaN: true }), { minLength: 1, maxLength: 700 });
    fc.assert(
      fc.property(durations, (lengths) => {
        const playlist = new EventPlaylist();
        for (const [index, durationS] of lengths.entries()) playlist.append(segmentAt(index, durationS), 30);
        const delta = playlist.delta(HEAD);
        let keptS = 0;
        let first = lengths.length;
        while (first > 0 && keptS < 30) keptS += lengths[--first] ?? 0;
        if (first === 0) {
          assert.equal(delta, null);
          return;
        }
        const [head, tail] = String(delta).split(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${first}\n`);
        const full = playlist.full(HEAD, false);
        assert.ok(full.startsWith(String(head)) && full.endsWith(String(tail)), `${first} of ${lengths.length}`);
        assert.equal(String(tail).match(/#EXTINF/g)?.length, lengths.length - first);
      }),
      { numRuns: 60 },
    );
  });
});
