import { ParseStream, type LineEvent } from 'm3u8-parser';
import { ZoetropeError } from '../../base/errors.ts';

/** What a playlist from outside may take. */
export interface PlaylistLimits {
  /** Characters of the whole text. */
  readonly maxLength: number;
  /** Characters of one line. */
  readonly maxLineLength: number;
  /** Segments or variants. */
  readonly maxEntries: number;
  /** The longest segment. */
  readonly maxSegmentMs: number;
}

/** Far above what any encoder writes: a day of two-second segments has 43,200 entries, but encoders keep a window. */
export const PLAYLIST_LIMITS: PlaylistLimits = {
  maxLength: 4 << 20,
  maxLineLength: 16 << 10,
  maxEntries: 20_000,
  maxSegmentMs: 600_000,
};

const BYTE_ORDER_MARK = 0xfeff;
const HASH = 0x23;

/** Tags without attributes that are looked at. Others are for players, or not known. */
const PLAIN_TAGS: ReadonlySet<string> = new Set([
  '#EXTINF',
  '#EXT-X-TARGETDURATION',
  '#EXT-X-MEDIA-SEQUENCE',
  '#EXT-X-DISCONTINUITY-SEQUENCE',
  '#EXT-X-DISCONTINUITY',
  '#EXT-X-PROGRAM-DATE-TIME',
  '#EXT-X-BYTERANGE',
  '#EXT-X-INDEPENDENT-SEGMENTS',
  '#EXT-X-ENDLIST',
]);
const ATTRIBUTE_TAGS: ReadonlySet<string> = new Set(['#EXT-X-MAP', '#EXT-X-STREAM-INF', '#EXT-X-MEDIA', '#EXT-X-SKIP']);
const KEY_TAGS: ReadonlySet<string> = new Set(['#EXT-X-KEY', '#EXT-X-SESSION-KEY']);

/** A line of a playlist as read, and where it stands, from 1. */
export interface PlaylistLine {
  readonly number: number;
  /** `gap`, which the library does not know; else as the library read it. */
  readonly event: LineEvent | 'gap';
}

/**
 * The lines that matter for ingest, read by m3u8-parser. The bounds are checked before any line is read.
 *
 * The library's line reader alone is used. Its `Parser` writes a playlist's names into plain objects, so that `GROUP-ID="__proto__"` changes every
 * object of the process; variables (EXT-X-DEFINE) let URIs grow without bound; and both read attribute lists in quadratic time and throw
 * TypeErrors where one is malformed, so lists are mended before it sees them.
 *
 * @throws invalid_argument, payload_too_large, unsupported_media
 */
export function* readPlaylistLines(text: string, limits: PlaylistLimits): Generator<PlaylistLine, void, void> {
  checkBounds(text, limits);
  const reader = new ParseStream();
  let event: LineEvent | undefined;
  reader.on('data', (read) => {
    event = read;
  });
  let number = 0;
  for (const line of linesOf(text)) {
    number++;
    const ready = prepare(line, number);
    if (ready === null) continue;
    if (ready === 'gap') {
      yield { number, event: ready };
      continue;
    }
    event = undefined;
    reader.push(ready);
    if (event !== undefined) yield { number, event };
  }
}

/** The line as the library is to see it; null when it does not matter. */
function prepare(line: string, number: number): string | null {
  if (line === '') return null;
  if (line.charCodeAt(0) !== HASH) return line;
  const colon = line.indexOf(':');
  const tag = colon === -1 ? line : line.slice(0, colon);
  if (PLAIN_TAGS.has(tag)) return line;
  if (tag === '#EXT-X-GAP') return 'gap';
  if (ATTRIBUTE_TAGS.has(tag)) {
    const pairs = attributesOf(line.slice(tag.length + 1)).map(([name, value]) => `${name}=${value}`);
    return `${tag}:${pairs.join(',')}`;
  }
  if (KEY_TAGS.has(tag)) checkKey(line, tag, number);
  if (tag === '#EXT-X-DEFINE') {
    throw invalid(`Line ${number} defines a variable; let the encoder write URIs out.`);
  }
  return null;
}

/** Name and value of each attribute, the value in its quotes if it has any; what is no attribute is passed over. */
function attributesOf(list: string): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const attribute = /\s*([A-Za-z0-9-]+)\s*=\s*("[^"]*"|[^",]*)[^,]*(?:,|$)/y;
  let at = 0;
  while (at < list.length) {
    attribute.lastIndex = at;
    const match = attribute.exec(list);
    if (match === null) {
      const comma = list.indexOf(',', at);
      at = comma === -1 ? list.length : comma + 1;
      continue;
    }
    found.push([match[1] ?? '', match[2] ?? '']);
    at = attribute.lastIndex;
  }
  return found;
}

function checkKey(line: string, tag: string, number: number): void {
  const method = attributesOf(line.slice(tag.length + 1)).find(([name]) => name === 'METHOD')?.[1];
  if (method === 'NONE') return;
  throw new ZoetropeError(
    'unsupported_media',
    `The segments are encrypted (line ${number}: ${JSON.stringify(clip(line))}). Push them without encryption; use TLS on the way.`,
  );
}

/** One pass over the text that keeps nothing. */
function checkBounds(text: string, { maxLength, maxLineLength, maxEntries }: PlaylistLimits): void {
  if (text.length > maxLength) {
    throw tooLarge(
      `A playlist may have ${maxLength} characters. Got ${text.length}; let the encoder keep fewer segments.`,
    );
  }
  let entries = 0;
  let number = 0;
  let isFirst = true;
  for (const line of linesOf(text)) {
    number++;
    if (line.length > maxLineLength) {
      throw tooLarge(`A line of a playlist may have ${maxLineLength} characters. Line ${number} has ${line.length}.`);
    }
    if (line === '') continue;
    if (isFirst && !/^#EXTM3U(?:[\s:]|$)/.test(line)) {
      throw invalid(
        `A playlist begins with #EXTM3U. Got ${JSON.stringify(clip(line))}; send the playlist itself, in UTF-8.`,
      );
    }
    isFirst = false;
    if (line.charCodeAt(0) === HASH) continue;
    entries++;
    if (entries > maxEntries) {
      throw tooLarge(`A playlist may list ${maxEntries} entries. Got more; let the encoder keep fewer segments.`);
    }
  }
  if (isFirst) throw invalid('A playlist begins with #EXTM3U. Got an empty text.');
}

/** The lines without white space around them. */
function* linesOf(text: string): Generator<string, void, void> {
  let from = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  while (from < text.length) {
    const end = text.indexOf('\n', from);
    const to = end === -1 ? text.length : end;
    yield text.slice(from, to).trim();
    from = to + 1;
  }
}

/** The beginning of a text, for a message. */
export function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function invalid(message: string): ZoetropeError {
  return new ZoetropeError('invalid_argument', message);
}

function tooLarge(message: string): ZoetropeError {
  return new ZoetropeError('payload_too_large', message);
}
