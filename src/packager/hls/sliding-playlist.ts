import { END_LIST, renderHead, renderSegment, type PlaylistHead, type PlaylistSegment } from './media-playlist.ts';

/** Segments whose text is kept in one piece. */
const BLOCK_SEGMENTS = 128;

interface Line {
  /** With EXT-X-MAP only where the init segment changes. */
  readonly text: string;
  readonly segment: PlaylistSegment;
}

interface Block {
  readonly lines: Line[];
  /** All lines in one piece; undefined after a change. */
  joined: string | undefined;
}

/**
 * A long playlist that grows at its end and shrinks at its beginning. A segment is rendered once, when it comes; what an update costs does not
 * depend on how many are listed.
 */
export class SlidingPlaylist {
  readonly #blocks: Block[] = [];
  readonly #onRender: () => void;
  #count = 0;

  /** `onRender` is told of every segment that is rendered. */
  constructor(onRender: () => void = () => undefined) {
    this.#onRender = onRender;
  }

  /** Segments listed. */
  get count(): number {
    return this.#count;
  }

  /** Adds a segment at the end. */
  append(segment: PlaylistSegment): void {
    let block = this.#blocks.at(-1);
    const before = block?.lines.at(-1)?.segment ?? null;
    if (block === undefined || block.lines.length >= BLOCK_SEGMENTS) {
      block = { lines: [], joined: undefined };
      this.#blocks.push(block);
    }
    this.#onRender();
    block.lines.push({ text: renderSegment(segment, before), segment });
    block.joined = undefined;
    this.#count++;
  }

  /** Takes `count` segments from the beginning. */
  retire(count: number): void {
    let left = Math.min(count, this.#count);
    this.#count -= left;
    while (left > 0) {
      const block = this.#blocks[0];
      if (block === undefined) return;
      const taken = Math.min(left, block.lines.length);
      block.lines.splice(0, taken);
      block.joined = undefined;
      if (block.lines.length === 0) this.#blocks.shift();
      left -= taken;
    }
  }

  /** The whole playlist. */
  full(head: PlaylistHead, isEnded = false): string {
    const first = this.#blocks[0]?.lines[0];
    if (first === undefined) return renderHead(head) + (isEnded ? END_LIST : '');
    // The first segment needs its EXT-X-MAP, which may have left with an older one.
    const opening = renderSegment(first.segment, null);
    const parts = this.#blocks.map((block) => (block.joined ??= block.lines.map((line) => line.text).join('')));
    parts[0] = opening + (parts[0] ?? '').slice(first.text.length);
    return renderHead(head) + parts.join('') + (isEnded ? END_LIST : '');
  }

  /**
   * A Playlist Delta Update (RFC 8216bis §6.2.5.1): segments that end before the last `canSkipUntilS` seconds are replaced by EXT-X-SKIP.
   * Null when there is none to leave out: the full playlist is to be sent.
   */
  delta(head: PlaylistHead & { readonly canSkipUntilS: number }, isEnded = false): string | null {
    const texts: string[] = [];
    let keptS = 0;
    for (let index = this.#blocks.length - 1; index >= 0 && keptS < head.canSkipUntilS; index--) {
      const lines = this.#blocks[index]?.lines ?? [];
      for (let at = lines.length - 1; at >= 0 && keptS < head.canSkipUntilS; at--) {
        const line = lines[at];
        if (line === undefined) break;
        texts.push(line.text);
        keptS += line.segment.durationS;
      }
    }
    const skipped = this.#count - texts.length;
    if (skipped === 0) return null;
    return `${renderHead(head)}#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n${texts.reverse().join('')}${isEnded ? END_LIST : ''}`;
  }
}
