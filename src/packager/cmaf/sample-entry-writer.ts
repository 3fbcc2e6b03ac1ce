import { parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import { sequenceHeaderOf } from '../av1/obu.ts';
import { parseSequenceHeader, writeAv1Configuration } from '../av1/sequence-header.ts';
import type { Colour } from '../bits/colour.ts';
import { hasChromaFormat, parseSps } from '../h264/sps.ts';
import { HEVC_NAL } from '../hevc/nal.ts';
import { parseHevcSps } from '../hevc/sps.ts';
import { writeVp9Configuration } from '../vp9/configuration.ts';
import type { BoxWriter } from './box-writer.ts';
import type { AacTrack, AvcTrack, HevcTrack, InitTrack, VideoTrack } from './init-track.ts';

/** Writes a track's sample entry: what a decoder needs before the first sample. @throws corrupt_media on bad codec headers */
export function writeSampleEntry(out: BoxWriter, track: InitTrack): void {
  switch (track.codec) {
    case 'avc1':
      return writeVisual(out, track, parseSps(track.sps).colour, () => writeAvcConfiguration(out, track));
    case 'hvc1':
      return writeVisual(out, track, parseHevcSps(track.sps).colour, () => writeHevcConfiguration(out, track));
    case 'vp09':
      return writeVisual(out, track, track.configuration.colour, () =>
        out.box('vpcC', () => out.bytes(writeVp9Configuration(track.configuration))),
      );
    case 'av01': {
      const info = parseSequenceHeader(sequenceHeaderOf(track.sequenceHeader).payload);
      return writeVisual(out, track, info.colour, () =>
        out.box('av1C', () => out.bytes(writeAv1Configuration(info, track.sequenceHeader))),
      );
    }
    case 'mp4a':
      return writeAudio(out, track);
  }
}

/** VisualSampleEntry (ISO/IEC 14496-12 §12.1.3) with the codec's configuration, `colr` and square pixels. */
function writeVisual(out: BoxWriter, track: VideoTrack, said: Colour | null, configuration: () => void): void {
  const colour = track.colour ?? said;
  out.box(track.codec, () => {
    out.zeros(6);
    out.u16(1);
    out.zeros(16);
    out.u16(track.width);
    out.u16(track.height);
    out.u32(0x480000);
    out.u32(0x480000);
    out.u32(0);
    out.u16(1);
    out.zeros(32);
    out.u16(24);
    out.u16(0xffff);
    configuration();
    if (colour !== null) {
      out.box('colr', () => {
        out.text('nclx');
        out.u16(colour.primaries);
        out.u16(colour.transfer);
        out.u16(colour.matrix);
        out.u8(colour.fullRange ? 0x80 : 0);
      });
    }
    out.box('pasp', () => {
      out.u32(1);
      out.u32(1);
    });
  });
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1). */
function writeAvcConfiguration(out: BoxWriter, track: AvcTrack): void {
  const info = parseSps(track.sps);
  out.box('avcC', () => {
    out.u8(1);
    out.bytes(track.sps.subarray(1, 4));
    out.u8(0xff);
    out.u8(0xe1);
    out.u16(track.sps.length);
    out.bytes(track.sps);
    out.u8(1);
    out.u16(track.pps.length);
    out.bytes(track.pps);
    if (hasChromaFormat(info.profileIdc)) {
      out.u8(0xfc | info.chromaFormatIdc);
      out.u8(0xf8 | (info.bitDepthLuma - 8));
      out.u8(0xf8 | (info.bitDepthChroma - 8));
      out.u8(0);
    }
  });
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1): all parameter sets are here and none in samples. */
function writeHevcConfiguration(out: BoxWriter, track: HevcTrack): void {
  const { profile, ...info } = parseHevcSps(track.sps);
  const nalLengthsInFourBytes = 3;
  const arrayComplete = 0x80;
  out.box('hvcC', () => {
    out.u8(1);
    out.u8((profile.space << 6) | (profile.tier << 5) | profile.idc);
    out.u32(profile.compatibility);
    out.bytes(profile.constraints);
    out.u8(profile.levelIdc);
    out.u16(0xf000);
    out.u8(0xfc);
    out.u8(0xfc | info.chromaFormatIdc);
    out.u8(0xf8 | (info.bitDepthLuma - 8));
    out.u8(0xf8 | (info.bitDepthChroma - 8));
    out.u16(0);
    out.u8((info.subLayers << 3) | (info.temporalIdNested ? 4 : 0) | nalLengthsInFourBytes);
    const sets = [
      [HEVC_NAL.vps, track.vps],
      [HEVC_NAL.sps, track.sps],
      [HEVC_NAL.pps, track.pps],
    ] as const;
    out.u8(sets.length);
    for (const [type, nal] of sets) {
      out.u8(arrayComplete | type);
      out.u16(1);
      out.u16(nal.length);
      out.bytes(nal);
    }
  });
}

/** MP4AudioSampleEntry with its `esds` (ISO/IEC 14496-14 §6.7.2, ISO/IEC 14496-1 §7.2.6). */
function writeAudio(out: BoxWriter, track: AacTrack): void {
  const { sampleRateHz, channels } = parseAudioSpecificConfig(track.audioConfig);
  const aacObjectType = 0x40;
  const audioStream = 0x15;
  const bufferSizeAndBitRates = new Uint8Array(3 + 4 + 4);
  const decoderConfig = Uint8Array.from([
    aacObjectType,
    audioStream,
    ...bufferSizeAndBitRates,
    ...descriptor(5, track.audioConfig),
  ]);
  const elementaryStream = [0, 0, 0, ...descriptor(4, decoderConfig), ...descriptor(6, Uint8Array.of(2))];
  out.box('mp4a', () => {
    out.zeros(6);
    out.u16(1);
    out.zeros(8);
    out.u16(channels);
    out.u16(16);
    out.zeros(4);
    // 16.16 has no room for more; the AudioSpecificConfig says it.
    out.u32(sampleRateHz <= 65_535 ? sampleRateHz * 0x10000 : 0);
    out.fullBox('esds', 0, 0, () => out.bytes(descriptor(3, Uint8Array.from(elementaryStream))));
  });
}

/** A descriptor with its length in four bytes (ISO/IEC 14496-1 §8.3.3). */
function descriptor(tag: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.from([tag, 0x80, 0x80, 0x80 | (payload.length >> 7), payload.length & 0x7f, ...payload]);
}
