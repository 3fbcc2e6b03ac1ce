import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { isIdr, makeTestVideo, type TestVideo } from '../../../test/fixtures/access-units.ts';
import { readInit, type InitInfo } from '../cmaf/init-reader.ts';
import { writeInitSegment } from '../cmaf/init-writer.ts';
import { annexBToLengthPrefixed, joinLengthPrefixed } from '../h264/nal.ts';
import type { TsSample } from './elementary-stream.ts';
import { TS_CLOCK_MODULUS, TS_LEAD_90K, TS_PACKET_BYTES } from './pes.ts';
import { writeTsSegment } from './ts-writer.ts';

describe('MPEG-TS', () => {
  let directory: string;
  let video: TestVideo;
  let track: InitInfo;
  let samples: readonly TsSample[];

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'zoetrope-ts-'));
    video = makeTestVideo({ frames: 18 });
    track = readInit(writeInitSegment({ codec: 'avc1', ...video }));
    samples = video.accessUnits.map((unit) => ({
      data: annexBToLengthPrefixed(unit),
      duration: 450_000,
      isSync: isIdr(unit),
    }));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** Three segments of six pictures. */
  function segments(speed: number, baseTime90k: number): readonly Uint8Array[] {
    return [0, 1, 2].map((index) =>
      writeTsSegment({
        track,
        sequenceNumber: 14 + index,
        baseTime: baseTime90k + index * 6 * 450_000,
        samples: samples.slice(index * 6, index * 6 + 6),
        speed,
      }),
    );
  }

  test('ffmpeg decodes consecutive segments without a complaint, at exact times', () => {
    const file = join(directory, 'joined.ts');
    writeFileSync(file, Buffer.concat(segments(1, 900_000)));
    const args = ['-v', 'debug', '-i', file, '-f', 'null', '-'];
    const { stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
    const complaints = stderr
      .split('\n')
      .filter((line) => /continuity|corrupt|mismatch|invalid data|error while/i.test(line));
    assert.deepEqual(complaints, []);
    const probed = execFileSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'packet=pts,dts,flags', '-of', 'csv=p=0', file],
      { encoding: 'utf8' },
    );
    const lines = probed.split(/\n+/).filter((line) => line !== '');
    assert.equal(lines.length, 18);
    for (const [index, line] of lines.entries()) {
      const expected = 900_000 + index * 450_000 + TS_LEAD_90K;
      assert.ok(line.startsWith(`${expected},${expected},${index % 6 === 0 ? 'K' : '_'}`), line);
    }
  });

  test('speed divides times, and consecutive segments stay in step', () => {
    const file = join(directory, 'fast.ts');
    writeFileSync(file, Buffer.concat(segments(7, 10)));
    const probed = execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts', '-of', 'csv=p=0', file], {
      encoding: 'utf8',
    });
    assert.deepEqual(
      probed
        .split(/\n+/)
        .filter((line) => line !== '')
        .map((line) => Number.parseInt(line, 10)),
      samples.map((_, index) => Math.round((10 + index * 450_000) / 7) + TS_LEAD_90K),
    );
  });

  test('time stamps wrap at 33 bits', () => {
    const [segment] = segments(1, TS_CLOCK_MODULUS - TS_LEAD_90K - 450_000);
    const stamps = readPackets(segment ?? new Uint8Array()).flatMap((packet) => packet.pts ?? []);
    assert.deepEqual(stamps.slice(0, 3), [TS_CLOCK_MODULUS - 450_000, 0, 450_000]);
  });

  test('reordered pictures get both time stamps', () => {
    const reordered = samples.slice(0, 2).map((sample, index) => ({ ...sample, compositionOffset: index * 900 }));
    const bytes = writeTsSegment({
      track,
      sequenceNumber: 0,
      baseTime: 0,
      samples: reordered,
      speed: 1,
    });
    const stamps = readPackets(bytes).flatMap((packet) => packet.pts ?? []);
    assert.deepEqual(stamps, [TS_LEAD_90K, TS_LEAD_90K + 450_900]);
  });

  test('whatever the sizes: whole packets, every byte carried, counters that go on in the next segment', () => {
    const size = fc.oneof(fc.integer({ min: 10, max: 60 }), fc.integer({ min: 60, max: 4000 }));
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 7 }), fc.nat(), (sizes, sequenceNumber) => {
        const made = sizes.map((length, index) => ({
          data: joinLengthPrefixed([Uint8Array.from({ length }, (_, at) => (at === 0 ? 0x41 : 0x80 | (at & 0x7f)))]),
          duration: 90,
          isSync: index === 0,
        }));
        const bytes = writeTsSegment({ track, sequenceNumber, baseTime: 0, samples: made, speed: 1 });
        assert.equal(bytes.length % TS_PACKET_BYTES, 0);
        const packets = readPackets(bytes);
        const pictures = packets.filter((packet) => packet.pid === 0x100);
        assert.equal(pictures.length % 16, 0);
        pictures.forEach((packet, index) => assert.equal(packet.counter, index & 15));
        assert.deepEqual(
          packets.filter((packet) => packet.pid !== 0x100).map((packet) => packet.counter),
          [sequenceNumber & 15, sequenceNumber & 15],
        );
        const carried = Buffer.concat(pictures.map((packet) => packet.payload));
        for (const sample of made) assert.ok(carried.includes(sample.data.subarray(4)));
        assert.ok(pictures.every((packet) => packet.payload.length > 0));
      }),
    );
  });

  test('a bad sample is corrupt_media', () => {
    const bad = [{ data: Uint8Array.from([0, 0, 0, 9, 1]), duration: 1, isSync: true }];
    const write = (speed: number) => () =>
      writeTsSegment({ track, sequenceNumber: 0, baseTime: 0, samples: bad, speed });
    assert.throws(write(1), { code: 'corrupt_media' });
    assert.throws(write(0), { code: 'invalid_argument' });
  });
});

interface ReadPacket {
  readonly pid: number;
  readonly counter: number;
  readonly payload: Uint8Array;
  readonly pts: number | null;
}

/** A second reading of the standard, for the tests alone. */
function readPackets(bytes: Uint8Array): readonly ReadPacket[] {
  const packets: ReadPacket[] = [];
  for (let at = 0; at < bytes.length; at += TS_PACKET_BYTES) {
    const packet = Buffer.from(bytes.subarray(at, at + TS_PACKET_BYTES));
    assert.equal(packet.readUInt8(0), 0x47);
    const pid = packet.readUInt16BE(1) & 0x1fff;
    const control = packet.readUInt8(3);
    const fieldBytes = (control & 0x20) === 0 ? 0 : 1 + packet.readUInt8(4);
    const payload = packet.subarray(4 + fieldBytes);
    const isStart = (packet.readUInt8(1) & 0x40) !== 0;
    packets.push({ pid, counter: control & 15, payload, pts: pid === 0x100 && isStart ? readPts(payload) : null });
  }
  return packets;
}

function readPts(pes: Buffer): number {
  const high = (pes.readUInt8(9) >> 1) & 7;
  return high * 2 ** 30 + (pes.readUInt16BE(10) >> 1) * 2 ** 15 + (pes.readUInt16BE(12) >> 1);
}
