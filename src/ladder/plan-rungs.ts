import { readMuxedInit } from '../packager/cmaf/muxed-reader.ts';
import { parseSps } from '../packager/h264/sps.ts';
import type { VideoSpec } from '../timeline/asset.ts';
import type { Epoch } from '../timeline/epoch.ts';
import type { LadderRung, LadderSetting } from '../timeline/ladder.ts';
import { DEFAULT_RUNGS, planRung } from '../vod/ladder.ts';

/** A rung of an epoch of the source. */
export interface PlannedRung {
  /** Of its rendition, such as `360p`. */
  readonly name: string;
  readonly spec: VideoSpec;
}

/** What a ladder is planned by. */
export interface RungSource {
  readonly epoch: Epoch;
  /** Pictures a second, as measured; null: unknown. */
  readonly frameRate: number | null;
}

/** An automatic ladder has no more rungs, and none larger than this part of the source. */
const AUTO_RUNGS = 3;
const AUTO_PART = 0.75;
/** The rate that encoders are told: they budget by it. */
const USUAL_RATE = 25;
const RATES = { least: 1, most: 120 } as const;

/**
 * The rungs below an epoch of the source, largest first: those that are smaller than it, each of a size that does not change within the epoch. None without pictures
 * or where the codec is not one that can be decoded.
 */
export function planRungs(setting: LadderSetting | null, source: RungSource): readonly PlannedRung[] {
  if (setting === null) return [];
  const { video } = readMuxedInit(source.epoch.init);
  if (video === null || (video.codec !== 'avc1' && video.codec !== 'hvc1')) return [];
  const sps = video.codec === 'avc1' ? parseSps(video.sps) : null;
  const seen = { width: Math.round(video.width * (sps?.sampleAspectRatio ?? 1)), height: video.height };
  const short = Math.min(seen.width, seen.height);
  const rungs = setting === 'auto' ? autoRungs(short) : setting;
  const rate = Math.min(RATES.most, Math.max(RATES.least, sps?.frameRate ?? source.frameRate ?? USUAL_RATE));
  return rungs
    .filter(({ height }) => height < short)
    .toSorted((a, b) => b.height - a.height)
    .map(({ height, videoKbps }) =>
      planRung(seen, { heightPx: height, ...(videoKbps === null ? {} : { bitrateKbps: videoKbps }) }, rate),
    );
}

/** A rung's rate is what its epoch was begun with, whatever is measured later: it stands in the init segment. Null: it says none. */
export function rateOf(epoch: Epoch): number | null {
  const { video } = readMuxedInit(epoch.init);
  return video?.codec === 'avc1' ? parseSps(video.sps).frameRate : null;
}

function autoRungs(short: number): readonly LadderRung[] {
  return DEFAULT_RUNGS.map(([height]) => height)
    .filter((height) => height <= short * AUTO_PART)
    .slice(-AUTO_RUNGS)
    .map((height) => ({ height, videoKbps: null }));
}
