import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitTile, parseStoryboard, previewLeft, tileAt } from './storyboard.ts';

const BASE = 'https://zoetrope.example/play/assets/ast_1/storyboard.vtt?token=t';
const TEXT = `WEBVTT

00:00:00.000 --> 00:00:02.000
storyboard/0.jpg#xywh=0,0,160,90

2
00:00:02.000 --> 00:00:04.000
storyboard/0.jpg?token=t#xywh=pixel:160,0,160,90

NOTE a remark

01:00:04.000 --> 01:00:06.000 align:start
storyboard/1.jpg#xywh=0,90,160,90

00:00:08.000 --> 00:00:09.000
just words
`;

test('tiles are read from WebVTT, whatever else is in it', () => {
  const tiles = parseStoryboard(TEXT.replaceAll('\n', '\r\n'), BASE);
  assert.deepEqual(tiles[1], {
    startS: 2,
    endS: 4,
    sheetUrl: 'https://zoetrope.example/play/assets/ast_1/storyboard/0.jpg?token=t',
    x: 160,
    y: 0,
    width: 160,
    height: 90,
  });
  assert.deepEqual(
    tiles.map(({ startS, y }) => [startS, y]),
    [
      [0, 0],
      [2, 0],
      [3604, 90],
    ],
  );
});

test('each moment has the tile that shows it', () => {
  const tiles = parseStoryboard(TEXT, BASE);
  const starts = [-1, 0, 1.99, 2, 3603.9, 3604, 9999].map((time) => tileAt(tiles, time)?.startS);
  assert.deepEqual(starts, [0, 0, 0, 2, 2, 3604, 3604]);
  assert.equal(tileAt([], 3), undefined);
});

test('a tile fits its box, upright or wide', () => {
  assert.deepEqual(fitTile({ width: 160, height: 90 }, { width: 192, height: 192 }), {
    scale: 1.2,
    width: 192,
    height: 108,
  });
  assert.deepEqual(fitTile({ width: 90, height: 160 }, { width: 192, height: 144 }), {
    scale: 0.9,
    width: 81,
    height: 144,
  });
});

test('a preview stays inside the bar', () => {
  assert.deepEqual(
    [0, 300, 600].map((x) => previewLeft(x, 192, 600)),
    [0, 204, 408],
  );
  assert.equal(previewLeft(50, 192, 100), 0);
});
