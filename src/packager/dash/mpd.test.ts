import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { makeAudioTrack, makeVideoTrack } from '../../../test/fixtures/encoded-media.ts';
import { wallMs } from '../../base/time.ts';
import { decodeOrderSamples } from '../cmaf/decode-order.ts';
import { videoTrackOf } from '../cmaf/encoded-video.ts';
import { readInit } from '../cmaf/init-reader.ts';
import { writeInitSegment } from '../cmaf/init-writer.ts';
import { writeMediaSegment } from '../cmaf/media-writer.ts';
import type { AudioRepresentation, VideoRepresentation } from './adaptation-sets.ts';
import { renderMpd, type Presentation } from './mpd.ts';
import { renderXml } from './xml.ts';

const LISTING = {
  initUri: 'init/epo_1.mp4?token=a&b',
  timescale: 90_000,
  segments: [
    { uri: 'segments/seg_1.m4s', start: 0, duration: 180_000 },
    { uri: 'segments/seg_2.m4s', start: 180_000, duration: 180_000 },
    { uri: 'segments/seg_3.m4s', start: 400_000, duration: 90_000 },
  ],
};

const VIDEO: VideoRepresentation = {
  id: 'out_1',
  bitsPerS: 900_000.2,
  codecs: 'avc1.64001E',
  width: 640,
  height: 360,
  frameRate: 30_000 / 1001,
  listing: LISTING,
};

const AUDIO: AudioRepresentation = {
  id: 'out_2',
  bitsPerS: 128_000,
  codecs: 'mp4a.40.2',
  sampleRateHz: 48_000,
  channels: 2,
  language: 'en',
  label: 'Director\'s <cut> & "more"',
  isDefault: true,
  listing: LISTING,
};

const WHOLE: Presentation = {
  durationS: 5.4444444,
  growth: null,
  video: [VIDEO],
  audio: [AUDIO],
  text: [],
  thumbnails: null,
};

/** What is inside the first element of a name, or its attributes. */
function attributesOf(mpd: string, name: string): Record<string, string> {
  const head = new RegExp(`<${name}((?: [^>]*)?)/?>`).exec(mpd)?.[1] ?? assert.fail(`there is no ${name}`);
  return Object.fromEntries([...head.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
}

describe('MPD', () => {
  test('segments are listed with a time each, gaps included', () => {
    const mpd = renderMpd(WHOLE);
    assert.deepEqual(attributesOf(mpd, 'MPD'), {
      xmlns: 'urn:mpeg:dash:schema:mpd:2011',
      profiles: 'urn:mpeg:dash:profile:full:2011',
      type: 'static',
      mediaPresentationDuration: 'PT5.445S',
      maxSegmentDuration: 'PT2S',
      minBufferTime: 'PT2S',
    });
    const list = /<SegmentList[\s\S]*?<\/SegmentList>/.exec(mpd)?.[0] ?? '';
    assert.deepEqual(
      list.split('\n').map((line) => line.trim()),
      [
        '<SegmentList timescale="90000">',
        '<Initialization sourceURL="init/epo_1.mp4?token=a&#38;b"/>',
        '<SegmentTimeline>',
        '<S t="0" d="180000"/>',
        '<S d="180000"/>',
        '<S t="400000" d="90000"/>',
        '</SegmentTimeline>',
        '<SegmentURL media="segments/seg_1.m4s"/>',
        '<SegmentURL media="segments/seg_2.m4s"/>',
        '<SegmentURL media="segments/seg_3.m4s"/>',
        '</SegmentList>',
      ],
    );
    assert.deepEqual(attributesOf(mpd, 'Representation'), {
      id: 'out_1',
      codecs: 'avc1.64001E',
      width: '640',
      height: '360',
      sar: '1:1',
      frameRate: '30000/1001',
      bandwidth: '900001',
    });
    assert.match(mpd, /<Label>Director's &#60;cut&#62; &#38; &#34;more&#34;<\/Label>\n +<Role [^>]*value="main"\/>/);
  });

  test('frame rates are whole, over 1001, or in thousandths', () => {
    const rateOf = (frameRate: number | null): string | undefined =>
      attributesOf(renderMpd({ ...WHOLE, video: [{ ...VIDEO, frameRate }] }), 'Representation')['frameRate'];
    assert.deepEqual([25, 60_000 / 1001, 23.976, 12.5, 1 / 3, null].map(rateOf), [
      '25',
      '60000/1001',
      '24000/1001',
      '12500/1000',
      '333/1000',
      undefined,
    ]);
  });

  test('codecs that players cannot switch between are sets of their own', () => {
    const video = [VIDEO, { ...VIDEO, id: 'out_9', codecs: 'hvc1.1.6.L93.90' }, { ...VIDEO, id: 'out_8' }];
    const mpd = renderMpd({ ...WHOLE, video });
    const sets = mpd.split('<AdaptationSet').slice(1);
    assert.deepEqual(
      sets.map((set) => [...set.matchAll(/<Representation id="(\w+)"/g)].map(([, id]) => id)),
      [['out_1', 'out_8'], ['out_9'], ['out_2']],
    );
  });

  test('one that grows has a known end, starts at 0 and does not depend on the clock', () => {
    const growth = { updateS: 2, publishedAtMs: wallMs(Date.UTC(2026, 0, 2)) };
    const mpd = renderMpd({ ...WHOLE, durationS: 60, growth });
    const attributes = attributesOf(mpd, 'MPD');
    assert.deepEqual(
      [attributes['type'], attributes['mediaPresentationDuration'], attributes['minimumUpdatePeriod']],
      ['dynamic', 'PT60S', 'PT2S'],
    );
    assert.equal(attributes['availabilityStartTime'], '1970-01-01T00:00:00Z');
    assert.equal(attributes['publishTime'], '2026-01-02T00:00:00.000Z');
    assert.equal(attributesOf(mpd, 'Latency')['target'], '60000');
    assert.ok(mpd.indexOf('<ServiceDescription') < mpd.indexOf('<Period'));
  });

  test('captions are files, thumbnails tiles', () => {
    const text = {
      id: 'out_3',
      uri: 'captions/out_3.vtt?a=1&b=2',
      bitsPerS: 100,
      language: 'not a language',
      label: null,
      isDefault: true,
      isForced: false,
    };
    const thumbnails = {
      id: 'out_4',
      uriTemplate: 'storyboard/$Number$.jpg',
      intervalMs: 5000,
      columns: 10,
      rows: 5,
      tileWidthPx: 160,
      tileHeightPx: 90,
      bitsPerS: 4000,
    };
    const mpd = renderMpd({ ...WHOLE, text: [text], thumbnails });
    assert.match(mpd, /<AdaptationSet contentType="text" mimeType="text\/vtt">/);
    assert.match(mpd, /<BaseURL>captions\/out_3\.vtt\?a=1&#38;b=2<\/BaseURL>/);
    assert.match(mpd, /value="forced-subtitle"|value="subtitle"/);
    assert.match(
      mpd,
      /<EssentialProperty schemeIdUri="http:\/\/dashif.org\/guidelines\/thumbnail_tile" value="10x5"\/>/,
    );
    assert.match(mpd, /<Representation id="out_4" width="1600" height="450"/);
    assert.deepEqual(attributesOf(mpd, 'SegmentTemplate'), {
      media: 'storyboard/$Number$.jpg',
      timescale: '1000',
      duration: '250000',
      startNumber: '0',
    });
  });

  test('no value breaks out of its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const [, line = ''] = renderXml({ name: 'A', attributes: { value }, text: value }).split('\n');
        assert.match(line, /^<A value="[^"<>\n]*">[^<>"]*<\/A>$/u);
        const unescaped = line.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
        if (/^[\u0020-\uD7FF]*$/u.test(value)) assert.equal(unescaped, `<A value="${value}">${value}</A>`);
      }),
    );
  });
});

