import { AAC_PACKET_SAMPLES } from '../../../packager/aac/audio-specific-config.ts';
import type { SampleEntry } from '../../../packager/mp4/movie-track.ts';
import { AacEncoder } from '../audio/aac-encoder.ts';
import type { SourceSound } from './clip-source.ts';
import type { ClipTracks } from './clip-tracks.ts';

/** A stretch of the source that is in the clip, and where. Ticks. */
export interface Placed {
  readonly start: number;
  readonly end: number;
  /** Of its start, from the clip's start. */
  readonly out: number;
}

/** Packets that lie together in a segment, or silence that was made. */
export interface SoundRun {
  /** Place of the segment in the request; null: made. */
  readonly segment: number | null;
  readonly samples: readonly SampleEntry[];
}

/** The sound of a clip. */
export interface ClipSound {
  readonly init: Uint8Array;
  readonly timescale: number;
  /** Samples before the clip's start, which decoders need to begin. */
  readonly leadSamples: number;
  readonly runs: readonly SoundRun[];
  /** One packet of silence: what runs of no segment consist of. */
  readonly silence: Uint8Array;
}

const SILENCE_BITS_PER_S = 64_000;
const SILENT_PACKETS = 4;

/**
 * Lays packets of sound behind each other so that none is further from its place than half a packet: where there are none silence is put, where there
 * are too many one is left out. Errors do not add up. Packets of other parameters than the first's are silence too: a track has one sound.
 * Null when there is no sound at all.
 */
export function layOutSound(
  sounds: readonly SourceSound[],
  stretches: readonly Placed[],
  tracks: ClipTracks,
): ClipSound | null {
  const [first] = sounds;
  if (first === undefined) return null;
  const info = tracks.audio(first.init);
  const packetSamples = first.samples;
  const perTick = info.sampleRateHz / 90_000;
  const silence = silentPacket(info.sampleRateHz, info.channels);
  const layer = new SoundLayer(packetSamples, silence.length);
  const packetTicks = packetSamples / perTick;
  let next = 0;
  for (const { start, end, out } of stretches) {
    // One packet earlier than what is heard, for a decoder's overlap.
    const from = layer.isEmpty ? start - packetTicks : start;
    while (next < sounds.length && (sounds[next]?.at ?? 0) + packetTicks <= from) next++;
    for (let sound = sounds[next]; sound !== undefined && sound.at < end; sound = sounds[++next]) {
      const isSame = sound.samples === packetSamples && isSameSound(tracks, sound.init, first.init);
      if (isSame) layer.put(sound, Math.round((out + sound.at - start) * perTick));
    }
    layer.fill(Math.round((out + end - start) * perTick));
  }
  if (!layer.hasSound) return null;
  return {
    init: tracks.initOf(first.init, 'audio'),
    timescale: info.sampleRateHz,
    leadSamples: layer.lead,
    runs: layer.runs,
    silence,
  };
}

class SoundLayer {
  readonly runs: { readonly segment: number | null; readonly samples: SampleEntry[] }[] = [];
  /** How far before the clip's start the first packet begins. */
  lead = 0;
  hasSound = false;
  readonly #packetSamples: number;
  readonly #silenceBytes: number;
  #at: number | null = null;

  constructor(packetSamples: number, silenceBytes: number) {
    this.#packetSamples = packetSamples;
    this.#silenceBytes = silenceBytes;
  }

  get isEmpty(): boolean {
    return this.#at === null;
  }

  /** Puts a packet where it belongs, or leaves it out where another lies already. */
  put({ segment, offset, size }: SourceSound, at: number): void {
    if (this.#at === null && at <= 0) {
      this.lead = -at;
      this.#at = at;
    }
    this.fill(at - this.#packetSamples / 2);
    const place = this.#at ?? 0;
    if (place - at > this.#packetSamples / 2) return;
    this.#add(segment, offset, size);
    this.hasSound = true;
  }

  /** Silence up to a place. */
  fill(to: number): void {
    this.#at ??= 0;
    while (this.#at < to) this.#add(null, 0, this.#silenceBytes);
  }

  #add(segment: number | null, offset: number, size: number): void {
    const sample = { offset, size, duration: this.#packetSamples, isSync: true, compositionOffset: 0 };
    const last = this.runs.at(-1);
    if (last !== undefined && last.segment === segment) last.samples.push(sample);
    else this.runs.push({ segment, samples: [sample] });
    this.#at = (this.#at ?? 0) + this.#packetSamples;
  }
}

function isSameSound(tracks: ClipTracks, a: number, b: number): boolean {
  return a === b || Buffer.compare(tracks.audio(a).audioConfig, tracks.audio(b).audioConfig) === 0;
}

/** A packet of AAC-LC that is silent whatever comes before it. */
function silentPacket(sampleRateHz: number, channels: number): Uint8Array {
  using encoder = new AacEncoder({ sampleRateHz, channels, bitsPerS: SILENCE_BITS_PER_S });
  const planes = Array.from({ length: channels }, () => new Float32Array(AAC_PACKET_SAMPLES));
  const packets = Array.from({ length: SILENT_PACKETS }, (_, index) =>
    encoder.encode(index * AAC_PACKET_SAMPLES, planes),
  );
  return packets.flat().at(-1)?.data ?? new Uint8Array();
}
