import { formatRfc3339 } from '../../base/time.ts';
import { renderMediaPlaylist } from '../../packager/hls/media-playlist.ts';
import { targetDuration } from '../../packager/hls/target-duration.ts';
import { effectiveSettings, type StreamSettings } from '../../timeline/stream.ts';
import type { Finding } from './finding.ts';
import { byRendition, type RenditionSnapshot, type StreamSnapshot } from './stream-snapshot.ts';

const TICKS_PER_S = 90_000;
const EXTINF_TOLERANCE_S = 0.001;

/** Renders the `dvr` playlists of a stream and reads them back: what a player sees must be what the catalog holds. */
export function checkPlaylists(snapshot: StreamSnapshot, defaults: StreamSettings): readonly Finding[] {
  return byRendition(snapshot).flatMap((one) => checkPlaylist(one, defaults));
}

function checkPlaylist(snapshot: RenditionSnapshot, defaults: StreamSettings): readonly Finding[] {
  const { rendition, stream } = snapshot;
  const segments = snapshot.segments.filter(({ retiredAtMs, duration90k }) => retiredAtMs === null && duration90k > 0);
  const settings = effectiveSettings(stream, defaults);
  const rhythm = { framesPerSegment: settings.framesPerSegment, maxSegmentWaitS: settings.maxSegmentWaitMs / 1000 };
  const lengths = segments.map(({ duration90k, frameTimesMs }) => ({
    durationS: duration90k / TICKS_PER_S,
    frameCount: frameTimesMs.length,
  }));
  const text = renderMediaPlaylist(
    {
      targetDurationS: targetDuration(lengths, rhythm, 1),
      mediaSequence: rendition.dvrMediaSequence,
      discontinuitySequence: rendition.dvrDiscontinuitySequence,
      type: null,
      canSkipUntilS: null,
      dateRanges: [],
    },
    segments.map((segment) => ({
      uri: `segments/${segment.id}.m4s`,
      mapUri: `init/${segment.epochId}.mp4`,
      durationS: segment.duration90k / TICKS_PER_S,
      startMs: segment.startMs,
      discontinuity: segment.dvrDiscontinuity,
      gap: segment.lost,
    })),
    false,
  );
  const listed = readPlaylist(text);
  const finding = (subject: string, message: string): Finding => ({
    check: 'playlists',
    streamId: stream.id,
    subject,
    message,
    repair: null,
  });
  if (listed.segments.length !== segments.length) {
    return [finding(rendition.id, `Its dvr playlist lists ${listed.segments.length} of ${segments.length} segments.`)];
  }
  return segments.flatMap((segment, index) => {
    const line = listed.segments[index];
    const durationS = segment.duration90k / TICKS_PER_S;
    const findings: Finding[] = [];
    if (line === undefined || Math.abs(line.durationS - durationS) > EXTINF_TOLERANCE_S) {
      findings.push(finding(segment.id, `Its EXTINF is ${line?.durationS ?? 'missing'}, not ${durationS}.`));
    }
    if (line !== undefined && Math.round(line.durationS) > listed.targetDurationS) {
      findings.push(finding(segment.id, `Its EXTINF ${line.durationS} exceeds TARGETDURATION.`));
    }
    if (line?.programDateTime !== formatRfc3339(segment.startMs)) {
      findings.push(finding(segment.id, `Its PROGRAM-DATE-TIME is ${line?.programDateTime ?? 'missing'}.`));
    }
    return findings;
  });
}

interface ListedSegment {
  readonly durationS: number;
  readonly programDateTime: string | null;
}

/** A reader of its own, so that a mistake of the writer shows. */
function readPlaylist(text: string): {
  readonly targetDurationS: number;
  readonly segments: readonly ListedSegment[];
} {
  const segments: ListedSegment[] = [];
  let targetDurationS = 0;
  let durationS = Number.NaN;
  let programDateTime: string | null = null;
  for (const line of text.split('\n')) {
    const [tag, value = ''] = splitOnce(line, ':');
    if (tag === '#EXT-X-TARGETDURATION') targetDurationS = Number(value);
    else if (tag === '#EXTINF') durationS = Number.parseFloat(value);
    else if (tag === '#EXT-X-PROGRAM-DATE-TIME') programDateTime = value;
    else if (line !== '' && !line.startsWith('#')) {
      segments.push({ durationS, programDateTime });
      durationS = Number.NaN;
      programDateTime = null;
    }
  }
  return { targetDurationS, segments };
}

function splitOnce(text: string, by: string): readonly string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}
