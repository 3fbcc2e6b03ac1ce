import { ZoetropeError } from '../../base/errors.ts';
import { readAdts } from '../aac/adts-reader.ts';
import { AAC_PACKET_SAMPLES, parseAudioSpecificConfig } from '../aac/audio-specific-config.ts';
import type { DemuxedAudio, DemuxedFrame, DemuxLimits } from '../demuxed/demuxed-media.ts';
import type { FaultLog } from '../demuxed/fault-log.ts';
import type { ReadPes } from './pes-reader.ts';

/** Where a PES packet's data begin among all sound. */
interface Mark {
  readonly at: number;
  readonly pts90k: number;
}

/** Makes AAC packets of PES packets, which hold several ADTS frames and may end inside one. */
export class AudioPesCollector {
  readonly #faults: FaultLog;
  readonly #unwrap: (stamp: number) => number;
  readonly #limits: DemuxLimits;
  readonly #parts: Uint8Array[] = [];
  readonly #marks: Mark[] = [];
  #length = 0;

  constructor(faults: FaultLog, unwrap: (stamp: number) => number, limits: DemuxLimits) {
    this.#faults = faults;
    this.#unwrap = unwrap;
    this.#limits = limits;
  }

  /** Takes the next PES packet of the stream. */
  take(pes: ReadPes | null): void {
    if (pes === null) return;
    if (pes.pts !== null) this.#marks.push({ at: this.#length, pts90k: this.#unwrap(pes.pts) });
    this.#parts.push(pes.data);
    this.#length += pes.data.length;
  }

  /** All of it; null without a frame. @throws payload_too_large when there are too many, unsupported_media for channels that are no standard layout */
  finish(): DemuxedAudio | null {
    const { maxAudioFrames } = this.#limits;
    const stream = readAdts(Buffer.concat(this.#parts), maxAudioFrames + 1);
    const { audioSpecificConfig, strayBytes, otherFrames } = stream;
    if (strayBytes > 0) this.#faults.note('stray', `${strayBytes} bytes of sound belong to no whole ADTS frame.`);
    if (otherFrames > 0) {
      this.#faults.note(
        'other frames',
        `${otherFrames} ADTS frames have other parameters, or several packets; they were left out.`,
      );
    }
    if (audioSpecificConfig === null || stream.frames.length === 0) return null;
    if (stream.frames.length > maxAudioFrames) {
      throw new ZoetropeError(
        'payload_too_large',
        `A segment may hold ${maxAudioFrames} packets of sound. Got more; cut shorter segments.`,
      );
    }
    const { sampleRateHz, channels } = parseAudioSpecificConfig(audioSpecificConfig);
    const frames = this.#timed(stream.frames, (AAC_PACKET_SAMPLES * 90_000) / sampleRateHz);
    return frames.length === 0 ? null : { codec: 'aac', audioSpecificConfig, sampleRateHz, channels, frames };
  }

  /** A time stamp is that of the first frame that begins in its PES packet (ISO/IEC 13818-1 §2.4.3.7); others follow one another. */
  #timed(
    frames: readonly { readonly offset: number; readonly data: Uint8Array }[],
    frame90k: number,
  ): readonly DemuxedFrame[] {
    const timed: DemuxedFrame[] = [];
    let mark = -1;
    let next90k: number | null = null;
    for (const { offset, data } of frames) {
      let newest = mark;
      while ((this.#marks[newest + 1]?.at ?? Number.POSITIVE_INFINITY) <= offset) newest += 1;
      if (newest > mark) next90k = this.#marks[newest]?.pts90k ?? next90k;
      mark = newest;
      if (next90k === null) continue;
      timed.push({ data, pts90k: next90k });
      next90k += frame90k;
    }
    if (timed.length < frames.length) {
      this.#faults.note(
        'no time',
        `${frames.length - timed.length} packets of sound come before the first time stamp.`,
      );
    }
    return timed;
  }
}
