import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { makePushedSegments, probePackets } from '../../../test/fixtures/pushed-segments.ts';
import { isZoetropeError } from '../../base/errors.ts';
import { DEMUX_LIMITS, type DemuxedMedia } from '../demuxed/demuxed-media.ts';
import { firstPts90k, unwrap90k, unwrapMedia } from '../demuxed/media-clock.ts';
import { repackage } from '../demuxed/repackage.ts';
import { TS_CLOCK_MODULUS, TS_PACKET_BYTES } from './pes.ts';
import { readTransportStream } from './ts-reader.ts';

const H264 = '-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -pix_fmt yuv420p -g 25 -keyint_min 25 -sc_threshold 0';
const AAC = '-c:a aac -b:a 64k -ac 2';

describe('MPEG-TS reader', () => {
  let segment: Uint8Array;
  let clean: DemuxedMedia;

  before(() => {
    const { segments } = makePushedSegments({ container: 'ts', video: H264, audio: AAC, seconds: 2 });
    segment = segments[1] ?? new Uint8Array();
    clean = readTransportStream(segment);
    assert.deepEqual(clean.faults, []);
  });

  function counts({ video, audio }: DemuxedMedia): readonly number[] {
    return [video?.samples.length ?? 0, audio?.frames.length ?? 0];
  }

  /** Transport packets, to be changed. */
  function packets(): Buffer[] {
    return Array.from({ length: segment.length / TS_PACKET_BYTES }, (_, index) =>
      Buffer.from(segment.subarray(index * TS_PACKET_BYTES, (index + 1) * TS_PACKET_BYTES)),
    );
  }

  const pidOf = (packet: Buffer): number => packet.readUInt16BE(1) & 0x1fff;
  const isStart = (packet: Buffer): boolean => (packet.readUInt8(1) & 0x40) !== 0;

  test('garbage before, between and behind packets is passed over, and said', () => {
    const parts = packets();
    const garbage = Buffer.from(Array.from({ length: 301 }, (_, index) => (index % 7 === 3 ? 0x47 : index & 0xff)));
    const read = readTransportStream(
      Buffer.concat([garbage, ...parts.slice(0, 40), garbage, ...parts.slice(40), garbage.subarray(0, 100)]),
    );
    assert.deepEqual(counts(read), counts(clean));
    assert.deepEqual(
      read.video?.samples.map(({ pts90k }) => pts90k),
      clean.video?.samples.map(({ pts90k }) => pts90k),
    );
    assert.equal(read.faults.length, 2);
    assert.match(read.faults[0] ?? '', /301 bytes at offset 0 that are no transport packet.* \(\d+ times\)/);
    assert.match(read.faults[1] ?? '', /cut off after 100 bytes/);
  });

  test('a lost packet is said, and the rest is there; a packet sent twice is no fault', () => {
    const parts = packets();
    const middle = parts.findIndex((packet, index) => index > 20 && pidOf(packet) === 0x100 && !isStart(packet));
    const lost = readTransportStream(Buffer.concat(parts.filter((_, index) => index !== middle)));
    assert.deepEqual(counts(lost), counts(clean));
    assert.match(lost.faults.join(), /^Transport packets of PID 256 are missing before offset \d+: the counter goes/);
    const twice = readTransportStream(Buffer.concat(parts.toSpliced(middle, 0, parts[middle] ?? Buffer.alloc(0))));
    assert.deepEqual(twice, clean);
  });

  test('a counter may jump where the stream says so', () => {
    const parts = packets();
    const from = parts.findIndex((packet, index) => index > 20 && pidOf(packet) === 0x100 && isStart(packet));
    const first = parts[from];
    assert.ok(first !== undefined && (first.readUInt8(3) & 0x20) !== 0);
    for (const packet of parts.slice(from).filter((one) => pidOf(one) === 0x100)) {
      const control = packet.readUInt8(3);
      packet.writeUInt8((control & 0xf0) | ((control + 5) & 15), 3);
    }
    assert.match(readTransportStream(Buffer.concat(parts)).faults.join(), /counter goes/);
    first.writeUInt8(first.readUInt8(5) | 0x80, 5);
    assert.deepEqual(readTransportStream(Buffer.concat(parts)).faults, []);
  });

  test('time stamps that wrap in the segment go on', () => {
    const first = firstPts90k(clean);
    const shift = TS_CLOCK_MODULUS - 45_000 - first;
    const parts = packets();
    for (const packet of parts) if (isStart(packet)) shiftStamps(packet, shift);
    const read = readTransportStream(Buffer.concat(parts));
    const times = (media: DemuxedMedia): readonly (readonly number[])[] => [
      media.video?.samples.map(({ pts90k }) => pts90k) ?? [],
      media.audio?.frames.map(({ pts90k }) => pts90k) ?? [],
    ];
    assert.deepEqual(
      times(read),
      times(clean).map((track) => track.map((time) => time + shift)),
    );
    const near = 3 * TS_CLOCK_MODULUS + first;
    assert.equal(firstPts90k(unwrapMedia(read, near)), near + shift - TS_CLOCK_MODULUS);
    assert.deepEqual(
      [unwrap90k(5, TS_CLOCK_MODULUS - 5), unwrap90k(TS_CLOCK_MODULUS - 5, 5)],
      [TS_CLOCK_MODULUS + 5, -5],
    );
  });

  /** Moves the PTS and DTS of the PES packet that begins in a transport packet. */
  function shiftStamps(packet: Buffer, shift: number): void {
    const pes = 4 + ((packet.readUInt8(3) & 0x20) === 0 ? 0 : 1 + packet.readUInt8(4));
    if (packet.readUIntBE(pes, 3) !== 1) return;
    const which = packet.readUInt8(pes + 7) >> 6;
    for (const at of which === 3 ? [pes + 9, pes + 14] : which === 2 ? [pes + 9] : []) {
      const high = (packet.readUInt8(at) >> 1) & 7;
      const old = high * 2 ** 30 + (packet.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (packet.readUInt16BE(at + 3) >> 1);
      const now = (((old + shift) % TS_CLOCK_MODULUS) + TS_CLOCK_MODULUS) % TS_CLOCK_MODULUS;
      packet.writeUInt8((packet.readUInt8(at) & 0xf0) | (Math.floor(now / 2 ** 30) << 1) | 1, at);
      packet.writeUInt16BE(((Math.floor(now / 2 ** 15) & 0x7fff) << 1) | 1, at + 1);
      packet.writeUInt16BE(((now & 0x7fff) << 1) | 1, at + 3);
    }
  }

  test('an ADTS frame may go over several PES packets', () => {
    const bytes = makePushedSegments({ container: 'ts', video: null, audio: AAC, seconds: 1 }).segments[0];
    assert.ok(bytes !== undefined);
    const whole = readTransportStream(bytes);
    const parts = Array.from({ length: bytes.length / TS_PACKET_BYTES }, (_, index) =>
      Buffer.from(bytes.subarray(index * TS_PACKET_BYTES, (index + 1) * TS_PACKET_BYTES)),
    );
    // Frames are cut in two: the time stamps of the second PES packet are then those of the frame that begins inside it.
    const starts = parts.filter((packet) => pidOf(packet) !== 0 && isStart(packet) && pidOf(packet) === 0x100);
    const payloads = readPesPayloads(parts, 0x100);
    assert.ok(starts.length >= 2 && payloads.length === starts.length);
    const [one, two] = payloads;
    assert.ok(one !== undefined && two !== undefined);
    const moved = [
      Buffer.concat([one.header, one.data.subarray(0, -50)]),
      Buffer.concat([two.header, one.data.subarray(-50), two.data]),
      ...payloads.slice(2).map(({ header, data }) => Buffer.concat([header, data])),
    ];
    const tables = parts.filter((packet) => pidOf(packet) !== 0x100);
    const read = readTransportStream(Buffer.concat([...tables, ...moved.flatMap((pes) => toPackets(pes, 0x100))]));
    assert.deepEqual(read.audio, whole.audio);
  });

  function readPesPayloads(
    parts: readonly Buffer[],
    pid: number,
  ): readonly { readonly header: Buffer; readonly data: Buffer }[] {
    const whole: Buffer[][] = [];
    for (const packet of parts.filter((one) => pidOf(one) === pid)) {
      const at = 4 + ((packet.readUInt8(3) & 0x20) === 0 ? 0 : 1 + packet.readUInt8(4));
      if (isStart(packet)) whole.push([]);
      whole.at(-1)?.push(packet.subarray(at));
    }
    return whole.map((chunks) => {
      const bytes = Buffer.concat(chunks);
      const header = Buffer.from(bytes.subarray(0, 9 + bytes.readUInt8(8)));
      header.writeUInt16BE(0, 4);
      return { header, data: bytes.subarray(header.length) };
    });
  }

  let counter = 0;
  /** Transport packets of a PES packet, stuffed in an adaptation field. */
  function toPackets(pes: Buffer, pid: number): readonly Buffer[] {
    return Array.from({ length: Math.ceil(pes.length / 184) }, (_, index) => {
      const data = pes.subarray(index * 184, (index + 1) * 184);
      const packet = Buffer.alloc(TS_PACKET_BYTES, 0xff);
      const stuffing = 184 - data.length;
      packet.writeUInt8(0x47, 0);
      packet.writeUInt16BE((index === 0 ? 0x4000 : 0) | pid, 1);
      packet.writeUInt8((stuffing === 0 ? 0x10 : 0x30) | (counter++ & 15), 3);
      if (stuffing > 0) packet.writeUInt8(stuffing - 1, 4);
      if (stuffing > 1) packet.writeUInt8(0, 5);
      packet.set(data, 4 + stuffing);
      return packet;
    });
  }

  test('a codec that is not kept is named when nothing else is there, and passed over otherwise', () => {
    const mpeg2 = { container: 'ts', video: '-c:v mpeg2video -g 25' } as const;
    const alone = makePushedSegments({ ...mpeg2, audio: null, seconds: 1 });
    assert.throws(() => readTransportStream(alone.segments[0] ?? new Uint8Array()), {
      code: 'unsupported_media',
      message: /Got MPEG-2 video; set the encoder/,
    });
    const beside = makePushedSegments({ ...mpeg2, audio: AAC, seconds: 1 });
    const read = readTransportStream(beside.segments[0] ?? new Uint8Array());
    assert.equal(read.video, null);
    assert.ok(read.audio !== null);
    assert.match(read.faults.join(), /^PID 256, MPEG-2 video, was passed over\.$/);
  });

  test('what is no MPEG-TS, and what is too much, is refused', () => {
    assert.throws(() => readTransportStream(new Uint8Array()), { code: 'corrupt_media' });
    assert.throws(() => readTransportStream(Buffer.alloc(1000, 'G')), { code: 'corrupt_media' });
    assert.throws(() => readTransportStream(Buffer.from('#EXTM3U')), /no MPEG-TS segment with its tables/);
    const limited = (limits: Partial<typeof DEMUX_LIMITS>) => () =>
      readTransportStream(segment, { ...DEMUX_LIMITS, ...limits });
    for (const limits of [{ maxBytes: 1000 }, { maxPictures: 3 }, { maxAudioFrames: 3 }]) {
      assert.throws(limited(limits), { code: 'payload_too_large' });
    }
  });

  test('a segment that begins without a key frame says so when it is repackaged', () => {
    const parts = packets();
    const second = parts.findIndex((packet, index) => index > 4 && pidOf(packet) === 0x100 && isStart(packet));
    const late = parts.filter((packet, index) => index > second || pidOf(packet) !== 0x100);
    assert.throws(() => readTransportStream(Buffer.concat(late)), /There is no SPS in the segment/);
    const { video } = clean;
    assert.ok(video !== null);
    const media = { ...clean, video: { ...video, samples: video.samples.slice(1) } };
    const place = { sequenceNumber: 0, originPts90k: firstPts90k(media), nextPts90k: null, audioGridSamples: null };
    const made = repackage(media, place);
    assert.deepEqual([made.startsWithKeyframe, made.hasKeyframe], [false, false]);
    assert.throws(() => repackage(clean, { ...place, originPts90k: place.originPts90k + 90_000_000 }), {
      code: 'out_of_range',
    });
    assert.equal(probePackets([made.init, made.bytes], 'v').length, video.samples.length - 1);
  });

  test('damaged segments are read as something or refused, in all', () => {
    const damage = fc.array(
      fc.tuple(
        fc.constantFrom('set', 'cut', 'insert'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat({ max: 255 }),
      ),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(damage, (changes) => {
        let bytes = Buffer.from(segment);
        for (const [kind, place, value] of changes) {
          // Near the start are tables and headers; the square hits them more often.
          const at = Math.floor(place * place * (bytes.length - 1));
          if (kind === 'set') bytes.writeUInt8(value, at);
          else if (kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + value)]);
          else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(value, value), bytes.subarray(at)]);
          if (bytes.length < 2) return;
        }
        try {
          const media = readTransportStream(bytes);
          assert.ok(media.faults.length < 32);
          repackage(media, {
            sequenceNumber: 1,
            originPts90k: firstPts90k(media),
            nextPts90k: null,
            audioGridSamples: null,
          });
        } catch (error) {
          assert.ok(isZoetropeError(error), String(error));
          assert.match(error.code, /^(corrupt_media|unsupported_media|out_of_range)$/);
        }
      }),
      { numRuns: 1500, seed: 1871 },
    );
  });
});
