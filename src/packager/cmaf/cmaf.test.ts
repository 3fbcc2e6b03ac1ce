import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { isIdr, makeTestVideo, type TestVideo } from '../../../test/fixtures/access-units.ts';
import { isZoetropeError } from '../../base/errors.ts';
import { annexBToLengthPrefixed } from '../h264/nal.ts';
import { readAvcInit, readInit } from './init-reader.ts';
import { writeInitSegment } from './init-writer.ts';
import { readMediaSegment } from './media-reader.ts';
import { writeMediaSegment, type Sample } from './media-writer.ts';
import { effectiveSpeed, retimeInit } from './retime.ts';

describe('CMAF', () => {
  let directory: string;
  let video: TestVideo;
  let init: Uint8Array;
  let samples: readonly Sample[];

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'zoetrope-cmaf-'));
    video = makeTestVideo();
    init = writeInitSegment({ codec: 'avc1', ...video });
    samples = video.accessUnits.map((unit, index) => ({
      data: annexBToLengthPrefixed(unit),
      duration: 450_000 + index * 90,
      isSync: isIdr(unit),
    }));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function probe(bytes: readonly Uint8Array[]): { pts: number[]; text: string } {
    const file = join(directory, 'probe.mp4');
    writeFileSync(file, Buffer.concat(bytes));
    const text = execFileSync(
      'ffprobe',
      [
        '-v',
        'warning',
        '-show_entries',
        'stream=codec_name,width,height,color_range,time_base:packet=pts,duration,flags',
      ].concat(['-show_entries', 'frame=pts,pict_type', '-of', 'json', file]),
      { encoding: 'utf8' },
    );
    const parsed = JSON.parse(text) as { packets_and_frames: { type: string; pts: number }[] };
    const packets = parsed.packets_and_frames.filter((entry) => entry.type === 'packet');
    return { pts: packets.map((p) => p.pts), text };
  }

  test('what was written is read back', () => {
    const info = readAvcInit(init);
    assert.deepEqual([info.width, info.height, info.timescale], [320, 240, 90_000]);
    assert.match(info.codecs, /^avc1\.42C0[0-9A-F]{2}$/);
    assert.deepEqual([...info.sps], [...video.sps]);
    assert.deepEqual([...info.pps], [...video.pps]);
    const read = readMediaSegment(writeMediaSegment({ sequenceNumber: 7, baseMediaDecodeTime: 2 ** 40 + 3, samples }));
    assert.equal(read.baseMediaDecodeTime, 2 ** 40 + 3);
    assert.deepEqual(
      read.samples.map((sample) => [sample.duration, sample.isSync, Buffer.from(sample.data).toString('hex')]),
      samples.map((sample) => [sample.duration, sample.isSync, Buffer.from(sample.data).toString('hex')]),
    );
  });

  test('the same track gives the same init segment', () => {
    assert.deepEqual(writeInitSegment({ codec: 'avc1', ...video }), init);
  });

  test('ffprobe decodes every frame at its exact time', () => {
    const base = 900_000;
    const { pts, text } = probe([
      init,
      writeMediaSegment({ sequenceNumber: 0, baseMediaDecodeTime: base, samples: samples.slice(0, 6) }),
      writeMediaSegment({
        sequenceNumber: 1,
        baseMediaDecodeTime: base + samples.slice(0, 6).reduce((sum, s) => sum + s.duration, 0),
        samples: samples.slice(6),
      }),
    ]);
    let expected = base;
    for (const [index, sample] of samples.entries()) {
      assert.equal(pts[index], expected);
      expected += sample.duration;
    }
    const frames = (JSON.parse(text) as { packets_and_frames: { type: string; pict_type?: string }[] })
      .packets_and_frames;
    assert.deepEqual(
      frames
        .filter((entry) => entry.type === 'frame')
        .map((entry) => entry.pict_type)
        .join(''),
      'IPPPPPIPPPPP',
    );
  });

  test('colour is stated when it is known', () => {
    const colour = { primaries: 1, transfer: 13, matrix: 5, fullRange: true };
    const full = writeInitSegment({ codec: 'avc1', ...video, colour });
    const segment = writeMediaSegment({ sequenceNumber: 0, baseMediaDecodeTime: 0, samples: samples.slice(0, 1) });
    assert.match(probe([full, segment]).text, /"color_range": "pc"/);
  });

  test('reordered pictures keep their composition offsets', () => {
    const reordered = samples
      .slice(0, 3)
      .map((sample, index) => ({ ...sample, compositionOffset: [90, -90, 0][index] ?? 0 }));
    const read = readMediaSegment(
      writeMediaSegment({ sequenceNumber: 0, baseMediaDecodeTime: 90, samples: reordered }),
    );
    assert.deepEqual(
      read.samples.map((sample) => sample.compositionOffset),
      [90, -90, 0],
    );
  });

  test('speed changes the init segment alone', () => {
    const fast = retimeInit(init, 5);
    assert.equal(readInit(fast).timescale, 450_000);
    assert.equal(readInit(init).timescale, 90_000);
    const segment = writeMediaSegment({ sequenceNumber: 0, baseMediaDecodeTime: 0, samples });
    assert.match(probe([fast, segment]).text, /"time_base": "1\/450000"/);
    assert.throws(() => retimeInit(init, 1e6), { code: 'out_of_range' });
    assert.equal(effectiveSpeed(1 / 3), 30_000 / 90_000);
    assert.throws(() => effectiveSpeed(0), { code: 'invalid_argument' });
  });

  test('what cannot be written is refused with its value', () => {
    const write = (change: object) => () =>
      writeMediaSegment({ sequenceNumber: 0, baseMediaDecodeTime: 0, samples, ...change });
    assert.throws(write({ samples: [] }), /at least one sample/);
    assert.throws(write({ baseMediaDecodeTime: -1 }), /Got -1/);
    assert.throws(write({ baseMediaDecodeTime: 0.5 }), /Got 0.5/);
    assert.throws(write({ samples: [{ data: new Uint8Array(1), duration: 2 ** 32, isSync: true }] }), /4294967296/);
    assert.throws(write({ samples: [{ data: new Uint8Array(0), duration: 1, isSync: true }] }), /Sample 0 is empty/);
    assert.throws(() => writeInitSegment({ codec: 'avc1', ...video, width: 0 }), { code: 'invalid_argument' });
  });

  test('any samples survive a round trip', () => {
    const sample = fc.record({
      data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      duration: fc.integer({ min: 0, max: 0xffff_ffff }),
      isSync: fc.boolean(),
      compositionOffset: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 20 }), fc.maxSafeNat(), (list, base) => {
        const bytes = writeMediaSegment({ sequenceNumber: 1, baseMediaDecodeTime: base, samples: list });
        const read = readMediaSegment(bytes);
        assert.equal(read.baseMediaDecodeTime, base);
        assert.equal(read.samples.length, list.length);
        for (const [index, one] of read.samples.entries()) {
          assert.deepEqual(Buffer.from(one.data), Buffer.from(list[index]?.data ?? []));
          assert.equal(one.compositionOffset, list[index]?.compositionOffset);
        }
      }),
    );
  });

  test('damaged bytes throw corrupt_media or read as something, and never anything else', () => {
    const segment = writeMediaSegment({ sequenceNumber: 0, baseMediaDecodeTime: 5, samples: samples.slice(0, 3) });
    const targets = [
      { bytes: init, read: (bytes: Uint8Array): unknown => readInit(bytes) },
      { bytes: segment.subarray(0, 200), read: (bytes: Uint8Array): unknown => readMediaSegment(bytes) },
      { bytes: segment, read: (bytes: Uint8Array): unknown => readMediaSegment(bytes) },
    ];
    const damage = fc.array(fc.tuple(fc.nat({ max: 250 }), fc.nat({ max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(fc.nat({ max: 2 }), damage, fc.option(fc.nat({ max: 800 })), (which, changes, cut) => {
        const target = targets[which] ?? targets[0];
        const bytes = Uint8Array.from(target?.bytes ?? []);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        expectClean(() => target?.read(cut === null ? bytes : bytes.subarray(0, cut)));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expectClean(() => readInit(bytes));
        expectClean(() => readMediaSegment(bytes));
      }),
    );
    assert.throws(() => readMediaSegment(segment.subarray(0, segment.length - 1)), /claims \d+ bytes/);
    assert.throws(() => readInit(segment), /no moov/);
  });

  function expectClean(read: () => unknown): void {
    try {
      read();
    } catch (error) {
      assert.ok(isZoetropeError(error), String(error));
      assert.ok(error.code === 'corrupt_media' || error.code === 'unsupported_media', error.code);
    }
  }
});
