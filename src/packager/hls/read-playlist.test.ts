import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { isZoetropeError } from '../../base/errors.ts';
import { wallMs } from '../../base/time.ts';
import { renderMediaPlaylist, type PlaylistSegment } from './media-playlist.ts';
import { renderMultivariant } from './multivariant-playlist.ts';
import { PLAYLIST_LIMITS } from './playlist-lines.ts';
import { readPlaylist, type PushedMedia, type PushedMultivariant } from './read-playlist.ts';

const AT_MS = Date.UTC(2026, 10, 20, 10, 30, 0, 123);

function media(text: string): PushedMedia {
  const playlist = readPlaylist(text);
  assert.ok(playlist.kind === 'media');
  return playlist;
}

function multivariant(text: string): PushedMultivariant {
  const playlist = readPlaylist(text);
  assert.ok(playlist.kind === 'multivariant');
  return playlist;
}

/** A playlist with tags before its only segment. */
function withTags(...tags: readonly string[]): string {
  return ['#EXTM3U', ...tags, '#EXTINF:4,', 'a.ts', ''].join('\n');
}

describe('pushed media playlists', () => {
  test('as ffmpeg writes them', () => {
    const text = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init.mp4"
#EXTINF:2.000000,
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:30:00.123+0000
live41.m4s
#EXTINF:1.960000,
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:30:02.123+0000
live42.m4s
#EXT-X-ENDLIST
`;
    const segment = { discontinuity: false, byteRange: null, mapUri: 'init.mp4', mapByteRange: null, isGap: false };
    assert.deepEqual(readPlaylist(text), {
      kind: 'media',
      mediaSequence: 41,
      discontinuitySequence: 0,
      targetDurationMs: 2000,
      isEnded: true,
      isIndependent: true,
      segments: [
        { uri: 'live41.m4s', sequence: 41, durationMs: 2000, programDateTimeMs: AT_MS, ...segment },
        { uri: 'live42.m4s', sequence: 42, durationMs: 1960, programDateTimeMs: AT_MS + 2000, ...segment },
      ],
    });
    for (const variation of [
      text.replaceAll('\n', '\r\n'),
      `\ufeff${text}`,
      text.replaceAll('\n', ' \n\n'),
      text.trimEnd(),
    ]) {
      assert.deepEqual(readPlaylist(variation), readPlaylist(text));
    }
  });

  test('what we write, we read, whatever mix of gaps, discontinuities, maps and byte ranges', () => {
    const segment: fc.Arbitrary<PlaylistSegment> = fc.record(
      {
        uri: fc.constantFrom('a.m4s', 'b.m4s', '../x/c.m4s?token=1,2', 'https://example.com/d.ts'),
        mapUri: fc.constantFrom('init-1.mp4', 'init,2=.mp4'),
        durationS: fc.integer({ min: 1, max: 600_000_000 }).map((us) => us / 1_000_000),
        startMs: fc.option(fc.integer({ min: 0, max: 2 ** 42 }).map(wallMs)),
        discontinuity: fc.boolean(),
        gap: fc.boolean(),
        byteRange: fc.record({ offset: fc.nat(), sizeBytes: fc.nat() }, { noNullPrototype: true }),
      },
      { noNullPrototype: true, requiredKeys: ['uri', 'mapUri', 'durationS', 'startMs', 'discontinuity', 'gap'] },
    );
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 20 }), fc.nat(), fc.boolean(), (segments, mediaSequence, isEnded) => {
        const head = { targetDurationS: 600, mediaSequence, discontinuitySequence: 3, type: null, canSkipUntilS: null };
        const read = media(renderMediaPlaylist({ ...head, dateRanges: [] }, segments, isEnded));
        assert.deepEqual([read.isEnded, read.discontinuitySequence, read.targetDurationMs], [isEnded, 3, 600_000]);
        assert.deepEqual(
          read.segments,
          segments.map(({ uri, mapUri, durationS, startMs, discontinuity, gap, byteRange }, index) => ({
            uri,
            sequence: mediaSequence + index,
            durationMs: Math.round(durationS * 1e6) / 1000,
            programDateTimeMs: startMs,
            discontinuity,
            byteRange: byteRange ?? null,
            mapUri,
            mapByteRange: null,
            isGap: gap,
          })),
        );
      }),
    );
  });

  const times: readonly (readonly [string, number | null])[] = [
    ['2026-11-20T10:30:00.123Z', AT_MS],
    ['2026-11-20T10:30:00.123+00:00', AT_MS],
    ['2026-11-20T13:30:00.123456+0300', AT_MS + 0.456],
    ['2026-11-20T05:00:00.1230000-05:30', AT_MS],
    ['2026-11-20 10:30:00,123', AT_MS],
    ['2026-11-20T11:30:00.123+01', AT_MS],
    ['2026-11-20T10:30:00z', AT_MS - 123],
    ['2026-13-20T10:30:00Z', null],
    ['yesterday', null],
    ['', null],
  ];
  for (const [text, atMs] of times) {
    test(`the time ${JSON.stringify(text)}`, () => {
      const [segment] = media(withTags(`#EXT-X-PROGRAM-DATE-TIME:${text}`)).segments;
      const read = segment?.programDateTimeMs ?? null;
      if (atMs === null) assert.equal(read, null);
      else assert.ok(read !== null && Math.abs(read - atMs) < 0.001, `${read}`);
    });
  }

  test('missing and odd values: no target duration, no EXTINF, an unknown length', () => {
    const text =
      '#EXTM3U url-tvg=x\n#EXTINF:-1,news\na.ts\nb.ts\n#EXTINF:3.2,c, d\n#EXT-X-WHATEVER:1\n# a remark\nc.ts\n';
    const read = media(text);
    assert.equal(read.targetDurationMs, 4000);
    assert.deepEqual(
      read.segments.map(({ uri, durationMs }) => [uri, durationMs]),
      [
        ['a.ts', 0],
        ['b.ts', 0],
        ['c.ts', 3200],
      ],
    );
    assert.deepEqual(media('#EXTM3U').segments, []);
  });

  test('byte ranges without an offset go on where the one before of the same resource ended', () => {
    const lines = ['#EXTM3U', '#EXT-X-MAP:URI="all.mp4",BYTERANGE="720@0"'];
    for (const [range, uri] of [
      ['10@720', 'all.mp4'],
      ['20', 'all.mp4'],
      ['5', 'b.mp4'],
      ['7', 'all.mp4'],
    ]) {
      lines.push('#EXTINF:1,', `#EXT-X-BYTERANGE:${range}`, uri ?? '');
    }
    const { segments } = media(lines.join('\n'));
    assert.deepEqual(
      segments.map(({ byteRange }) => byteRange),
      [
        { offset: 720, sizeBytes: 10 },
        { offset: 730, sizeBytes: 20 },
        { offset: 0, sizeBytes: 5 },
        { offset: 0, sizeBytes: 7 },
      ],
    );
    assert.deepEqual(segments[3]?.mapByteRange, { offset: 0, sizeBytes: 720 });
  });

  test('segments that a delta update skips count', () => {
    const [segment] = media(withTags('#EXT-X-MEDIA-SEQUENCE:7', '#EXT-X-SKIP:SKIPPED-SEGMENTS=3')).segments;
    assert.equal(segment?.sequence, 10);
  });

  test('malformed attribute lists are read as far as they go', () => {
    for (const list of [
      'URI="i.mp4"garbage',
      'junk,URI="i.mp4",',
      ',,URI = "i.mp4",X="open',
      'URI="i.mp4" , BYTERANGE=',
    ]) {
      assert.equal(media(withTags(`#EXT-X-MAP:${list}`)).segments[0]?.mapUri, 'i.mp4', list);
    }
  });
});

