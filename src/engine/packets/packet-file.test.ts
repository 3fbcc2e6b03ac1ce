import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isZoetropeError } from '../../base/errors.ts';
import { PacketFileWriter, readPacketFile, type PacketFileHeader, type StoredPacket } from './packet-file.ts';

const header: PacketFileHeader = {
  timeBase: { num: 1, den: 90_000 },
  parameters: {
    kind: 'video',
    codec: 'h264',
    codecId: 27,
    codecTag: 0,
    extradata: new Uint8Array([1, 2, 255]),
    profile: 100,
    level: 31,
    format: 0,
    bitRate: 0,
    bitsPerCodedSample: 24,
    bitsPerRawSample: 8,
    video: {
      width: 160,
      height: 120,
      sampleAspectRatio: { num: 1, den: 1 },
      frameRate: { num: 25, den: 1 },
      colorRange: 1,
      colorPrimaries: 1,
      colorTrc: 1,
      colorSpace: 1,
      chromaLocation: 1,
      fieldOrder: 1,
      videoDelay: 2,
    },
    audio: null,
  },
};

const bytes = fc.uint8Array({ maxLength: 300 }).map((values) => Uint8Array.from(values));
const time = fc.option(fc.maxSafeInteger());
const packet: fc.Arbitrary<StoredPacket> = fc.record({
  pts: time,
  dts: time,
  duration: fc.nat(),
  flags: fc.nat({ max: 0xffff }),
  data: bytes,
  sideData: fc.array(fc.record({ type: fc.nat({ max: 60 }), data: bytes }), { maxLength: 3 }),
});

test('what was written is read', () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 8 }), (packets) => {
      const file = readPacketFile(write(packets));
      assert.deepEqual({ ...file, packets: file.packets.map(plain) }, { ...header, packets: packets.map(plain) });
    }),
  );
});

test('a file without extradata is read', () => {
  const bare = { ...header, parameters: { ...header.parameters, extradata: null } };
  assert.equal(readPacketFile(new PacketFileWriter(bare).finish()).parameters.extradata, null);
});

test('a damaged file is refused or read, and nothing else happens', () => {
  const whole = write([
    {
      pts: 1,
      dts: null,
      duration: 2,
      flags: 1,
      data: new Uint8Array(40),
      sideData: [{ type: 1, data: new Uint8Array(9) }],
    },
  ]);
  const damage = fc.array(fc.record({ at: fc.nat({ max: whole.length - 1 }), value: fc.nat({ max: 255 }) }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(damage, fc.nat({ max: whole.length }), (changes, length) => {
      const copy = Uint8Array.from(whole).subarray(0, length);
      for (const { at, value } of changes) if (at < length) copy[at] = value;
      try {
        readPacketFile(copy);
      } catch (error) {
        if (!isZoetropeError(error, 'corrupt_media')) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

function write(packets: readonly StoredPacket[]): Uint8Array {
  const writer = new PacketFileWriter(header);
  for (const one of packets) writer.add(one);
  const file = writer.finish();
  assert.equal(file.length, writer.sizeBytes);
  return file;
}

function plain(one: StoredPacket): unknown {
  return { ...one, data: [...one.data], sideData: one.sideData.map(({ type, data }) => ({ type, data: [...data] })) };
}
