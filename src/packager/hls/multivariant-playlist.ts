import { quoted } from './attributes.ts';

/** A rendition as a multivariant playlist offers it. */
export interface Variant {
  readonly uri: string;
  /** Largest bit rate of a segment, bits a second of playing. */
  readonly peakBitsPerS: number;
  readonly averageBitsPerS: number;
  /** RFC 6381. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  /** Frames a second of playing; null where unknown. */
  readonly frameRate: number | null;
}

/** A multivariant playlist (RFC 8216bis §4.4.6). */
export function renderMultivariant(variants: readonly Variant[]): string {
  let text = '#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-INDEPENDENT-SEGMENTS\n';
  for (const variant of variants) {
    text += `#EXT-X-STREAM-INF:BANDWIDTH=${Math.ceil(variant.peakBitsPerS)}`;
    text += `,AVERAGE-BANDWIDTH=${Math.ceil(variant.averageBitsPerS)},CODECS=${quoted(variant.codecs)}`;
    text += `,RESOLUTION=${variant.width}x${variant.height}`;
    if (variant.frameRate !== null) text += `,FRAME-RATE=${variant.frameRate.toFixed(3)}`;
    text += `\n${variant.uri}\n`;
  }
  return text;
}