describe('pushed multivariant playlists', () => {
  test('as ffmpeg writes them, with a group of audio', () => {
    const read = multivariant(`#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="group_aud",NAME="audio_0",DEFAULT=YES,LANGUAGE="ENG",URI="a.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="s",URI="s.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1100000,RESOLUTION=1280x720,CODECS="avc1.42c01f,mp4a.40.2",FRAME-RATE=29.970,AUDIO="group_aud"
720.m3u8

#EXT-X-STREAM-INF:BANDWIDTH=x,NAME=low
360.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"
`);
    assert.deepEqual(read.audio, [
      { groupId: 'group_aud', name: 'audio_0', language: 'ENG', uri: 'a.m3u8', isDefault: true },
    ]);
    const unknown = { bandwidth: null, codecs: null, width: null, height: null, frameRate: null, audioGroup: null };
    assert.deepEqual(read.variants, [
      {
        uri: '720.m3u8',
        bandwidth: 1_100_000,
        codecs: 'avc1.42c01f,mp4a.40.2',
        width: 1280,
        height: 720,
        frameRate: 29.97,
        name: null,
        audioGroup: 'group_aud',
      },
      { uri: '360.m3u8', ...unknown, name: 'low' },
    ]);
  });

  test('what we write, we read', () => {
    const sound = { uri: 'a.m3u8', group: 'g', name: 'Ton', language: 'de', isDefault: true };
    const audio = { ...sound, codecs: 'mp4a.40.2', channels: 2, peakBitsPerS: 10, averageBitsPerS: 10 };
    const variant = {
      uri: 'v.m3u8',
      peakBitsPerS: 90,
      averageBitsPerS: 80,
      codecs: 'avc1.42c01f',
      width: 640,
      height: 360,
    };
    const read = multivariant(renderMultivariant([{ ...variant, frameRate: 25, audioGroup: 'g' }], { audio: [audio] }));
    assert.deepEqual(
      read.variants.map(({ uri, bandwidth, audioGroup }) => [uri, bandwidth, audioGroup]),
      [['v.m3u8', 100, 'g']],
    );
    assert.deepEqual(read.audio, [{ groupId: 'g', name: 'Ton', language: 'de', uri: 'a.m3u8', isDefault: true }]);
  });

  test('names cannot reach into objects of the process', () => {
    const hostile = [
      'GROUP-ID="__proto__",NAME="polluted"',
      'GROUP-ID="constructor",NAME="__proto__"',
      '__proto__=x,NAME=y',
    ];
    const tags = hostile.map((list) => `#EXT-X-MEDIA:TYPE=AUDIO,${list}\n`).join('');
    const range = '#EXT-X-DATERANGE:ID="__proto__",START-DATE="2026-01-01T00:00:00Z",X-POLLUTED="1"\n';
    readPlaylist(`#EXTM3U\n${tags}#EXT-X-MEDIA:TYPE=__proto__,GROUP-ID="polluted",NAME=x\n${range}${range}`);
    assert.deepEqual(Object.keys(Object.prototype), []);
    assert.equal('polluted' in {}, false);
    assert.equal('startDate' in {}, false);
  });
});

