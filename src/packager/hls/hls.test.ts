import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { parseMediaPlaylist, parseMultivariant } from '../../../test/fixtures/strict-hls.ts';
import { wallMs } from '../../base/time.ts';
import { decimalSeconds, quoted } from './attributes.ts';
import { renderDateRange } from './date-range.ts';
import { renderMediaPlaylist, type PlaylistHead, type PlaylistSegment } from './media-playlist.ts';
import { renderMultivariant } from './multivariant-playlist.ts';
import { targetDuration } from './target-duration.ts';

const START_MS = Date.UTC(2026, 0, 1);

function segment(index: number, change: Partial<PlaylistSegment> = {}): PlaylistSegment {
  return {
    uri: `segments/seg_${index}.m4s`,
    mapUri: 'init/epo_0.mp4',
    durationS: 30,
    startMs: wallMs(START_MS + index * 30_000 + 7),
    discontinuity: false,
    gap: false,
    ...change,
  };
}

const HEAD: PlaylistHead = {
  targetDurationS: 32,
  mediaSequence: 5,
  discontinuitySequence: 2,
  type: null,
  canSkipUntilS: null,
  dateRanges: [],
};

describe('media playlists', () => {
  test('a strict parser reads a live playlist as meant', () => {
    const segments = [
      segment(0, { discontinuity: true }),
      segment(1, { gap: true, durationS: 29.999989 }),
      segment(2, { discontinuity: true, mapUri: 'init/epo_1.mp4' }),
    ];
    const playlist = parseMediaPlaylist(renderMediaPlaylist(HEAD, segments, false));
    assert.equal(playlist.endlist, false);
    assert.deepEqual(
      [playlist.targetDuration, playlist.mediaSequenceBase, playlist.discontinuitySequenceBase],
      [32, 5, 2],
    );
    assert.deepEqual(
      playlist.segments.map((one) => [one.uri, one.duration, one.discontinuity === true, one.map?.uri]),
      [
        ['segments/seg_0.m4s', 30, true, 'init/epo_0.mp4'],
        ['segments/seg_1.m4s', 29.999989, false, 'init/epo_0.mp4'],
        ['segments/seg_2.m4s', 30, true, 'init/epo_1.mp4'],
      ],
    );
    assert.deepEqual(
      playlist.segments.map((one) => one.programDateTime?.getTime()),
      [START_MS + 7, START_MS + 30_007, START_MS + 60_007],
    );
  });

  test('a range ends, names its kind, and MPEG-TS needs no map', () => {
    const text = renderMediaPlaylist({ ...HEAD, type: 'VOD' }, [segment(0, { mapUri: null, uri: 'a.ts' })], true);
    const playlist = parseMediaPlaylist(text);
    assert.equal(playlist.endlist, true);
    assert.equal(playlist.playlistType, 'VOD');
    assert.doesNotMatch(text, /EXT-X-MAP/);
    assert.match(text, /#EXT-X-ENDLIST\n$/);
  });

  test('lost segments are named as gaps', () => {
    assert.match(renderMediaPlaylist(HEAD, [segment(0, { gap: true })], false), /#EXT-X-GAP\n#EXTINF:30\.0,\nsegments/);
  });

  test('markers become date ranges that a parser reads', () => {
    const range = {
      id: 'mrk_1',
      class: 'zoetrope.motion',
      startMs: wallMs(START_MS),
      endMs: wallMs(START_MS + 1500),
      label: 'door "A"\r\nopened\u0007, twice',
    };
    const line = renderDateRange(range);
    assert.equal(line.split('\n').length, 2);
    assert.match(line, /START-DATE="2026-01-01T00:00:00.000Z",END-DATE="2026-01-01T00:00:01.500Z"/);
    assert.match(line, /X-LABEL="door 'A' opened, twice"/);
    const point = { ...range, id: 'mrk_2', endMs: null };
    assert.doesNotMatch(renderDateRange(point), /END-DATE/);
    const playlist = parseMediaPlaylist(
      renderMediaPlaylist({ ...HEAD, dateRanges: [range, point] }, [segment(0)], false),
    );
    assert.equal(playlist.segments.length, 1);
  });

  test('no text can break out of a quoted string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.match(quoted(text), /^"[^"\r\n]*"$/u);
      }),
    );
  });

  test('durations are exact to a microsecond', () => {
    assert.deepEqual([30, 0.1, 1 / 3, 123.4567891].map(decimalSeconds), ['30.0', '0.1', '0.333333', '123.456789']);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), (ticks) => {
        const text = decimalSeconds(ticks / 90_000);
        assert.match(text, /^\d+\.\d{1,6}$/);
        assert.ok(Math.abs(Number(text) - ticks / 90_000) < 1e-6);
      }),
    );
  });
});

describe('target duration', () => {
  const rhythm = { framesPerSegment: 6, maxSegmentWaitS: 60 };

  test('is an integer not below any rounded duration, and never falls', () => {
    const lengths = fc.array(
      fc.record({ durationS: fc.double({ min: 0.01, max: 500, noNaN: true }), frameCount: fc.nat({ max: 60 }) }),
    );
    fc.assert(
      fc.property(lengths, lengths, fc.constantFrom(0.1, 1, 5, 300), (before, after, speed) => {
        const first = targetDuration(before, rhythm, speed);
        const second = targetDuration(after, rhythm, speed, first);
        assert.ok(Number.isInteger(first) && Number.isInteger(second) && second >= first && first >= 1);
        for (const { durationS } of before) assert.ok(Math.round(durationS / speed) <= first);
        for (const { durationS } of after) assert.ok(Math.round(durationS / speed) <= second);
      }),
    );
  });

  test("a session's short first segment already tells the length of full ones", () => {
    const first = targetDuration([{ durationS: 5, frameCount: 1 }], rhythm, 1);
    assert.equal(first, targetDuration([{ durationS: 30, frameCount: 6 }], rhythm, 1));
    assert.equal(first, 32);
  });

  test('jitter of a few per cent does not move it', () => {
    for (const durationS of [27.2, 28, 29.6, 30, 31.2, 32]) {
      assert.equal(targetDuration([{ durationS, frameCount: 6 }], rhythm, 1), 32);
    }
  });

  test('the wait for more frames bounds what a slow camera makes expect', () => {
    assert.equal(targetDuration([{ durationS: 40, frameCount: 1 }], rhythm, 1), 104);
  });
});

describe('multivariant playlists', () => {
  test('a strict parser reads it as meant', () => {
    const variant = {
      uri: 'live.m3u8?speed=5',
      peakBitsPerS: 1000.2,
      averageBitsPerS: 900,
      codecs: 'avc1.42C01E',
      width: 640,
      height: 480,
      frameRate: 0.2,
    };
    const playlist = parseMultivariant(renderMultivariant([variant]));
    const [read] = playlist.variants;
    assert.deepEqual([read?.uri, read?.bandwidth, read?.codecs], ['live.m3u8?speed=5', 1001, 'avc1.42C01E']);
    assert.deepEqual(read?.resolution, { width: 640, height: 480 });
  });
});
