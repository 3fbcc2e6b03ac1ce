import type { Cue, SplitSubtitles } from '../../transcoder.ts';
import { cueText } from './cue-text.ts';
import type { SourcePacket } from './source-packet.ts';

/** How long a caption stays that does not say so, if none follows. */
const UNKNOWN_MS = 5000;
/** A result is a row: what would not fit there is no caption track. */
const MAX_CUES = 50_000;
const MAX_CHARACTERS = 4 << 20;

/** Collects the captions of one text track as cues. */
export class CaptionSplitter {
  readonly #track: number;
  readonly #codec: string;
  readonly #cues: { readonly startMs: number; readonly endMs: number | null; readonly text: string }[] = [];
  #characters = 0;
  #left = 0;

  constructor(track: number, codec: string) {
    this.#track = track;
    this.#codec = codec;
  }

  /** Adds a packet; `time90k` is when it is to be seen, from time 0. */
  add(packet: SourcePacket, time90k: number): void {
    const text = cueText(this.#codec, packet.data);
    const startMs = Math.max(0, Math.round(time90k / 90));
    const endMs = packet.duration90k > 0 ? Math.round((time90k + packet.duration90k) / 90) : null;
    if (endMs !== null && endMs <= startMs) return;
    if (this.#cues.length >= MAX_CUES || this.#characters + text.length > MAX_CHARACTERS) {
      this.#left += 1;
      return;
    }
    this.#characters += text.length;
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
