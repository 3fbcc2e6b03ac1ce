import type { XmlElement } from './xml.ts';

/** The segments of a representation, in order. */
export interface SegmentListing {
  readonly initUri: string;
  /** Ticks a second of the times. */
  readonly timescale: number;
  /** Media time at which the period begins; left out: 0. */
  readonly periodStart?: number;
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
export interface Choosable {
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

/** Adaptation sets of pictures: players switch between representations of one codec, and not between codecs. */
export function videoSets(video: readonly VideoRepresentation[]): readonly XmlElement[] {
  return [...groupByCodec(video).values()].map(videoSet);
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

/** An adaptation set of one track of sound. */
export function audioSet(audio: AudioRepresentation): XmlElement {
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

/** `SegmentList` (§5.3.9.3) with a timeline (§5.3.9.6): as many lines of times as of URLs. */
function segmentList({ initUri, timescale, periodStart = 0, segments }: SegmentListing): XmlElement {
  let end: number | undefined;
  const times = segments.map(({ start, duration }): XmlElement => {
    const attributes = start === end ? { d: duration } : { t: start, d: duration };
    end = start + duration;
    return { name: 'S', attributes };
  });
  return {
    name: 'SegmentList',
    attributes: { timescale, presentationTimeOffset: periodStart === 0 ? undefined : periodStart },
    children: [
      { name: 'Initialization', attributes: { sourceURL: initUri } },
      { name: 'SegmentTimeline', children: times },
      ...segments.map(({ uri }): XmlElement => ({ name: 'SegmentURL', attributes: { media: uri } })),
    ],
  };
}

/** As `xs:language` writes one; a file may say anything. */
export function languageOf({ language }: Choosable): string | undefined {
  return language !== null && /^[a-z]{1,8}(-[a-z0-9]{1,8})*$/i.test(language) ? language : undefined;
}

/** What people see of a track. */
export function label({ label }: Choosable): readonly XmlElement[] {
  return label === null ? [] : [{ name: 'Label', text: label }];
}

/** What a track is for (DASH role scheme, §5.8.5.5). */
export function role(value: string): XmlElement {
  return { name: 'Role', attributes: { schemeIdUri: 'urn:mpeg:dash:role:2011', value } };
}

/** `xs:duration` in seconds, to a millisecond, rounded up. */
export function xmlDuration(seconds: number): string {
  return `PT${Math.ceil(seconds * 1000 - 1e-6) / 1000}S`;
}

/** A rate as the standard writes it: whole, or over 1001 where it is one of those; else in thousandths. */
function ratioOf(frameRate: number): string {
  if (Math.abs(frameRate - Math.round(frameRate)) < 1e-6) return String(Math.round(frameRate));
  const over1001 = Math.round(frameRate * 1.001) * 1000;
  if (Math.abs(over1001 / 1001 - frameRate) < 1e-3) return `${over1001}/1001`;
  return `${Math.round(frameRate * 1000)}/1000`;
}
