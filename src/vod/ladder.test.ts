import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isZoetropeError } from '../base/errors.ts';
import type { AssetRequest, VideoSpec } from '../timeline/asset.ts';
import type { AudioTrack, MediaDescription, VideoTrack } from '../timeline/media-description.ts';
import { planOutputs } from './ladder.ts';

const REQUEST: AssetRequest = {
  video: null,
  audioBitrateKbps: null,
  captions: true,
  thumbnails: [],
  poster: false,
  storyboard: false,
  download: false,
  watermark: null,
  encryption: 'none',
  webhookUrl: null,
};

function track(width: number, height: number): VideoTrack {
  return {
    index: 0,
    codec: 'h264',
    codedWidth: width,
    codedHeight: height,
    width,
    height,
    rotation: 0,
    sampleAspectRatio: 1,
    frameRate: 25,
    pixelFormat: 'yuv420p',
    bitDepth: 8,
    isInterlaced: false,
    hdr: null,
    bitsPerS: null,
  };
}

function sound(index: number, language: string | null, isDefault = false): AudioTrack {
  return { index, codec: 'aac', sampleRateHz: 48_000, channels: 6, language, title: null, isDefault, bitsPerS: null };
}

function media(video: readonly VideoTrack[], audio: readonly AudioTrack[] = []): MediaDescription {
  return { container: 'mp4', sizeBytes: 1, durationMs: 60_000, video, audio, subtitles: [] };
}

const FACTS = { durationMs: 60_000, frameRate: 25 };

function sizes(description: MediaDescription, request: Partial<AssetRequest> = {}): readonly string[] {
  return planOutputs(description, { ...REQUEST, ...request }, FACTS)
    .map(({ spec }) => spec)
    .filter((spec): spec is VideoSpec => spec.kind === 'video')
    .map(({ width, height }) => `${width}x${height}`);
}

test('the default ladder is capped at the source', () => {
  assert.deepEqual(sizes(media([track(1920, 1080)])), [
    '1920x1080',
    '1280x720',
    '854x480',
    '640x360',
    '426x240',
    '256x144',
  ]);
  assert.deepEqual(sizes(media([track(854, 480)])), ['854x480', '640x360', '428x240', '256x144']);
});

test('a source between two rungs gets one of its own size, a tiny one just that', () => {
  assert.deepEqual(sizes(media([track(1024, 576)])), ['1024x576', '854x480', '640x360', '426x240', '256x144']);
  assert.deepEqual(sizes(media([track(101, 75)])), ['100x74']);
});

test('a portrait picture is measured by its short side', () => {
  assert.deepEqual(sizes(media([track(720, 1280)])).slice(0, 2), ['720x1280', '480x854']);
});

test('what is asked for beyond the source is its size, once', () => {
  const video = [{ heightPx: 1080 }, { heightPx: 720 }, { heightPx: 360 }];
  assert.deepEqual(sizes(media([track(640, 480)]), { video }), ['640x480', '480x360']);
});

test('several audio tracks are told apart, and one is the default', () => {
  const outputs = planOutputs(media([], [sound(1, 'eng'), sound(2, 'eng', true), sound(3, null)]), REQUEST, FACTS);
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ['audio-eng', 'audio-eng-2', 'audio-3'],
  );
  assert.deepEqual(
    outputs.map(({ spec }) => spec.kind === 'audio' && spec.isDefault && spec.channels === 2),
    [false, true, false],
  );
});

test('a download takes the best H.264 rung and the default sound', () => {
  const request: AssetRequest = { ...REQUEST, download: true, video: [{ codec: 'av1' }, { heightPx: 360 }] };
  const outputs = planOutputs(media([track(1280, 720)], [sound(1, null, true)]), request, FACTS);
  assert.deepEqual(outputs.at(-1)?.spec, { kind: 'download', videoName: '360p', audioName: 'audio' });
});

test('a still is never asked for behind the end, nor larger than the source', () => {
  const request: AssetRequest = { ...REQUEST, thumbnails: [{ timesSeconds: [0, 99], widthPx: 9999 }] };
  const spec = planOutputs(media([track(640, 360)]), request, FACTS).at(-1)?.spec;
  assert.deepEqual(spec, { kind: 'thumbnails', timesMs: [0, 60_000], widthPx: 640, heightPx: 360 });
});

test('a file without pictures and sound is refused', () => {
  assert.throws(
    () => planOutputs(media([]), REQUEST, FACTS),
    (error) => isZoetropeError(error, 'unsupported_media'),
  );
});
