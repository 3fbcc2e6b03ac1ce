import { ZoetropeError } from '../../../base/errors.ts';
import type { ObjectStore } from '../../../objects/object-store.ts';
import { readPacketFile, type PacketFile, type StoredPacket } from '../../packets/packet-file.ts';
import type { EncodeAudioRequest } from '../../transcoder.ts';
import type { Progress } from '../transcode-context.ts';
import { sourceStretch, type Stretch } from './resample.ts';
import { SoundDecoder, type DecodedSound } from './sound-decoder.ts';
import { SoundTimeline } from './sound-timeline.ts';

/** Decoded before the stretch, for decoders to find their feet: overlapping windows, MP3's bit reservoir, Opus' prediction. */
const PREROLL_S = 0.5;

/** Decodes what an output stretch needs, each sample in the place that the split gave it. @throws corrupt_media when nothing of it decodes */
export async function decodeStretch(
  { source, parts, spec }: EncodeAudioRequest,
  stretch: Stretch,
  objects: ObjectStore,
  progress: Progress,
): Promise<SoundTimeline> {
  const files: PacketFile[] = [];
  for (const key of parts) files.push(readPacketFile(await objects.get(key)));
  const wanted = sourceStretch(stretch, spec.sampleRateHz, source.sampleRateHz);
  const [first] = files;
  if (first === undefined) return silence(source.sampleRateHz, spec.channels, wanted);
  const packets = files
    .flatMap((file) => file.packets)
    .filter((packet) => isNeeded(packet, wanted, source.sampleRateHz));
  using decoder = new SoundDecoder(first, spec.channels);
  let timeline: SoundTimeline | undefined;
  const place = ({ position, samples, planes }: DecodedSound): void => {
    timeline ??= silence(
      decoder.sampleRateHz,
      spec.channels,
      sourceStretch(stretch, spec.sampleRateHz, decoder.sampleRateHz),
    );
    timeline.place(position, samples, planes);
  };
  for (const [index, packet] of packets.entries()) {
    decoder.decode(packet, place);
    await progress.at(index / packets.length / 2);
  }
  decoder.decode(null, place);
  if (timeline === undefined && packets.length > 0) {
    throw new ZoetropeError(
      'corrupt_media',
      `Nothing of the sound of track ${source.track} around ${Math.round(wanted.from / source.sampleRateHz)} s can be decoded.`,
    );
  }
  return timeline ?? silence(source.sampleRateHz, spec.channels, wanted);
}

function isNeeded({ pts, duration }: StoredPacket, { from, to }: Stretch, sampleRateHz: number): boolean {
  const position = pts ?? 0;
  const preroll = PREROLL_S * sampleRateHz;
  return position + duration > from - preroll && position < to + preroll / 2;
}

function silence(sampleRateHz: number, channels: number, stretch: Stretch): SoundTimeline {
  return new SoundTimeline({ sampleRateHz, channels, ...stretch });
}
