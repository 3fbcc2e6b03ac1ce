import type { Stream } from 'node-av/lib';
import { AV_PKT_DATA_SKIP_SAMPLES } from 'node-av/constants';
import type { PacketFileHeader } from '../../packets/packet-file.ts';
import type { AudioPart, SplitAudio } from '../../transcoder.ts';
import type { SegmentStore } from '../video/segment-store.ts';
import { PacketSamples } from './packet-samples.ts';
import { PartWriter } from './part-writer.ts';
import type { SourcePacket } from './source-packet.ts';

const PART_S = 10;
/** Time stamps may be off by so much before it counts as a hole or an overlap. */
const JITTER_S = 0.03;
/** Where they are off by so much in the same direction all along, they mean it: pictures would be seen too early or too late. */
const DRIFT_S = 0.01;
const ALL_ALONG_S = 0.25;
/** What lies further before time 0 is not kept: nothing needs it, not even to begin to decode. */
const KEPT_BEFORE_START_S = 1;

/** Where the sound of one track goes. */
export interface AudioSplitterOptions {
  readonly stream: Stream;
  readonly header: PacketFileHeader;
  readonly prefix: string;
  readonly store: SegmentStore;
}

/**
 * Lays the sound of one track down as parts, and decides where each packet's samples go: one after the other as long as the time stamps agree within
 * 30 ms, and within 10 ms in the long run; behind a hole where they jump forward; not at all where they jump back.
 */
export class AudioSplitter implements Disposable {
  readonly #track: number;
  readonly #sampleRateHz: number;
  readonly #channels: number;
  readonly #samples: PacketSamples;
  readonly #writer: PartWriter;
  readonly #parts: AudioPart[] = [];
  #next: number | null = null;
  #end = 0;
  #longest = 0;
  /** Since when time stamps are off by more than {@link DRIFT_S}, and in which direction. */
  #drift: { readonly from: number; readonly sign: number } | null = null;
  #holes = 0;
  #holeSamples = 0;
  #dropped = 0;

  constructor({ stream, header, prefix, store }: AudioSplitterOptions) {
    this.#track = stream.index;
    this.#sampleRateHz = stream.codecpar.sampleRate;
    this.#channels = stream.codecpar.channels;
    this.#samples = new PacketSamples(stream, header);
    this.#writer = new PartWriter(header, prefix, store);
  }

  /** Behind the last sample so far. 90 kHz ticks from time 0. */
  get end90k(): number {
    return (this.#end * 90_000) / this.#sampleRateHz;
  }

  /** Adds a packet; `time90k` is when its first sample is heard, from time 0. */
  async add(packet: SourcePacket, time90k: number | null): Promise<void> {
    const samples = this.#samples.of(packet);
    const position = this.#place(time90k, samples, packet.isNewClock === true);
    if (position === null) return;
    // The first packet of some codecs prepares their decoder alone: the next one's time stamp tells where the sound begins.
    if (samples > 0) this.#next = position + samples;
    const end = position + samples;
    if (end < -KEPT_BEFORE_START_S * this.#sampleRateHz) return;
    const part = this.#parts.at(-1);
    if (part === undefined || position - part.fromSample >= PART_S * this.#sampleRateHz) {
      await this.#writer.close();
      this.#parts.push({ key: this.#writer.key, fromSample: position });
    }
    this.#end = Math.max(this.#end, end - this.#cutAtEnd(packet, samples));
    this.#writer.add({
      pts: position,
      dts: position,
      duration: samples,
      flags: packet.flags,
      data: packet.data,
      sideData: packet.sideData,
    });
  }

  async finish(): Promise<SplitAudio> {
    await this.#writer.close();
    return {
      track: this.#track,
      sampleRateHz: this.#sampleRateHz,
      channels: this.#channels,
      parts: this.#parts,
      endSample: this.#end,
    };
  }

  get warnings(): readonly string[] {
    const seconds = (this.#holeSamples / this.#sampleRateHz).toFixed(2);
    return [
      ...(this.#holes > 0
        ? [
            `The sound of track ${this.#track} is missing in ${this.#holes} places, ${seconds} s in all; there is silence.`,
          ]
        : []),
      ...(this.#dropped > 0
        ? [`${this.#dropped} packets of track ${this.#track} overlapped others in time; they were left out.`]
        : []),
    ];
  }

  [Symbol.dispose](): void {
    this.#samples[Symbol.dispose]();
  }

  /** What of a packet's samples is not to be heard at the end of the track. Some demuxers have taken it off the duration already. */
  #cutAtEnd(packet: SourcePacket, samples: number): number {
    const { atEnd } = skippedSamples(packet);
    this.#longest = Math.max(this.#longest, samples);
    return samples + atEnd > this.#longest ? Math.min(atEnd, samples) : 0;
  }

  /** Where a packet's first sample goes; null: nowhere. */
  #place(time90k: number | null, samples: number, isNewClock: boolean): number | null {
    const said = time90k === null ? null : (time90k * this.#sampleRateHz) / 90_000;
    if (this.#next === null) return Math.round(said ?? 0);
    if (said === null) return this.#next;
    const off = said - this.#next;
    if (!this.#isMeant(off, samples, isNewClock)) return this.#next;
    this.#drift = null;
    if (off < 0) {
      this.#dropped += 1;
      return null;
    }
    this.#holes += 1;
    this.#holeSamples += Math.round(off);
    return Math.round(said);
  }

  /** Whether a time stamp that is off by so many samples is to be followed. */
  #isMeant(off: number, samples: number, isNewClock: boolean): boolean {
    const isOff = Math.abs(off) >= DRIFT_S * this.#sampleRateHz;
    const sign = Math.sign(off);
    if (!isOff) this.#drift = null;
    else if (this.#drift?.sign !== sign) this.#drift = { from: this.#next ?? 0, sign };
    if (Math.abs(off) >= JITTER_S * this.#sampleRateHz) return true;
    const isLasting = this.#drift !== null && (this.#next ?? 0) - this.#drift.from >= ALL_ALONG_S * this.#sampleRateHz;
    // To leave a long packet out would be further off in the other direction.
    return isOff && (isNewClock || isLasting) && (off > 0 || -off > samples / 2);
  }
}

/** What the container wants left out of a packet's samples (`AV_PKT_DATA_SKIP_SAMPLES`: two little-endian counts). */
export function skippedSamples({ sideData }: SourcePacket): { readonly atStart: number; readonly atEnd: number } {
  const skip = sideData.find(({ type }) => type === AV_PKT_DATA_SKIP_SAMPLES)?.data;
  if (skip === undefined || skip.length < 8) return { atStart: 0, atEnd: 0 };
  const view = new DataView(skip.buffer, skip.byteOffset);
  return { atStart: view.getUint32(0, true), atEnd: view.getUint32(4, true) };
}
