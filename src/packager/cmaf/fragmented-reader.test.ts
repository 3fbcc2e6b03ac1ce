import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { makePushedSegments, probePackets } from '../../../test/fixtures/pushed-segments.ts';
import { isZoetropeError } from '../../base/errors.ts';
import { DEMUX_LIMITS } from '../demuxed/demuxed-media.ts';
import { firstPts90k } from '../demuxed/media-clock.ts';
import { repackage } from '../demuxed/repackage.ts';
import { readFragmentedMedia } from './fragmented-reader.ts';

const H264 = '-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -pix_fmt yuv420p -g 10 -keyint_min 10 -sc_threshold 0';
const AAC = '-c:a aac -b:a 64k -ac 2';

interface Fragmented {
  readonly init: Buffer;
  readonly media: Buffer;
}

/** A fragmented file in one piece, cut behind its `moov` box. */
function makeFragmented(
  flags: string,
  options: { readonly codecs?: string; readonly format?: string } = {},
): Fragmented {
  const { codecs = `${H264} ${AAC}`, format = 'mp4' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-fragmented-'));
  try {
    const file = join(directory, 'made.mp4');
    const inputs = '-f lavfi -i testsrc=size=160x120:rate=25:duration=2 -f lavfi -i sine=sample_rate=44100:duration=2';
    const words = `-loglevel error ${inputs} ${codecs} -f ${format} ${flags} ${file}`.split(/\s+/);
    execFileSync('ffmpeg', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    const bytes = readFileSync(file);
    let at = 0;
    while (bytes.toString('latin1', at + 4, at + 8) !== 'moov') at += bytes.readUInt32BE(at);
    at += bytes.readUInt32BE(at);
    return { init: bytes.subarray(0, at), media: bytes.subarray(at) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('fragmented MP4 reader', () => {
  const shapes = [
    ['fragments at key frames, offsets from the file', '-movflags frag_keyframe+empty_moov'],
    ['offsets from the moof', '-movflags frag_keyframe+empty_moov+default_base_moof'],
    ['no base at all', '-movflags frag_keyframe+empty_moov+omit_tfhd_offset'],
    ['an edit list, and the header last', '-movflags frag_keyframe+delay_moov+default_base_moof'],
    ['a sidx before each fragment', '-movflags dash+frag_keyframe+delay_moov -use_editlist 1'],
    ['producer times', '-movflags frag_keyframe+empty_moov+cmaf -write_prft wallclock'],
    ['composition offsets below 0', '-movflags frag_keyframe+empty_moov+negative_cts_offsets'],
    ['another timescale', '-movflags frag_every_frame+empty_moov -video_track_timescale 1000'],
  ] as const;
  for (const [name, flags] of shapes) {
    test(name, () => {
      const { init, media } = makeFragmented(flags);
      const read = readFragmentedMedia(init, media);
      assert.deepEqual(read.faults, []);
      const pictures = probePackets([init, media], 'v');
      assert.equal(pictures.length, 50);
      // ffprobe takes the most negative offset for a shift of the whole track: what has an offset of 0 is then a picture late.
      const shift = /negative|cmaf/.test(flags) ? 3600 : 0;
      assert.deepEqual(
        read.video?.samples.map(({ pts90k, isSync }) => ({ pts90k, isSync })),
        pictures.map(({ pts90k, isKey }) => ({ pts90k: Math.round(pts90k) - shift, isSync: isKey })),
      );
      const sound = probePackets([init, media], 'a');
      assert.equal(read.audio?.frames.length, sound.length);
      for (const [index, frame] of (read.audio?.frames ?? []).entries()) {
        assert.ok(Math.abs(frame.pts90k - (sound[index]?.pts90k ?? Number.NaN)) < 1e-6);
        assert.equal(frame.data.length, sound[index]?.size);
      }
    });
  }

  test('other tracks are passed over where one is kept, and named where none is', () => {
    const vp9 = '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p';
    const flags = '-movflags frag_keyframe+empty_moov';
    const beside = makeFragmented(flags, { codecs: `${vp9} ${AAC}` });
    const read = readFragmentedMedia(beside.init, beside.media);
    assert.equal(read.video, null);
    assert.deepEqual(read.faults, ['Track 1, "vp09", was passed over.']);
    const alone = makeFragmented(flags, { codecs: `${vp9} -map 0:v` });
    assert.throws(() => readFragmentedMedia(alone.init, alone.media), {
      code: 'unsupported_media',
      message: /Got "vp09"; set the encoder/,
    });
  });

  test('parameter sets may stand in the samples alone', () => {
    const { init, media } = makeFragmented('-movflags frag_keyframe+empty_moov', {
      codecs: `${H264} -tag:v avc3 -bsf:v dump_extra ${AAC}`,
    });
    const whole = readFragmentedMedia(init, media);
    assert.ok(whole.video?.codec === 'h264');
    const bare = Buffer.from(init);
    const record = bare.indexOf('avcC') + 4;
    // Both lists empty, and what remains of the record is behind them.
    bare.writeUInt8(0xe0, record + 5);
    bare.writeUInt8(0, record + 6);
    const read = readFragmentedMedia(bare, media);
    assert.deepEqual(read.video, whole.video);
  });

  let init: Uint8Array;
  let media: Uint8Array;
  before(() => {
    const pushed = makePushedSegments({ container: 'fmp4', video: H264, audio: AAC, seconds: 2 });
    init = pushed.init ?? new Uint8Array();
    media = pushed.segments[1] ?? new Uint8Array();
  });

  test('what is too much is refused', () => {
    for (const limits of [{ maxBytes: 1000 }, { maxPictures: 3 }, { maxAudioFrames: 3 }]) {
      assert.throws(() => readFragmentedMedia(init, media, { ...DEMUX_LIMITS, ...limits }), {
        code: 'payload_too_large',
      });
    }
  });

  test('damaged segments are read as something or refused, in all', () => {
    const changes = fc.array(fc.tuple(fc.nat({ max: 4000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.boolean(), changes, (isInit, damage) => {
        const damaged = Uint8Array.from(isInit ? init : media);
        for (const [at, value] of damage) damaged[at % damaged.length] = value;
        try {
          const read = readFragmentedMedia(isInit ? damaged : init, isInit ? media : damaged);
          const place = { sequenceNumber: 1, nextPts90k: null, audioGridSamples: null };
          repackage(read, { ...place, originPts90k: firstPts90k(read) });
        } catch (error) {
          assert.ok(isZoetropeError(error), String(error));
          assert.match(error.code, /^(corrupt_media|unsupported_media|out_of_range)$/);
        }
      }),
      { numRuns: 2000, seed: 1895 },
    );
  });
});
