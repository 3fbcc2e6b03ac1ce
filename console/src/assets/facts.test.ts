import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaJson, OutputJson, VideoTrackJson } from '../api/asset-types.ts';
import { factsOf, frameRateText, languageName, mediaLine, outputSpeed, outputText, videoText } from './facts.ts';

const video: VideoTrackJson = {
  index: 0,
  codec: 'hevc',
  codedWidth: 1920,
  codedHeight: 1080,
  width: 1080,
  height: 1920,
  rotation: 90,
  sampleAspectRatio: 1,
  frameRate: 29.970_029,
  pixelFormat: 'yuv420p10le',
  bitDepth: 10,
  isInterlaced: false,
  hdr: 'hlg',
  bitsPerS: 12_000_000,
};
const media: MediaJson = {
  container: 'mov',
  sizeBytes: 4_139_823,
  durationMs: 30_022,
  video: [video],
  audio: [{ index: 1, codec: 'aac', sampleRateHz: 44_100, channels: 6, language: 'eng', title: null, bitsPerS: null }],
  subtitles: [{ index: 2, codec: 'dvd_subtitle', language: 'de', title: null, isText: false }],
};
const output: OutputJson = {
  id: 'out_1',
  name: '480p',
  kind: 'video',
  spec: { codec: 'h264', width: 854, height: 480, crf: 23, bitsPerS: null, maxBitsPerS: 1_400_000 },
  state: 'transcoding',
  cause: null,
  progress: 0.5,
  etaSeconds: null,
  cpuSeconds: 0,
  peakMemoryBytes: 0,
  wallSeconds: 0,
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  files: [],
};

test('what the file holds is told in words, with what is unusual about it', () => {
  assert.equal(
    videoText(video),
    'HEVC · 1080×1920 · coded 1920×1080 · turned 90° · 29.97 fps · 10 bit · HDR (HLG) · 12.0 Mbit/s',
  );
  const facts = factsOf(media).map(([name, value]) => `${name}: ${value}`);
  assert.ok(facts.includes('Audio: AAC · 5.1 · 44.1 kHz · English'), facts.join('\n'));
  assert.ok(
    facts.some((fact) => fact.endsWith('German · pictures, cannot become WebVTT')),
    facts.join('\n'),
  );
  assert.equal(frameRateText(25), '25');
});

test('a line says what is known so far', () => {
  assert.equal(
    mediaLine({ media, source: { kind: 'url', url: 'https://a.example/x' }, durationMs: 30_022 }),
    '1080×1920 · 29.97 fps · 30 s · 4.14 MB',
  );
  assert.equal(
    mediaLine({ media: null, source: { kind: 'url', url: 'https://a.example/x' }, durationMs: null }),
    'a.example',
  );
  assert.equal(
    mediaLine({ media: null, source: { kind: 'upload', filename: 'x', sizeBytes: 900 }, durationMs: null }),
    '900 B',
  );
});

test('a language that is none stays as the file says it', () => {
  assert.equal(languageName('und'), null);
  assert.equal(languageName('not a tag'), 'not a tag');
});

test('outputs say how they are made and how fast', () => {
  assert.equal(outputText(output), 'H.264 · 854×480 · ≤ 1.4 Mbit/s');
  assert.equal(
    outputText({ kind: 'thumbnails', spec: { timesMs: [1], widthPx: 640, heightPx: 360 } }),
    '1 picture · 640×360',
  );
  const nowMs = Date.parse('2026-01-01T00:00:05.000Z');
  assert.equal(outputSpeed(output, 30_000, nowMs), 3);
  assert.equal(outputSpeed(output, null, nowMs), null);
  assert.equal(outputSpeed({ ...output, progress: 0 }, 30_000, nowMs), null);
});
