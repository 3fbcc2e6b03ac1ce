import { type WallMs, formatRfc3339 } from '../../base/time.ts';
import { renderXml, type XmlElement } from './xml.ts';

/** What a manifest offers. */
export interface Presentation {
  /** From 0 to the end of the longest track, in seconds; of one that grows: as long as it will be. */
  readonly durationS: number;
  /** Null: finished, nothing changes any more. */
  readonly growth: Growth | null;
  /** Representations of one codec become one adaptation set: players switch within it. */
  readonly video: readonly VideoRepresentation[];
  /** Each an adaptation set: players choose among them. The default one first. */
  readonly audio: readonly AudioRepresentation[];
  readonly text: readonly TextRepresentation[];
  /** Null: none (yet). */
  readonly thumbnails: Thumbnails | null;
}

/** How a presentation that is still being made is to be watched. */
export interface Growth {
  /** How often players are to ask again. */
  readonly updateS: number;
  /** When this state was rendered. */
  readonly publishedAtMs: WallMs;
}

/** The segments of a representation, in order. */
export interface SegmentListing {
  readonly initUri: string;
  /** Ticks a second of the times. */
  readonly timescale: number;
  readonly segments: readonly ListedSegment[];
}

/** A media segment. */
export interface ListedSegment {
  readonly uri: string;
  /** Presentation time. */
  readonly start: number;
  readonly duration: number;
}

/** What sound and pictures have in common. */
interface MediaRepresentation {
  readonly id: string;
  readonly bitsPerS: number;
  /** RFC 6381. */
  readonly codecs: string;
  readonly listing: SegmentListing;
}

/** Pictures in one quality, with square pixels. */
export interface VideoRepresentation extends MediaRepresentation {
  readonly width: number;
  readonly height: number;
  /** Pictures a second; null where unknown. */
  readonly frameRate: number | null;
}

/** What a person chooses a track by. */
interface Choosable {
  /** BCP 47; null where unknown. */
  readonly language: string | null;
  /** Null: none. */
  readonly label: string | null;
  readonly isDefault: boolean;
}

/** A track of sound. */
export interface AudioRepresentation extends MediaRepresentation, Choosable {
  readonly sampleRateHz: number;
  readonly channels: number;
}

/** A WebVTT file over the whole length. */
export interface TextRepresentation extends Choosable {
  readonly id: string;
  readonly uri: string;
  readonly bitsPerS: number;
  readonly isForced: boolean;
}

/** Sheets of small pictures at even intervals. */
export interface Thumbnails {
  readonly id: string;
  /** With `$Number$`, which counts from 0. */
  readonly uriTemplate: string;
  readonly intervalMs: number;
  readonly columns: number;
  readonly rows: number;
  readonly tileWidthPx: number;
  readonly tileHeightPx: number;
  readonly bitsPerS: number;
}

/**
 * A manifest (ISO/IEC 23009-1 §5). Segments are listed by URL, each with a time of its own: `SegmentList` with `SegmentTimeline` and without
 * `@r`, because dash.js counts lines, not segments, when it looks for the URL of one.
 *
 * A presentation that grows is of type `dynamic` with a known end, as a recording in progress is. Nothing of it depends on the wall clock: it
 * became available with the epoch, so every segment that is listed may be fetched, however fast or slow they come. dash.js begins at 0, because
 * the latency asked for is the whole duration; shaka-player takes no such hint and joins at the end unless it is told `load(uri, 0)`. The last
 * update is of type `static`, which both take up while playing.
 */
export function renderMpd(presentation: Presentation): string {
  const { durationS, growth, video, audio, text, thumbnails } = presentation;
  const sets = [
    ...[...groupByCodec(video).values()].map(videoSet),
    ...audio.map(audioSet),
    ...text.map(textSet),
    ...(thumbnails === null ? [] : [thumbnailSet(thumbnails)]),
  ];
  const segmentsS = [...video, ...audio].flatMap(({ listing }) =>
    listing.segments.map(({ duration }) => duration / listing.timescale),
  );
  const longestS = segmentsS.reduce((longest, seconds) => Math.max(longest, seconds), 0);
  return renderXml({
    name: 'MPD',
    attributes: {
      xmlns: 'urn:mpeg:dash:schema:mpd:2011',
      profiles: 'urn:mpeg:dash:profile:full:2011',
      type: growth === null ? 'static' : 'dynamic',
      ...(growth === null ? {} : growthAttributes(growth)),
      mediaPresentationDuration: xmlDuration(durationS),
      maxSegmentDuration: longestS > 0 ? xmlDuration(longestS) : undefined,
      minBufferTime: 'PT2S',
    },
    children: [
      ...(growth === null ? [] : [fromTheStart(durationS)]),
      { name: 'Period', attributes: { id: '0', start: 'PT0S' }, children: sets },
    ],
  });
}

function growthAttributes({ updateS, publishedAtMs }: Growth): XmlElement['attributes'] {
  return {
    availabilityStartTime: '1970-01-01T00:00:00Z',
    publishTime: formatRfc3339(publishedAtMs),
    minimumUpdatePeriod: xmlDuration(updateS),
    suggestedPresentationDelay: 'PT0S',
  };
}

/** A latency of the whole duration (§K.3.2): who follows it begins at 0. */
function fromTheStart(durationS: number): XmlElement {
  const target = Math.ceil(durationS * 1000);
  return {
    name: 'ServiceDescription',
    attributes: { id: 0 },
    children: [{ name: 'Latency', attributes: { target } }],
  };
}

