import { END_LIST, renderHead, renderSegment, type PlaylistHead, type PlaylistSegment } from './media-playlist.ts';

/** Lines that are joined at once as they leave the tail. */
const BLOCK_LINES = 128;

interface Line {
  readonly text: string;
  readonly durationS: number;
}

/**
 * A playlist that only grows (RFC 8216bis §4.4.3.5, EVENT). A segment is rendered once; of those beyond the reach of delta updates only the text is kept,
 * so that a recording of weeks takes little more memory than what is sent of it.
 */
export class EventPlaylist {
  /** What has left the tail, and how many segments that is. */
  #sealed = '';
  #sealedCount = 0;
  #tail: Line[] = [];
  #tailS = 0;
  #last: PlaylistSegment | null = null;

  /** Segments listed. */
  get count(): number {
    return this.#sealedCount + this.#tail.length;
  }

  /** Bytes of its text, roughly. */
  get sizeBytes(): number {
    return this.#sealed.length + this.#tail.reduce((sum, line) => sum + line.text.length, 0);
  }

  /** Adds a segment at the end. The newest `keepS` seconds stay within the reach of delta updates. */
  append(segment: PlaylistSegment, keepS: number): void {
    this.#tail.push({ text: renderSegment(segment, this.#last), durationS: segment.durationS });
    this.#tailS += segment.durationS;
    this.#last = segment;
    if (this.#tail.length >= 2 * BLOCK_LINES) this.#seal(keepS);
  }

  /** The whole playlist. */
  full(head: PlaylistHead, isEnded: boolean): string {
    const tail = this.#tail.map(({ text }) => text).join('');
    return renderHead(head) + this.#sealed + tail + (isEnded ? END_LIST : '');
  }

  /** A Playlist Delta Update (RFC 8216bis §6.2.5.1), as {@link SlidingPlaylist.delta}. Null: the full playlist is to be sent. */
  delta(head: PlaylistHead & { readonly canSkipUntilS: number }): string | null {
    let keptS = 0;
    let first = this.#tail.length;
    while (first > 0 && keptS < head.canSkipUntilS) keptS += this.#tail[--first]?.durationS ?? 0;
    const skipped = this.#sealedCount + first;
    if (skipped === 0 || keptS < head.canSkipUntilS) return null;
    const texts = this.#tail.slice(first).map(({ text }) => text);
    return `${renderHead(head)}#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n${texts.join('')}`;
  }

  #seal(keepS: number): void {
    const block = this.#tail.slice(0, BLOCK_LINES);
    const blockS = block.reduce((sum, { durationS }) => sum + durationS, 0);
    if (this.#tailS - blockS < keepS) return;
    this.#sealed += block.map(({ text }) => text).join('');
    this.#sealedCount += block.length;
    this.#tail = this.#tail.slice(BLOCK_LINES);
    this.#tailS -= blockS;
  }
}
