import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VideoSpec } from '../../../timeline/asset.ts';
import { ENCODER_PRESETS, encoderSettings, rationalRate } from './encoder-settings.ts';
import { x264VectorParameters } from './x264-vectors.ts';

const SPEC: VideoSpec = {
  kind: 'video',
  codec: 'h264',
  width: 1280,
  height: 720,
  crf: 23,
  bitsPerS: null,
  maxBitsPerS: 3_000_000,
  preset: 'veryfast',
  frameRate: 25,
};

test('rates of film and video are exact fractions, others come to a thousandth', () => {
  const cases: readonly (readonly [number, string])[] = [
    [25, '25/1'],
    [23.976, '24000/1001'],
    [24_000 / 1001, '24000/1001'],
    [29.97, '30000/1001'],
    [59.94005994, '60000/1001'],
    [12.5, '12500/1000'],
    [0.2, '200/1000'],
  ];
  for (const [rate, expected] of cases) {
    const { num, den } = rationalRate(rate);
    assert.equal(`${num}/${den}`, expected);
  }
  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => rationalRate(rate), { code: 'invalid_argument' });
  }
});

test('a ceiling has a buffer of two seconds; with none there is no buffer', () => {
  assert.equal(encoderSettings(SPEC).bufferBits, 6_000_000);
  assert.equal(encoderSettings({ ...SPEC, maxBitsPerS: null }).bufferBits, 0);
});

test('each codec takes its own presets and either a quality or a rate', () => {
  for (const codec of ['h264', 'hevc', 'vp9', 'av1'] as const) {
    for (const preset of ENCODER_PRESETS[codec]) assert.ok(encoderSettings({ ...SPEC, codec, preset }).encoder);
    const preset = ENCODER_PRESETS[codec][0] ?? '';
    assert.throws(() => encoderSettings({ ...SPEC, codec, preset: 'hasty' }), {
      code: 'invalid_argument',
      message: /hasty/,
    });
    assert.throws(() => encoderSettings({ ...SPEC, codec, preset, bitsPerS: 1000 }), { code: 'invalid_argument' });
    assert.throws(() => encoderSettings({ ...SPEC, codec, preset, crf: null }), { code: 'invalid_argument' });
  }
});

test('x264 is kept from AVX-512 where a row is no multiple of eight macroblocks', () => {
  for (const width of [640, 1280, 1920, 3840, 1910]) assert.equal(x264VectorParameters(width, true), '');
  for (const width of [854, 426, 320, 256 + 16]) assert.equal(x264VectorParameters(width, true), ':asm=AVX2');
  assert.equal(x264VectorParameters(854, false), '');
});