function groupByCodec(video: readonly VideoRepresentation[]): ReadonlyMap<string, readonly VideoRepresentation[]> {
  return Map.groupBy(video, ({ codecs }) => codecs.split('.', 1)[0] ?? codecs);
}

function videoSet(representations: readonly VideoRepresentation[]): XmlElement {
  return {
    name: 'AdaptationSet',
    attributes: {
      contentType: 'video',
      mimeType: 'video/mp4',
      segmentAlignment: 'true',
      startWithSAP: 1,
    },
    children: [
      role('main'),
      ...representations.map(({ id, bitsPerS, codecs, width, height, frameRate, listing }) => ({
        name: 'Representation',
        attributes: {
          id,
          codecs,
          width,
          height,
          sar: '1:1',
          frameRate: frameRate === null ? undefined : ratioOf(frameRate),
          bandwidth: Math.ceil(bitsPerS),
        },
        children: [segmentList(listing)],
      })),
    ],
  };
}

function audioSet(audio: AudioRepresentation): XmlElement {
  const { id, bitsPerS, codecs, sampleRateHz, channels, listing } = audio;
  const layout = { schemeIdUri: 'urn:mpeg:mpegB:cicp:ChannelConfiguration', value: channels };
  return {
    name: 'AdaptationSet',
    attributes: {
      contentType: 'audio',
      lang: languageOf(audio),
      mimeType: 'audio/mp4',
      segmentAlignment: 'true',
      startWithSAP: 1,
    },
    children: [
      ...label(audio),
      role(audio.isDefault ? 'main' : 'alternate'),
      {
        name: 'Representation',
        attributes: { id, codecs, audioSamplingRate: sampleRateHz, bandwidth: Math.ceil(bitsPerS) },
        children: [{ name: 'AudioChannelConfiguration', attributes: layout }, segmentList(listing)],
      },
    ],
  };
}

function textSet(text: TextRepresentation): XmlElement {
  return {
    name: 'AdaptationSet',
    attributes: { contentType: 'text', lang: languageOf(text), mimeType: 'text/vtt' },
    children: [
      ...label(text),
      role(text.isForced ? 'forced-subtitle' : 'subtitle'),
      ...(text.isDefault ? [role('main')] : []),
      {
        name: 'Representation',
        attributes: { id: text.id, bandwidth: Math.ceil(text.bitsPerS) },
        children: [{ name: 'BaseURL', text: text.uri }],
      },
    ],
  };
}

/** Tiled thumbnails (DASH-IF Interoperability Points §6.2.6). */
function thumbnailSet(thumbnails: Thumbnails): XmlElement {
  const { columns, rows, intervalMs } = thumbnails;
  const tile = { schemeIdUri: 'http://dashif.org/guidelines/thumbnail_tile', value: `${columns}x${rows}` };
  const template = {
    media: thumbnails.uriTemplate,
    timescale: 1000,
    duration: Math.round(intervalMs * columns * rows),
    startNumber: 0,
  };
  return {
    name: 'AdaptationSet',
    attributes: { contentType: 'image', mimeType: 'image/jpeg' },
    children: [
      {
        name: 'Representation',
        attributes: {
          id: thumbnails.id,
          width: thumbnails.tileWidthPx * columns,
          height: thumbnails.tileHeightPx * rows,
          bandwidth: Math.ceil(thumbnails.bitsPerS),
        },
        children: [
          { name: 'EssentialProperty', attributes: tile },
          { name: 'SegmentTemplate', attributes: template },
        ],
      },
    ],
  };
}

/** `SegmentList` (§5.3.9.3) with a timeline (§5.3.9.6): as many lines of times as of URLs. */
function segmentList({ initUri, timescale, segments }: SegmentListing): XmlElement {
  let end: number | undefined;
  const times = segments.map(({ start, duration }): XmlElement => {
    const attributes = start === end ? { d: duration } : { t: start, d: duration };
    end = start + duration;
    return { name: 'S', attributes };
  });
  return {
    name: 'SegmentList',
    attributes: { timescale },
    children: [
      { name: 'Initialization', attributes: { sourceURL: initUri } },
      { name: 'SegmentTimeline', children: times },
      ...segments.map(({ uri }): XmlElement => ({ name: 'SegmentURL', attributes: { media: uri } })),
    ],
  };
}

/** As `xs:language` writes one; a file may say anything. */
function languageOf({ language }: Choosable): string | undefined {
  return language !== null && /^[a-z]{1,8}(-[a-z0-9]{1,8})*$/i.test(language) ? language : undefined;
}

function label({ label }: Choosable): readonly XmlElement[] {
  return label === null ? [] : [{ name: 'Label', text: label }];
}

function role(value: string): XmlElement {
  return { name: 'Role', attributes: { schemeIdUri: 'urn:mpeg:dash:role:2011', value } };
}

/** `xs:duration` in seconds, to a millisecond, rounded up. */
function xmlDuration(seconds: number): string {
  return `PT${Math.ceil(seconds * 1000 - 1e-6) / 1000}S`;
}

/** A rate as the standard writes it: whole, or over 1001 where it is one of those; else in thousandths. */
function ratioOf(frameRate: number): string {
  if (Math.abs(frameRate - Math.round(frameRate)) < 1e-6) return String(Math.round(frameRate));
  const over1001 = Math.round(frameRate * 1.001) * 1000;
  if (Math.abs(over1001 / 1001 - frameRate) < 1e-3) return `${over1001}/1001`;
  return `${Math.round(frameRate * 1000)}/1000`;
}
