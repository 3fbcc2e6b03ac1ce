import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { makeTestVideo } from '../../../test/fixtures/access-units.ts';
import { isZoetropeError } from '../../base/errors.ts';
import {
  annexBToLengthPrefixed,
  joinAnnexB,
  joinLengthPrefixed,
  lengthPrefixedToAnnexB,
  nalType,
  parameterSetsOf,
  splitAnnexB,
  splitLengthPrefixed,
} from './nal.ts';
import { codecString, parseSps } from './sps.ts';

/** A NAL unit as an encoder writes it: no start code inside, no zero at its end. */
const nal = fc
  .uint8Array({ minLength: 1, maxLength: 30 })
  .map((bytes) => Uint8Array.from([0x65, ...[...bytes].map((byte) => (byte === 0 ? 2 : byte))]));

describe('NAL units', () => {
  test('both ways of joining can be split again', () => {
    fc.assert(
      fc.property(fc.array(nal, { minLength: 1, maxLength: 6 }), (units) => {
        const plain = units.map((unit) => [...unit]);
        assert.deepEqual(
          splitAnnexB(joinAnnexB(units)).map((unit) => [...unit]),
          plain,
        );
        assert.deepEqual(
          splitLengthPrefixed(joinLengthPrefixed(units)).map((unit) => [...unit]),
          plain,
        );
        assert.deepEqual([...lengthPrefixedToAnnexB(joinLengthPrefixed(units))], [...joinAnnexB(units)]);
      }),
    );
  });

  test('start codes of three and four bytes and trailing zeros are understood', () => {
    const bytes = Uint8Array.from([0, 0, 0, 1, 9, 16, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65, 7, 0, 0]);
    assert.deepEqual(
      splitAnnexB(bytes).map((unit) => [...unit]),
      [
        [9, 16],
        [0x67, 1],
        [0x65, 7],
      ],
    );
    assert.deepEqual([...annexBToLengthPrefixed(bytes)], [0, 0, 0, 2, 0x65, 7]);
  });

  test('damage is corrupt_media', () => {
    assert.throws(() => splitAnnexB(Uint8Array.from([1, 2, 3])), { code: 'corrupt_media' });
    assert.throws(() => splitLengthPrefixed(Uint8Array.from([0, 0, 0, 9, 1])), { code: 'corrupt_media' });
    assert.throws(() => splitLengthPrefixed(Uint8Array.from([0, 0])), { code: 'corrupt_media' });
    assert.throws(() => annexBToLengthPrefixed(Uint8Array.from([0, 0, 1, 9, 16])), /no picture/);
    assert.throws(() => parameterSetsOf(Uint8Array.from([0, 0, 1, 0x67, 1])), /no PPS/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, asRecord) => {
        const input = asRecord ? Uint8Array.from([1, 66, 192, 30, 0xff, ...bytes]) : bytes;
        try {
          parameterSetsOf(input);
        } catch (error) {
          assert.ok(isZoetropeError(error), String(error));
        }
      }),
    );
  });
});

describe('SPS', () => {
  const cases = [
    { width: 320, height: 240, extra: [], codecs: /^avc1\.42C0/ },
    { width: 634, height: 358, extra: ['-profile:v', 'main', '-preset', 'medium'], codecs: /^avc1\.4D/ },
    { width: 1280, height: 720, extra: ['-preset', 'medium', '-profile:v', 'high'], codecs: /^avc1\.6400/ },
    { width: 98, height: 66, extra: ['-pix_fmt', 'yuv444p'], codecs: /^avc1\.F4/ },
  ];
  for (const { width, height, extra, codecs } of cases) {
    test(`${width}×${height} ${extra.join(' ')}`, () => {
      const video = makeTestVideo({ frames: 1, width, height, extra });
      const info = parseSps(video.sps);
      assert.deepEqual([info.width, info.height], [width, height]);
      assert.match(codecString(video.sps), codecs);
      assert.equal(nalType(video.sps), 7);
    });
  }

  test('colour and range come from the VUI', () => {
    const extra = [
      '-color_range',
      'pc',
      '-colorspace',
      'bt470bg',
      '-color_primaries',
      'bt709',
      '-color_trc',
      'iec61966-2-1',
    ];
    const { colour } = parseSps(makeTestVideo({ frames: 1, extra }).sps);
    assert.deepEqual(colour, { primaries: 1, transfer: 13, matrix: 5, fullRange: true });
  });

  test('the shape of a pixel comes from the VUI, by number or in words', () => {
    const ratio = (extra: readonly string[]): number =>
      parseSps(makeTestVideo({ frames: 1, extra }).sps).sampleAspectRatio;
    assert.equal(ratio(['-vf', 'setsar=16/11']), 16 / 11);
    assert.equal(ratio(['-vf', 'setsar=37/35']), 37 / 35);
    assert.equal(ratio([]), 1);
  });

  test('a cut-off SPS is corrupt_media', () => {
    const { sps } = makeTestVideo({ frames: 1 });
    for (let length = 0; length < 9; length++) {
      assert.throws(() => parseSps(sps.subarray(0, length)), { code: 'corrupt_media' });
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          parseSps(Uint8Array.from([0x67, ...bytes]));
        } catch (error) {
          assert.ok(isZoetropeError(error, 'corrupt_media'), String(error));
        }
      }),
    );
  });
});
