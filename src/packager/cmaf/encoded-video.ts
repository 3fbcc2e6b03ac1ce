import { ZoetropeError } from '../../base/errors.ts';
import type { VideoCodec } from '../../timeline/asset.ts';
import { av1Sample, sequenceHeaderOf } from '../av1/obu.ts';
import { parseSequenceHeader } from '../av1/sequence-header.ts';
import type { Colour } from '../bits/colour.ts';
import { annexBToLengthPrefixed, parameterSetsOf } from '../h264/nal.ts';
import { parseSps } from '../h264/sps.ts';
import { hevcAnnexBToSample, hevcParameterSetsOf } from '../hevc/nal.ts';
import { parseHevcSps } from '../hevc/sps.ts';
import { vp9ConfigurationOf } from '../vp9/configuration.ts';
import { parseVp9KeyFrame } from '../vp9/frame-header.ts';
import type { VideoTrack } from './init-track.ts';

/** What an encoder gives out. */
export interface EncodedVideo {
  readonly codec: VideoCodec;
  /** Parameter sets or sequence header, if the encoder gives any apart from its packets. */
  readonly extradata: Uint8Array | null;
  /** The first packet, a key frame. It says what the extradata do not. */
  readonly keyFrame: Uint8Array;
  /** Pictures a second: VP9's level depends on it. */
  readonly frameRate: number;
  /** Left out: as the stream says. */
  readonly colour?: Colour;
}

/** The track that an encoder's packets make up, for its init segment. @throws corrupt_media when its headers are missing or bad */
export function videoTrackOf(video: EncodedVideo): VideoTrack {
  const { codec, keyFrame, frameRate } = video;
  const headers = video.extradata !== null && video.extradata.length > 0 ? video.extradata : keyFrame;
  const colour = video.colour === undefined ? {} : { colour: video.colour };
  switch (codec) {
    case 'h264': {
      const { sps, pps } = parameterSetsOf(headers);
      return { codec: 'avc1', sps, pps, ...sizeOf(parseSps(sps)), ...colour };
    }
    case 'hevc': {
      const { vps, sps, pps } = hevcParameterSetsOf(headers);
      return { codec: 'hvc1', vps, sps, pps, ...sizeOf(parseHevcSps(sps)), ...colour };
    }
    case 'vp9': {
      const configuration = vp9ConfigurationOf(keyFrame, { frameRate, ...colour });
      return { codec: 'vp09', configuration, ...sizeOf(parseVp9KeyFrame(keyFrame)), ...colour };
    }
    case 'av1': {
      const header = sequenceHeaderOf(headers);
      return {
        codec: 'av01',
        sequenceHeader: header.bytes,
        ...sizeOf(parseSequenceHeader(header.payload)),
        ...colour,
      };
    }
  }
}

/** An encoder's packet as its track's samples are: without what the init segment says. @throws corrupt_media when nothing remains */
export function videoSampleOf(codec: VideoCodec, packet: Uint8Array): Uint8Array {
  switch (codec) {
    case 'h264':
      return annexBToLengthPrefixed(packet);
    case 'hevc':
      return hevcAnnexBToSample(packet);
    case 'vp9':
      if (packet.length === 0)
        throw new ZoetropeError('corrupt_media', 'A VP9 packet is empty; encode the media again.');
      return packet;
    case 'av1':
      return av1Sample(packet);
  }
}

function sizeOf({ width, height }: { readonly width: number; readonly height: number }): {
  readonly width: number;
  readonly height: number;
} {
  return { width, height };
}
