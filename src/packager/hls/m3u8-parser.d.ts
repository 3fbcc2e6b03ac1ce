/** The line reader of m3u8-parser, which ships no types: as much as is used. Numbers are NaN where the text holds none. */
declare module 'm3u8-parser' {
  /** What a line says. The fields depend on `tagType`. */
  export interface LineEvent {
    readonly type: 'tag' | 'uri' | 'comment' | 'custom';
    /** The tag's name in lower case without `#EXT-X-`; undefined for those that are not known. */
    readonly tagType?: string;
    readonly uri?: string;
    /** Seconds, of `inf` and `targetduration`. */
    readonly duration?: number;
    /** Of `media-sequence` and `discontinuity-sequence`. */
    readonly number?: number;
    /** Of `program-date-time`, as written. */
    readonly dateTimeString?: string;
    /** Of `byterange`. */
    readonly length?: number;
    readonly offset?: number;
    /** Of `map`. */
    readonly byterange?: { readonly length?: number; readonly offset?: number };
    readonly attributes?: Readonly<Record<string, unknown>>;
  }

  /** Reads a playlist line by line, each without regard to the others. */
  export class ParseStream {
    on(type: 'data', listener: (event: LineEvent) => void): void;
    push(line: string): void;
  }
}
