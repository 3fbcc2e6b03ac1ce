import type { Cue, SplitSubtitles } from '../../transcoder.ts';
import { cueText } from './cue-text.ts';
import type { SourcePacket } from './source-packet.ts';

/** How long a caption stays that does not say so, if none follows. */
const UNKNOWN_MS = 5000;
/** Nobody reads so much at once. */
const MAX_CUE_BYTES = 16 << 10;

/** What may still be kept of the captions of a file, over all its tracks: a result is a row, and is read again whenever the job is decided about. */
export class CaptionRoom {
  #cues = 50_000;
  #characters = 4 << 20;

  /** Takes room for a caption; false: there is none. */
  take(text: string): boolean {
    if (this.#cues === 0 || this.#characters < text.length) return false;
    this.#cues -= 1;
    this.#characters -= text.length;
    return true;
  }
}

/** Collects the captions of one text track as cues. */
export class CaptionSplitter {
  readonly #track: number;
  readonly #codec: string;
  readonly #cues: { readonly startMs: number; readonly endMs: number | null; readonly text: string }[] = [];
  readonly #room: CaptionRoom;
  #left = 0;

  constructor(track: number, codec: string, room: CaptionRoom) {
    this.#track = track;
    this.#codec = codec;
    this.#room = room;
  }

  /** Adds a packet; `time90k` is when it is to be seen, from time 0. */
  add(packet: SourcePacket, time90k: number): void {
    const isTooLong = packet.data.length > MAX_CUE_BYTES;
    const text = isTooLong ? '' : cueText(this.#codec, packet.data);
    const startMs = Math.max(0, Math.round(time90k / 90));
    const endMs = packet.duration90k > 0 ? Math.round((time90k + packet.duration90k) / 90) : null;
    if (endMs !== null && endMs <= startMs) return;
    if (isTooLong || !this.#room.take(text)) {
      this.#left += 1;
      return;
    }
    this.#cues.push({ startMs, endMs, text });
  }

  finish(): SplitSubtitles {
    const sorted = this.#cues.toSorted((a, b) => a.startMs - b.startMs || (a.endMs ?? 0) - (b.endMs ?? 0));
    const cues = sorted.flatMap(({ startMs, endMs, text }, index): readonly Cue[] => {
      if (text === '') return [];
      const following = sorted.slice(index + 1, index + 50).find((cue) => cue.startMs > startMs);
      return [{ startMs, endMs: endMs ?? Math.min(following?.startMs ?? Infinity, startMs + UNKNOWN_MS), text }];
    });
    return { track: this.#track, cues };
  }

  get warnings(): readonly string[] {
    return this.#left === 0 ? [] : [`Track ${this.#track} holds too much text; ${this.#left} captions were left out.`];
  }
}
