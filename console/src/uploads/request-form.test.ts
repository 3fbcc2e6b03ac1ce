import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_FORM, faultsOf, readTimes, requestOf, summaryOf } from './request-form.ts';

test('an untouched form asks for the defaults and says so', () => {
  assert.deepEqual(requestOf(DEFAULT_FORM), {
    outputs: { captions: true, poster: true, storyboard: true, download: false },
  });
  assert.equal(summaryOf(DEFAULT_FORM), 'Automatic ladder · captions · poster · storyboard');
  assert.deepEqual(faultsOf(DEFAULT_FORM), {});
});

test('everything that is filled in goes to the server', () => {
  const form = {
    ...DEFAULT_FORM,
    rungs: [480, 240],
    codec: 'hevc',
    audioKbps: '96',
    captions: false,
    download: true,
    thumbnailTimes: '0:05, 90, 5',
    thumbnailWidth: '320',
    watermarkKey: 'inputs/demo/logo.png',
    encrypted: true,
    referenceId: 'film-7',
    webhookUrl: 'https://hooks.example.org/x',
    priority: -3,
  } as const;
  assert.deepEqual(faultsOf(form), {});
  assert.deepEqual(requestOf(form), {
    referenceId: 'film-7',
    webhookUrl: 'https://hooks.example.org/x',
    priority: -3,
    outputs: {
      video: [
        { codec: 'hevc', heightPx: 480 },
        { codec: 'hevc', heightPx: 240 },
      ],
      audioBitrateKbps: 96,
      captions: false,
      poster: true,
      storyboard: true,
      download: true,
      thumbnails: [{ timesSeconds: [5, 90], widthPx: 320 }],
      watermark: {
        objectKey: 'inputs/demo/logo.png',
        position: 'bottom-right',
        size: 0.15,
        opacity: 1,
        margin: 0.02,
      },
      encryption: 'aes-128',
    },
  });
  assert.equal(
    summaryOf(form),
    '480p, 240p in HEVC · poster · storyboard · MP4 · 2 thumbnails · watermark · encrypted · film-7 · webhook · priority −3',
  );
});

test('a codec that is not the ladder’s own comes with rungs', () => {
  assert.deepEqual(
    requestOf({ ...DEFAULT_FORM, codec: 'av1' }).outputs.video?.map(({ heightPx }) => heightPx),
    [360, 720, 1080],
  );
});

test('faults are found before the upload', () => {
  assert.equal(readTimes('1:99'), null);
  assert.deepEqual(readTimes(''), []);
  const faults = faultsOf({
    ...DEFAULT_FORM,
    thumbnailTimes: 'soon',
    thumbnailWidth: '4',
    audioKbps: '9000',
    webhookUrl: 'hooks.example.org',
    watermarkKey: 'logo.png',
  });
  assert.deepEqual(Object.keys(faults).toSorted(), [
    'audioKbps',
    'thumbnailTimes',
    'thumbnailWidth',
    'watermarkKey',
    'webhookUrl',
  ]);
});
