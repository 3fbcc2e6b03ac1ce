import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type HLS from 'hls-parser';
import { parseMediaPlaylist, parseMultivariant } from '../../../test/fixtures/strict-hls.ts';
import { renderMediaPlaylist, type PlaylistHead, type PlaylistSegment } from './media-playlist.ts';
import { renderMultivariant, type AudioRendition, type Variant } from './multivariant-playlist.ts';
import { SlidingPlaylist } from './sliding-playlist.ts';

const HEAD: PlaylistHead = {
  targetDurationS: 6,
  mediaSequence: 0,
  discontinuitySequence: 0,
  type: 'VOD',
  canSkipUntilS: null,
  dateRanges: [],
};

function segment(index: number, change: Partial<PlaylistSegment> = {}): PlaylistSegment {
  return {
    uri: `segments/seg_${index}.m4s`,
    mapUri: 'init/epo_0.mp4',
    durationS: 6,
    startMs: null,
    discontinuity: false,
    gap: false,
    ...change,
  };
}

describe('media playlists of assets', () => {
  test('an event playlist that grows has no wall time and begins at 0', () => {
    const segments = [segment(0), segment(1)];
    const text = renderMediaPlaylist({ ...HEAD, type: 'EVENT', startOffsetS: 0 }, segments, false);
    const playlist = parseMediaPlaylist(text);
    assert.deepEqual([playlist.playlistType, playlist.endlist, playlist.start?.offset], ['EVENT', false, 0]);
    assert.ok(playlist.segments.every((one) => one.programDateTime === undefined || one.programDateTime === null));
    assert.doesNotMatch(text, /PROGRAM-DATE-TIME/);
  });

  test('a finished one is VOD and ended', () => {
    const playlist = parseMediaPlaylist(renderMediaPlaylist(HEAD, [segment(0)], true));
    assert.deepEqual([playlist.playlistType, playlist.endlist], ['VOD', true]);
  });

  test('segments are encrypted, init segments are not, also where they change', () => {
    const key = { uri: '../key/0', iv: null };
    const segments = [
      segment(0, { key }),
      segment(1, { key }),
      segment(2, { key, mapUri: 'init/epo_1.mp4', discontinuity: true }),
      segment(3, { key: { uri: '../key/1', iv: Uint8Array.from({ length: 16 }, (_, at) => at) } }),
      segment(4, { mapUri: null }),
    ];
    const text = renderMediaPlaylist(HEAD, segments, true);
    assert.deepEqual(
      text.split('\n').filter((line) => /^#EXT-X-(KEY|MAP)|^seg/.test(line)),
      [
        '#EXT-X-MAP:URI="init/epo_0.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="../key/0"',
        'segments/seg_0.m4s',
        'segments/seg_1.m4s',
        '#EXT-X-KEY:METHOD=NONE',
        '#EXT-X-MAP:URI="init/epo_1.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="../key/0"',
        'segments/seg_2.m4s',
        '#EXT-X-KEY:METHOD=NONE',
        '#EXT-X-MAP:URI="init/epo_0.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="../key/1",IV=0x000102030405060708090A0B0C0D0E0F',
        'segments/seg_3.m4s',
        '#EXT-X-KEY:METHOD=NONE',
        'segments/seg_4.m4s',
      ],
    );
    const read = parseMediaPlaylist(text).segments.map((one) => one.key?.method);
    assert.deepEqual(read.slice(0, 4), ['AES-128', 'AES-128', 'AES-128', 'AES-128']);
    const sliding = new SlidingPlaylist();
    for (const one of segments) sliding.append(one);
    assert.equal(sliding.full(HEAD, true), text);
    sliding.retire(1);
    assert.match(sliding.full(HEAD), /MAP:URI="init\/epo_0.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="..\/key\/0"\n#EXTINF/);
  });

  test('a playlist of key frames lists byte ranges', () => {
    const segments = [0, 1].map((index) => segment(index, { byteRange: { offset: 0, sizeBytes: 1000 + index } }));
    const playlist = parseMediaPlaylist(renderMediaPlaylist({ ...HEAD, iFramesOnly: true }, segments, true));
    assert.equal(playlist.isIFrame, true);
    assert.deepEqual(
      playlist.segments.map((one) => [one.uri, one.byterange, one.map.uri]),
      [
        ['segments/seg_0.m4s', { offset: 0, length: 1000 }, 'init/epo_0.mp4'],
        ['segments/seg_1.m4s', { offset: 0, length: 1001 }, 'init/epo_0.mp4'],
      ],
    );
  });

  test('captions need no init segment', () => {
    const one = segment(0, { uri: 'segments/seg_9.vtt', mapUri: null, durationS: 61.5 });
    const playlist = parseMediaPlaylist(renderMediaPlaylist({ ...HEAD, targetDurationS: 62 }, [one], true));
    assert.deepEqual([playlist.segments[0]?.uri, playlist.segments[0]?.duration], ['segments/seg_9.vtt', 61.5]);
  });
});

describe('multivariant playlists of assets', () => {
  const variants: readonly Variant[] = [
    {
      uri: 'out_1/index.m3u8',
      peakBitsPerS: 900_000.5,
      averageBitsPerS: 700_000,
      codecs: 'avc1.64001E',
      width: 640,
      height: 360,
      frameRate: 30_000 / 1001,
      audioGroup: 'audio',
      subtitlesGroup: 'subtitles',
    },
    {
      uri: 'out_2/index.m3u8',
      peakBitsPerS: 2_000_000,
      averageBitsPerS: 1_500_000,
      codecs: 'hvc1.1.6.L93.90',
      width: 1280,
      height: 720,
      frameRate: 60,
      audioGroup: 'audio',
      subtitlesGroup: 'subtitles',
    },
  ];
  const audio: readonly AudioRendition[] = ['English', 'English', 'Director\'s "cut", 2'].map((name, index) => ({
    uri: `out_a${index}/index.m3u8`,
    group: 'audio',
    name,
    language: ['en', null, 'fr'][index] ?? null,
    isDefault: index < 2,
    codecs: 'mp4a.40.2',
    channels: 2,
    peakBitsPerS: 130_000 + index,
    averageBitsPerS: 128_000,
  }));
  const subtitles = [
    { uri: 's1/index.m3u8', group: 'subtitles', name: 'English', language: 'en', isDefault: false, isForced: false },
    { uri: 's2/index.m3u8', group: 'subtitles', name: 'Signs', language: 'en', isDefault: false, isForced: true },
  ];
  const iFrames = [
    {
      ...variants[0],
      uri: 'out_1/iframes.m3u8',
      codecs: 'avc1.64001E',
      peakBitsPerS: 90_000,
      averageBitsPerS: 80_000,
      width: 640,
      height: 360,
    },
  ];
  const text = renderMultivariant(variants, { audio, subtitles, iFrames, startOffsetS: 0 });

  test('a strict parser reads groups, joined codecs and summed bit rates', () => {
    const playlist = parseMultivariant(text);
    const [low, high] = playlist.variants.filter((one) => !one.isIFrameOnly);
    assert.equal(low?.codecs, 'avc1.64001E,mp4a.40.2');
    assert.equal(high?.codecs, 'hvc1.1.6.L93.90,mp4a.40.2');
    assert.deepEqual([low?.bandwidth, low?.averageBandwidth], [1_030_003, 828_000]);
    assert.deepEqual([low?.frameRate, high?.frameRate], [29.97, 60]);
    assert.deepEqual(high?.resolution, { width: 1280, height: 720 });
    const media = (list: readonly HLS.types.Rendition[] | undefined): unknown[] =>
      (list ?? []).map((one) => [one.name, one.language, one.isDefault, one.autoselect, one.uri]);
    assert.deepEqual(media(low?.audio), [
      ['English', 'en', true, true, 'out_a0/index.m3u8'],
      ['English (2)', undefined, false, false, 'out_a1/index.m3u8'],
      ['Director’s ’cut’, 2', 'fr', false, true, 'out_a2/index.m3u8'],
    ]);
    assert.deepEqual(
      low?.audio.map((one) => one.channels),
      ['2', '2', '2'],
    );
    assert.deepEqual(media(high?.subtitles), [
      ['English', 'en', false, true, 's1/index.m3u8'],
      ['Signs', 'en', false, true, 's2/index.m3u8'],
    ]);
    assert.deepEqual(
      high?.subtitles.map((one) => one.forced),
      [false, true],
    );
  });

  test('key frames are variants of their own', () => {
    const [iFrame] = parseMultivariant(text).variants.filter((one) => one.isIFrameOnly);
    assert.deepEqual([iFrame?.uri, iFrame?.bandwidth, iFrame?.codecs], ['out_1/iframes.m3u8', 90_000, 'avc1.64001E']);
    assert.match(text, /#EXT-X-START:TIME-OFFSET=0\.0\n/);
  });

  test('sound alone has no resolution', () => {
    const sound = {
      uri: 'a.m3u8',
      peakBitsPerS: 1,
      averageBitsPerS: 1,
      codecs: 'mp4a.40.2',
      width: 0,
      height: 0,
      frameRate: null,
    };
    const alone = renderMultivariant([sound]);
    assert.doesNotMatch(alone, /RESOLUTION|FRAME-RATE|AUDIO=/);
    assert.equal(parseMultivariant(alone).variants[0]?.codecs, 'mp4a.40.2');
  });
});