describe('MPD of real media', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'zoetrope-mpd-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test('an independent player finds every picture and sound at its time', () => {
    const frames = 50;
    const made = makeVideoTrack('-c:v libx264 -preset fast -bf 2 -g 25 -flags +cgop -sc_threshold 0 -pix_fmt yuv420p', {
      frames,
    });
    const keyFrame = made.packets[0]?.data ?? new Uint8Array();
    const track = videoTrackOf({ codec: 'h264', extradata: made.extradata, keyFrame, frameRate: 25 });
    const save = (name: string, bytes: Uint8Array): string => {
      writeFileSync(join(directory, name), bytes);
      return name;
    };
    const init = writeInitSegment(track);
    const video: VideoRepresentation = {
      ...VIDEO,
      codecs: readInit(init).codecs,
      frameRate: 25,
      listing: {
        initUri: save('v.mp4', init),
        timescale: 90_000,
        segments: [0, 1].map((index) => {
          const packets = made.packets.slice(index * 25, index * 25 + 25);
          const segment = decodeOrderSamples(packets, (index + 1) * 90_000);
          const uri = save(`v${index}.m4s`, writeMediaSegment({ sequenceNumber: index, ...segment }));
          return { uri, start: index * 90_000, duration: 90_000 };
        }),
      },
    };
    const sound = makeAudioTrack({ seconds: 2 });
    const packetTicks = (1024 * 90_000) / 48_000;
    const starts = [0, 48, sound.packets.length];
    const audio: AudioRepresentation = {
      ...AUDIO,
      listing: {
        initUri: save('a.mp4', writeInitSegment({ codec: 'mp4a', audioConfig: sound.extradata, primingSamples: 1024 })),
        timescale: 90_000,
        segments: [0, 1].map((index) => {
          const [from = 0, to = 0] = starts.slice(index);
          const samples = sound.packets.slice(from, to).map(({ data }) => ({ data, duration: 1024, isSync: true }));
          const media = { sequenceNumber: index, baseMediaDecodeTime: from * 1024, samples };
          const start = Math.max(0, from - 1) * packetTicks;
          return {
            uri: save(`a${index}.m4s`, writeMediaSegment(media)),
            start,
            duration: (to - 1) * packetTicks - start,
          };
        }),
      },
    };
    const manifest = join(directory, 'manifest.mpd');
    writeFileSync(manifest, renderMpd({ ...WHOLE, durationS: 2, video: [video], audio: [audio] }));
    const probe = (stream: string): number[] => {
      const args = ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'];
      const rows = execFileSync('ffprobe', [...args, manifest], { encoding: 'utf8', cwd: directory });
      return rows
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(Number)
        .sort((a, b) => a - b);
    };
    assert.deepEqual(
      probe('v'),
      Array.from({ length: frames }, (_, index) => index / 25),
    );
    const heard = probe('a');
    assert.equal(heard.length, sound.packets.length);
    assert.ok(Math.abs((heard[0] ?? 0) + 1024 / 48_000) < 1e-6, `priming is at ${heard[0]}`);
    assert.ok(Math.abs((heard.at(-1) ?? 0) - ((sound.packets.length - 2) * 1024) / 48_000) < 1e-6);
  });
});
