import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { isIdr, makeTestVideo, type TestVideo } from '../../../test/fixtures/access-units.ts';
import { readMuxedInit, readMuxedSegment } from '../cmaf/muxed-reader.ts';
import { splitAnnexB, splitLengthPrefixed } from '../h264/nal.ts';
import { readTransportStream } from '../mpegts/ts-reader.ts';
import { writeMuxedTsSegment } from '../mpegts/ts-writer.ts';
import { DEMUX_LIMITS, type DemuxedMedia } from './demuxed-media.ts';
import { FaultLog } from './fault-log.ts';
import { PictureCollector } from './picture-collector.ts';
import { repackage, type SegmentPlace } from './repackage.ts';

const ORIGIN_90K = 5_000_000;

describe('repackaging', () => {
  let video: TestVideo;
  before(() => {
    video = makeTestVideo({ frames: 6 });
  });

  /** Pictures at these times since the origin; `further` is put before the first. */
  function media(times90k: readonly number[], further: readonly Uint8Array[] = []): DemuxedMedia {
    const faults = new FaultLog();
    const pictures = new PictureCollector('h264', faults, DEMUX_LIMITS.maxPictures);
    pictures.addSets([video.sps, video.pps]);
    for (const [index, time] of times90k.entries()) {
      const unit = video.accessUnits[index] ?? new Uint8Array();
      const pts90k = ORIGIN_90K + time;
      const units = [...(index === 0 ? [video.sps, video.pps, ...further] : []), ...splitAnnexB(unit)];
      pictures.add({ units, pts90k, dts90k: pts90k, claimsSync: isIdr(unit) });
    }
    return { video: pictures.finish(null), audio: null, faults: faults.lines() };
  }

  const place = (nextPts90k: number | null = null): SegmentPlace => {
    return { sequenceNumber: 3, originPts90k: ORIGIN_90K, nextPts90k, audioGridSamples: null };
  };

  test('the last picture lasts until the next segment, or as long as others', () => {
    const known = repackage(media([9000, 12_000, 15_000, 18_003]), place(ORIGIN_90K + 21_002));
    assert.deepEqual([known.startPts90k, known.duration90k, known.isDurationKnown], [ORIGIN_90K + 9000, 12_002, true]);
    const guessed = repackage(media([9000, 12_000, 15_000, 18_003]), place());
    assert.deepEqual([guessed.duration90k, guessed.isDurationKnown], [12_003, false]);
    const behind = repackage(media([9000, 12_000]), place(ORIGIN_90K + 12_000));
    assert.deepEqual([behind.duration90k, behind.isDurationKnown], [6000, false]);
    assert.equal(repackage(media([0]), place()).duration90k, 3600);
    const read = readMuxedSegment(known.init, known.bytes).video;
    assert.deepEqual(
      [read?.baseMediaDecodeTime, read?.samples.map(({ duration }) => duration)],
      [9000, [3000, 3000, 3003, 2999]],
    );
  });

  test('two pictures at one time come one after the other, and it is said', () => {
    const made = repackage(media([0, 3000, 3000, 6000]), place());
    assert.match(made.faults.join(), /1 pictures have the time of another/);
    assert.equal(made.pictureCount, 4);
  });

  test('times that lie are refused', () => {
    assert.throws(() => repackage(media([0, 3601 * 90_000]), place()), { code: 'corrupt_media' });
    assert.throws(() => repackage(media([-1, 3000]), place()), { code: 'out_of_range' });
  });

  test('a further parameter set stays with its picture, into fMP4 and into MPEG-TS', () => {
    const further = Uint8Array.from(video.pps);
    further[1] = 0x55;
    const made = repackage(media([0, 3000], [further]), place());
    const read = readMuxedSegment(made.init, made.bytes).video;
    const info = readMuxedInit(made.init).video;
    assert.ok(read !== null && info?.codec === 'avc1');
    assert.deepEqual(Buffer.from(info.pps), Buffer.from(video.pps));
    const units = splitLengthPrefixed(read.samples[0]?.data ?? new Uint8Array());
    const has = (set: Uint8Array): boolean => units.some((unit) => Buffer.compare(unit, set) === 0);
    assert.deepEqual([has(further), has(video.pps), has(video.sps)], [true, false, false]);
    const content = { track: info, baseTime: 0, samples: read.samples, speed: 1 };
    const back = readTransportStream(writeMuxedTsSegment({ sequenceNumber: 0, video: content, audio: null }));
    assert.ok(Buffer.from(back.video?.samples[0]?.data ?? []).equals(Buffer.from(read.samples[0]?.data ?? [])));
  });
});
