import { quoted } from './attributes.ts';
import { renderStart } from './media-playlist.ts';

/** A rendition as a multivariant playlist offers it. */
export interface Variant {
  readonly uri: string;
  /** Largest bit rate of a segment, bits a second of playing; of an audio group's largest rendition on top of it, added here. */
  readonly peakBitsPerS: number;
  readonly averageBitsPerS: number;
  /** RFC 6381, of its own media; an audio group's are added here. */
  readonly codecs: string;
  /** 0 without pictures. */
  readonly width: number;
  readonly height: number;
  /** Frames a second of playing; null where unknown. */
  readonly frameRate: number | null;
  /** {@link AudioRendition.group} that belongs to it; left out: none. */
  readonly audioGroup?: string;
  /** {@link SubtitlesRendition.group} that belongs to it; left out: none. */
  readonly subtitlesGroup?: string;
}

/** What renditions for a group of variants have in common (RFC 8216bis §4.4.6.1). */
interface GroupedRendition {
  readonly uri: string;
  readonly group: string;
  /** For people. Where two of a group are called the same, the later one gets a number. */
  readonly name: string;
  /** BCP 47; null where unknown. */
  readonly language: string | null;
  /** Played unless the user chooses another. Only the first of a group can be. */
  readonly isDefault: boolean;
}

/** Sound apart from pictures. */
export interface AudioRendition extends GroupedRendition {
  readonly codecs: string;
  readonly channels: number;
  readonly peakBitsPerS: number;
  readonly averageBitsPerS: number;
}

/** Captions as WebVTT files. */
export interface SubtitlesRendition extends GroupedRendition {
  /** Shown also when the user wants no subtitles: for what is said in another language. */
  readonly isForced: boolean;
}

/** Key frames of a variant, for moving through it quickly (RFC 8216bis §4.4.6.3). */
export interface IFrameVariant {
  readonly uri: string;
  readonly peakBitsPerS: number;
  readonly averageBitsPerS: number;
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
}

/** What stands in a multivariant playlist besides variants. */
export interface MultivariantExtras {
  readonly audio?: readonly AudioRendition[];
  readonly subtitles?: readonly SubtitlesRendition[];
  readonly iFrames?: readonly IFrameVariant[];
  /** Where players are to begin, in seconds: see `PlaylistHead.startOffsetS`. */
  readonly startOffsetS?: number;
}

/** A multivariant playlist (RFC 8216bis §4.4.6). */
export function renderMultivariant(variants: readonly Variant[], extras: MultivariantExtras = {}): string {
  const { audio = [], subtitles = [], iFrames = [] } = extras;
  let text = '#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-INDEPENDENT-SEGMENTS\n';
  if (extras.startOffsetS !== undefined) text += renderStart(extras.startOffsetS);
  text += renderGroups('AUDIO', audio, (one) => `,CHANNELS="${one.channels}"`);
  text += renderGroups('SUBTITLES', subtitles, (one) => `,FORCED=${one.isForced ? 'YES' : 'NO'}`);
  for (const variant of variants) {
    const group = audio.filter((one) => one.group === variant.audioGroup);
    const codecs = [...new Set([variant.codecs, ...group.map((one) => one.codecs)])].join(',');
    text += '#EXT-X-STREAM-INF:';
    text += `BANDWIDTH=${Math.ceil(variant.peakBitsPerS + largest(group.map((one) => one.peakBitsPerS)))}`;
    text += `,AVERAGE-BANDWIDTH=${Math.ceil(variant.averageBitsPerS + largest(group.map((one) => one.averageBitsPerS)))}`;
    text += `,CODECS=${quoted(codecs)}`;
    if (variant.width > 0) text += `,RESOLUTION=${variant.width}x${variant.height}`;
    if (variant.frameRate !== null) text += `,FRAME-RATE=${variant.frameRate.toFixed(3)}`;
    if (variant.audioGroup !== undefined) text += `,AUDIO=${quoted(variant.audioGroup)}`;
    if (variant.subtitlesGroup !== undefined) text += `,SUBTITLES=${quoted(variant.subtitlesGroup)}`;
    text += `\n${variant.uri}\n`;
  }
  for (const one of iFrames) {
    text += `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=${Math.ceil(one.peakBitsPerS)}`;
    text += `,AVERAGE-BANDWIDTH=${Math.ceil(one.averageBitsPerS)},CODECS=${quoted(one.codecs)}`;
    text += `,RESOLUTION=${one.width}x${one.height},URI=${quoted(one.uri)}\n`;
  }
  return text;
}

/** EXT-X-MEDIA tags. Names differ within a group, and one rendition at most is the default (RFC 8216bis §4.4.6.1.1). */
function renderGroups<T extends GroupedRendition>(
  type: 'AUDIO' | 'SUBTITLES',
  renditions: readonly T[],
  rest: (rendition: T) => string,
): string {
  let text = '';
  const taken = new Set<string>();
  const withDefault = new Set<string>();
  for (const rendition of renditions) {
    const { group, language, uri } = rendition;
    const isDefault = rendition.isDefault && !withDefault.has(group);
    if (isDefault) withDefault.add(group);
    // Some parsers take a straight apostrophe for a quote that begins.
    const name = freeName(quoted(rendition.name.replace(/['"]/g, '’')), group, taken);
    // A rendition in no known language is never the one to choose by language.
    const isAutoselected = isDefault || language !== null;
    text += `#EXT-X-MEDIA:TYPE=${type},GROUP-ID=${quoted(group)},NAME=${name}`;
    if (language !== null) text += `,LANGUAGE=${quoted(language)}`;
    text += `,DEFAULT=${isDefault ? 'YES' : 'NO'},AUTOSELECT=${isAutoselected ? 'YES' : 'NO'}`;
    text += `${rest(rendition)},URI=${quoted(uri)}\n`;
  }
  return text;
}

/** The name, or with the first number that makes it another, in quotes. */
function freeName(name: string, group: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(`${group}\n${free}`); count++) free = `${name.slice(0, -1)} (${count})"`;
  taken.add(`${group}\n${free}`);
  return free;
}

function largest(values: readonly number[]): number {
  return Math.max(0, ...values);
}
