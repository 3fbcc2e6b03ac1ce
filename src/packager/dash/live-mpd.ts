import { formatRfc3339, type WallMs } from '../../base/time.ts';
import {
  audioSet,
  videoSets,
  xmlDuration,
  type AudioRepresentation,
  type VideoRepresentation,
} from './adaptation-sets.ts';
import { renderXml, type XmlElement } from './xml.ts';

/** A stretch with one media clock and one set of codec parameters. */
export interface TimelinePeriod {
  readonly id: string;
  /** Presentation time of its beginning, which never changes while it is listed. Seconds. */
  readonly startS: number;
  readonly video: readonly VideoRepresentation[];
  readonly audio: readonly AudioRepresentation[];
}

/** A timeline, in which periods follow each other in wall time. */
export interface TimelinePresentation {
  /** In order of their starts; at least one. */
  readonly periods: readonly TimelinePeriod[];
  /** How it goes on; a number: it has ended, so many seconds of presentation time after 0. */
  readonly growth: TimelineGrowth | number;
}

/** How a timeline is to be watched that goes on. Presentation time is wall time, in seconds since the Unix epoch. */
export interface TimelineGrowth {
  /** How often players are to ask again. */
  readonly updateS: number;
  /** When this state was rendered. */
  readonly publishedAtMs: WallMs;
  /** How far back from now what is listed reaches. */
  readonly depthS: number;
  /** How far behind now players are to be, so that what they want next is there. */
  readonly delayS: number;
  /** Answers with the server's time, so that players need no right clock of their own (§5.8.4.11). */
  readonly clockUri: string;
}

/**
 * A manifest of a timeline (ISO/IEC 23009-1 §5): `dynamic` while it goes on, `static` when it has ended, which players take up while playing. Presentation
 * time counts from the Unix epoch, so that it is the same in every update and tells when something was; of an ended timeline it may count from anything.
 * Segments are listed as in `renderMpd`.
 */
export function renderTimelineMpd({ periods, growth }: TimelinePresentation): string {
  const listings = periods.flatMap(({ video, audio }) => [...video, ...audio].map(({ listing }) => listing));
  const longestS = listings.reduce(
    (longest, { segments, timescale }) =>
      segments.reduce((most, { duration }) => Math.max(most, duration / timescale), longest),
    0,
  );
  const isOver = typeof growth === 'number';
  return renderXml({
    name: 'MPD',
    attributes: {
      xmlns: 'urn:mpeg:dash:schema:mpd:2011',
      profiles: 'urn:mpeg:dash:profile:full:2011',
      type: isOver ? 'static' : 'dynamic',
      ...(isOver ? { mediaPresentationDuration: xmlDuration(growth) } : growthAttributes(growth)),
      maxSegmentDuration: xmlDuration(longestS),
      minBufferTime: 'PT2S',
    },
    children: [
      ...periods.map(({ id, startS, video, audio }): XmlElement => ({
        name: 'Period',
        attributes: { id, start: xmlDuration(startS) },
        children: [...videoSets(video), ...audio.map(audioSet)],
      })),
      ...(isOver ? [] : [clock(growth.clockUri)]),
    ],
  });
}

function growthAttributes({ updateS, publishedAtMs, depthS, delayS }: TimelineGrowth): XmlElement['attributes'] {
  return {
    availabilityStartTime: '1970-01-01T00:00:00Z',
    publishTime: formatRfc3339(publishedAtMs),
    minimumUpdatePeriod: xmlDuration(updateS),
    timeShiftBufferDepth: xmlDuration(depthS),
    suggestedPresentationDelay: xmlDuration(delayS),
  };
}

function clock(value: string): XmlElement {
  return { name: 'UTCTiming', attributes: { schemeIdUri: 'urn:mpeg:dash:utc:http-iso:2014', value } };
}
