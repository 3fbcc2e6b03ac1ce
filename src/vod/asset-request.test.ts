import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isZoetropeError } from '../base/errors.ts';
import { inputsPrefix, parseAssetOptions, parseAssetRequest, parseNewAsset } from './asset-request.ts';

const acme = { tenant: 'acme', webhookUrl: null };
const ownTenant = (named: string | undefined): string => named ?? 'acme';

function refusal(input: unknown): string {
  try {
    parseAssetRequest(input, acme);
  } catch (error) {
    assert.ok(isZoetropeError(error, 'invalid_argument'), String(error));
    return error.message;
  }
  return assert.fail(`it took ${JSON.stringify(input)}`);
}

describe('a request for an asset', () => {
  it('is complete when nothing is asked for', () => {
    assert.deepEqual(parseAssetRequest({}, acme), {
      video: null,
      audioBitrateKbps: null,
      captions: true,
      thumbnails: [],
      poster: true,
      storyboard: true,
      download: false,
      watermark: null,
      encryption: 'none',
      webhookUrl: null,
    });
  });

  it('keeps what is asked for', () => {
    const video = [{ codec: 'h264', heightPx: 360, crf: 23, preset: 'veryfast' }, { heightPx: 720 }];
    const request = parseAssetRequest({ video, watermark: { objectKey: 'inputs/acme/logo.png' } }, acme);
    assert.deepEqual(request.video, video);
    assert.deepEqual(request.watermark, {
      objectKey: 'inputs/acme/logo.png',
      position: 'bottom-right',
      size: 0.15,
      opacity: 1,
      margin: 0.02,
    });
  });

  it('says what is wrong, the value got, and what to do', () => {
    assert.match(
      refusal({ video: [{ crf: 20, bitrateKbps: 900 }] }),
      /video\[0\] takes either crf or bitrateKbps\. Leave/,
    );
    assert.match(refusal({ video: [{ codec: 'h264', crf: 60 }] }), /video\[0\]\.crf must be 0–51 for h264\. Got 60/);
    assert.match(
      refusal({ video: [{ codec: 'vp9', preset: 'fast' }] }),
      /preset must be one of 0, 1, .* for vp9\. Got "fast"/,
    );
    assert.match(
      refusal({ video: [{ codec: 'mpeg2' }] }),
      /video\[0\]\.codec must be one of "h264", "hevc", "vp9", "av1"\. Got/,
    );
    assert.match(refusal({ video: [] }), /video must not have fewer than 1 items/);
    assert.match(
      refusal({ video: Array.from({ length: 21 }, (_, at) => ({ heightPx: 100 + at })) }),
      /more than 20 items/,
    );
    assert.match(
      refusal({ video: [{ heightPx: 360 }, { codec: 'h264', heightPx: 360 }] }),
      /video\[1\] asks for the same as outputs\.video\[0\]/,
    );
    assert.match(refusal({ thumbnails: [{ timesSeconds: [1, 2, 1] }] }), /each time once\. Got 1\./);
    const many = Array.from({ length: 51 }, (_, at) => at);
    assert.match(
      refusal({ thumbnails: [{ timesSeconds: many }, { timesSeconds: many }] }),
      /100 pictures in all\. Got 102/,
    );
    assert.match(refusal({ vidoe: [] }), /^vidoe is not known here/);
    assert.match(refusal(null), /outputs must be object\. Got null/);
  });

  it('never reaches beyond the tenant’s own objects', () => {
    for (const objectKey of [
      'inputs/other/logo.png',
      'inputs/acme',
      'assets/ast_x/source',
      'inputs/acme/../b/x',
      '/inputs/acme/x',
    ]) {
      assert.match(refusal({ watermark: { objectKey } }), /objectKey must begin with|object key is 1–512/, objectKey);
      assert.throws(() => parseNewAsset({ source: { objectKey } }, ownTenant), { code: 'invalid_argument' });
    }
    assert.throws(() => inputsPrefix('acme/sub'), { code: 'invalid_argument' });
    assert.throws(() => inputsPrefix('..'), { code: 'invalid_argument' });
  });

  it('takes http and https URLs alone', () => {
    for (const url of [
      'file:///etc/passwd',
      'ftp://a/b',
      'film.mp4',
      'concat:a|b',
      'https://user:secret@host/film.mp4',
    ]) {
      assert.throws(() => parseNewAsset({ source: { url } }, ownTenant), { code: 'invalid_argument' }, url);
      assert.throws(() => parseAssetOptions({ webhookUrl: url }, ownTenant), { code: 'invalid_argument' }, url);
    }
    const { source } = parseNewAsset({ source: { url: 'https://host/film.mp4?sig=1' } }, ownTenant);
    assert.deepEqual(source, { kind: 'url', url: 'https://host/film.mp4?sig=1' });
  });

  it('belongs to the tenant that the choice allows', () => {
    assert.equal(parseAssetOptions({ tenant: 'other' }, ownTenant).tenant, 'other');
    assert.equal(parseAssetOptions({ outputs: {} }, ownTenant).tenant, 'acme');
    assert.throws(() =>
      parseAssetOptions({ tenant: 'x', outputs: { watermark: { objectKey: 'inputs/acme/l.png' } } }, ownTenant),
    );
  });

  it('is taken or refused with invalid_argument, whatever comes', () => {
    const outputs = fc.record(
      {
        video: fc.oneof(
          fc.constant(null),
          fc.array(fc.record({ crf: fc.double(), bitrateKbps: fc.anything() }, { requiredKeys: [] })),
        ),
        thumbnails: fc.array(fc.record({ timesSeconds: fc.array(fc.double()) })),
        poster: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), outputs), (input) => {
        try {
          const { video } = parseAssetRequest(input, acme);
          assert.ok(video === null || video.every(({ crf = 0 }) => crf >= 0 && crf <= 63));
        } catch (error) {
          assert.ok(isZoetropeError(error, 'invalid_argument'), String(error));
          assert.ok(error.message.length < 600, error.message);
        }
      }),
    );
  });
});
