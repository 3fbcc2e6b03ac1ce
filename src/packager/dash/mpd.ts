import { type WallMs, formatRfc3339 } from '../../base/time.ts';
import {
  audioSet,
  label,
  languageOf,
  role,
  videoSets,
  xmlDuration,
  type AudioRepresentation,
  type Choosable,
  type VideoRepresentation,
} from './adaptation-sets.ts';
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
    ...videoSets(video),
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