describe('refused playlists', () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    ['an empty text', '\n\n', 'invalid_argument', /begins with #EXTM3U. Got an empty text/],
    ['a page', '<html>', 'invalid_argument', /Got "<html>"/],
    ['a tag that only looks like it', '#EXTM3U8\na', 'invalid_argument', /#EXTM3U8/],
    ['encryption', withTags('#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1'), 'unsupported_media', /encrypted \(line 2/],
    [
      'encryption of a session',
      withTags('#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="k"'),
      'unsupported_media',
      /encrypted/,
    ],
    ['an odd key', withTags('#EXT-X-KEY'), 'unsupported_media', /encrypted/],
    ['variables', withTags('#EXT-X-DEFINE:NAME="a",VALUE="b"'), 'invalid_argument', /Line 2 defines a variable/],
    ['an absurd duration', '#EXTM3U\n#EXTINF:601,\na', 'invalid_argument', /may last 600 s. Line 2 says 601 s/],
    ['an absurd target', withTags('#EXT-X-TARGETDURATION:99999999999'), 'invalid_argument', /may last 600 s/],
    ['a negative number', withTags('#EXT-X-MEDIA-SEQUENCE:-4'), 'invalid_argument', /Line 2 needs .* Got -4/],
    [
      'a number beyond counting',
      withTags('#EXT-X-MEDIA-SEQUENCE:9007199254740991'),
      'invalid_argument',
      /Got 9007199254740992/,
    ],
    ['a byte range beyond counting', withTags('#EXT-X-BYTERANGE:9@9007199254740990'), 'invalid_argument', /Line 4/],
    ['a map without a URI', withTags('#EXT-X-MAP:BYTERANGE="1@0"'), 'invalid_argument', /EXT-X-MAP needs a URI/],
    ['both kinds', `${withTags()}#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n`, 'invalid_argument', /Got both, at line 5/],
    [
      'a long text',
      `#EXTM3U\n${'#\n'.repeat(PLAYLIST_LIMITS.maxLength / 2)}`,
      'payload_too_large',
      /4194304 characters/,
    ],
    ['a long line', `#EXTM3U\n#${'x'.repeat(PLAYLIST_LIMITS.maxLineLength)}`, 'payload_too_large', /Line 2 has 16385/],
    ['many entries', `#EXTM3U\n${'a\n'.repeat(20_001)}`, 'payload_too_large', /20000 entries. Got more/],
  ];
  for (const [name, text, code, message] of cases) {
    test(name, () => {
      assert.throws(
        () => readPlaylist(text),
        (error) => {
          assert.ok(isZoetropeError(error) && error.code === code && message.test(error.message), String(error));
          return true;
        },
      );
    });
  }

  test('segments that say that they are not encrypted are fine', () => {
    assert.equal(media(withTags('#EXT-X-KEY:METHOD=NONE')).segments.length, 1);
  });

  test('whatever the text: an answer, or a cause', () => {
    const tag = fc.constantFrom(
      'EXTINF',
      'EXT-X-MAP',
      'EXT-X-STREAM-INF',
      'EXT-X-MEDIA',
      'EXT-X-BYTERANGE',
      'EXT-X-SKIP',
    );
    const value = fc.stringMatching(/^[ -~,="@:x]{0,40}$/);
    const line = fc.oneof(
      fc.tuple(tag, value).map(([name, rest]) => `#${name}:${rest}`),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        try {
          readPlaylist(['#EXTM3U', ...lines].join('\n'));
        } catch (error) {
          assert.ok(isZoetropeError(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  /** Growth, not time: ten times the text may take at most some thirty times as long, where squares would take a hundred. */
  test('no text takes more than its length', () => {
    const shapes: Readonly<Record<string, (size: number) => string>> = {
      'commas in a list': (size) => `#EXT-X-MAP:URI="a",${','.repeat(size)}`,
      'a list without a value': (size) => `#EXT-X-MEDIA:${'a'.repeat(size)}`,
      'open quotes': (size) => `#EXT-X-STREAM-INF:${'A="'.repeat(size / 3)}`,
      'white space': (size) => `#EXT-X-MEDIA:${' '.repeat(size)}=`,
    };
    for (const [name, shape] of Object.entries(shapes)) {
      const spent = (size: number): number => {
        const text = `#EXTM3U\n${`${shape(size)}\n`.repeat(20)}`;
        const begin = process.cpuUsage();
        for (let round = 0; round < 10; round++) readPlaylist(text);
        const { user, system } = process.cpuUsage(begin);
        return user + system;
      };
      spent(1500);
      const [small, large] = [Math.max(1000, spent(1500)), spent(15_000)];
      assert.ok(large < 40 * small, `${name}: ${small} µs for 1,500 characters, ${large} µs for 15,000`);
    }
  });
});
