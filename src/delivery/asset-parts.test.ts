import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { attachment } from './answer.ts';
import { bitRatesOf } from './bit-rates.ts';
import { withToken } from './child-uris.ts';
import { SegmentCiphers } from './segment-cipher.ts';
import { storyboardJson, storyboardVtt } from './storyboard.ts';
import { mapToTsClock } from './ts-container.ts';

describe('bit rates', () => {
  test('a last segment of one picture is no peak by itself', () => {
    const segments = [
      { bits: 8000, seconds: 4 },
      { bits: 12_000, seconds: 4 },
      { bits: 4000, seconds: 0.04 },
    ];
    const { peakBitsPerS, averageBitsPerS } = bitRatesOf(segments);
    assert.equal(averageBitsPerS, 24_000 / 8.04);
    assert.equal(peakBitsPerS, 16_000 / 4.04);
  });

  test('the peak is never below the average, and nothing has no rate', () => {
    assert.deepEqual(bitRatesOf([]), { peakBitsPerS: 0, averageBitsPerS: 0 });
    const segment = fc.record({ bits: fc.nat(1e7), seconds: fc.double({ min: 0.01, max: 10, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(segment), (segments) => {
        const { peakBitsPerS, averageBitsPerS } = bitRatesOf(segments);
        assert.ok(peakBitsPerS >= averageBitsPerS);
      }),
    );
  });
});

describe('a storyboard', () => {
  const spec = {
    kind: 'storyboard',
    intervalMs: 2000,
    columns: 2,
    rows: 2,
    tileWidthPx: 80,
    tileHeightPx: 45,
  } as const;
  const storyboard = { spec, sheetCount: 2, durationMs: 9500 };

  test('names a part of a sheet for each stretch, to the end', () => {
    const blocks = withToken(storyboardVtt(storyboard), 'a.b').trimEnd().split('\n\n');
    assert.deepEqual(blocks, [
      'WEBVTT',
      '00:00:00.000 --> 00:00:02.000\nstoryboard/0.jpg?token=a.b#xywh=0,0,80,45',
      '00:00:02.000 --> 00:00:04.000\nstoryboard/0.jpg?token=a.b#xywh=80,0,80,45',
      '00:00:04.000 --> 00:00:06.000\nstoryboard/0.jpg?token=a.b#xywh=0,45,80,45',
      '00:00:06.000 --> 00:00:08.000\nstoryboard/0.jpg?token=a.b#xywh=80,45,80,45',
      '00:00:08.000 --> 00:00:09.500\nstoryboard/1.jpg?token=a.b#xywh=0,0,80,45',
    ]);
  });

  test('says the same as JSON', () => {
    const json: unknown = JSON.parse(withToken(storyboardJson(storyboard), undefined));
    assert.deepEqual(json, {
      durationMs: 9500,
      intervalMs: 2000,
      columns: 2,
      rows: 2,
      tileWidthPx: 80,
      tileHeightPx: 45,
      sheets: ['storyboard/0.jpg', 'storyboard/1.jpg'],
      tiles: [
        { startMs: 0, sheet: 0, x: 0, y: 0 },
        { startMs: 2000, sheet: 0, x: 80, y: 0 },
        { startMs: 4000, sheet: 0, x: 0, y: 45 },
        { startMs: 6000, sheet: 0, x: 80, y: 45 },
        { startMs: 8000, sheet: 1, x: 0, y: 0 },
      ],
    });
  });

  test('never names a sheet that is not there', () => {
    assert.equal(storyboardVtt({ ...storyboard, durationMs: 60_000 }).match(/-->/g)?.length, 8);
    assert.equal(storyboardVtt({ ...storyboard, durationMs: 0 }).match(/-->/g)?.length, 1);
  });
});

describe('the cipher of an asset', () => {
  test('has a key of its own, the same in every process, and the sequence number as vector', async () => {
    const stored = new Map<string, Uint8Array>();
    const catalog = {
      serverSecret: async (name: string, create: () => Uint8Array): Promise<Uint8Array> => {
        const secret = stored.get(name) ?? create();
        stored.set(name, secret);
        return secret;
      },
    };
    const cipher = await new SegmentCiphers(catalog).of('ast_1');
    const again = await new SegmentCiphers(catalog).of('ast_1');
    assert.deepEqual(cipher.key, again.key);
    assert.equal(cipher.key.length, 16);
    assert.notDeepEqual((await new SegmentCiphers(catalog).of('ast_2')).key, cipher.key);
    const plain = Buffer.from('sixteen bytes or more');
    const vector = Buffer.alloc(16);
    vector.writeUInt32BE(258, 12);
    const decipher = createDecipheriv('aes-128-cbc', cipher.key, vector);
    const read = Buffer.concat([decipher.update(cipher.encrypt(plain, 258)), decipher.final()]);
    assert.deepEqual(read, plain);
  });
});

test('a file name survives its header, whatever it is', () => {
  assert.equal(attachment('film.mp4'), `attachment; filename="film.mp4"; filename*=UTF-8''film.mp4`);
  const nasty = attachment('a"b\r\nX-Evil: 1/../ü.mp4');
  assert.match(nasty, /^[\x20-\x7e]*$/);
  assert.equal(nasty.split('"').length, 3);
  assert.match(nasty, /%C3%BC\.mp4$/);
});

test('captions beside MPEG-TS say where its clock begins', () => {
  const text = 'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello\n';
  const mapped = Buffer.from(mapToTsClock(Buffer.from(text))).toString();
  assert.equal(mapped, text.replace('\n', '\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n'));
  assert.equal(Buffer.from(mapToTsClock(Buffer.from(mapped))).toString(), mapped);
});
