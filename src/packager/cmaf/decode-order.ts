import { ZoetropeError } from '../../base/errors.ts';
import type { Sample } from './media-writer.ts';

/** A coded picture as an encoder gives it out. */
export interface TimedPacket {
  /** As a media segment holds it: see `videoSampleOf`. */
  readonly data: Uint8Array;
  /** Presentation time, in whole ticks of the track. */
  readonly pts: number;
  readonly isSync: boolean;
}

/** Samples with their times, ready to be written as one segment. */
export interface TimedSamples {
  /** Decoding time of the first sample, which is the earliest presentation time. */
  readonly baseMediaDecodeTime: number;
  readonly samples: readonly Sample[];
}

/**
 * Gives packets in decoding order their decoding times, knowing nothing of the segments before and after. Each is decoded as late as it can be:
 * when the first of the pictures that are still to come is shown. Packets for which that is the same instant come in even steps before it, no
 * wider than the shortest time that one of them is shown.
 *
 * So decoding fills exactly the time in which the segment is shown, whatever the reordering and the frame rate: segments follow each other
 * without a gap and need no common shift, no edit list, and no negative composition offset, which FFmpeg takes for a shift of the whole track.
 * No sample reaches beyond the end of the segment, counted from when it is shown, so players that sum these (Media Source Extensions §3.5.8) do
 * not take away what is buffered behind it. Without reordering, decoding and presentation are one.
 * @throws invalid_argument when there is no packet, two have the same time, or one is not before `end`
 */
export function decodeOrderSamples(packets: readonly TimedPacket[], end: number): TimedSamples {
  const shown = shownFor(packets, end);
  const times = decodingTimes(packets, shown);
  const first = times[0];
  if (first === undefined)
    throw new ZoetropeError('invalid_argument', 'A segment needs at least one packet. Got none.');
  const samples = packets.map((packet, index): Sample => {
    const decoding = times[index] ?? first;
    const duration = (times[index + 1] ?? end) - decoding;
    return { data: packet.data, isSync: packet.isSync, duration, compositionOffset: packet.pts - decoding };
  });
  return { baseMediaDecodeTime: first, samples };
}

/** How long each packet's picture is shown, by its presentation time. */
function shownFor(packets: readonly TimedPacket[], end: number): ReadonlyMap<number, number> {
  const times = packets.map((packet) => packet.pts).sort((a, b) => a - b);
  const shown = new Map<number, number>();
  for (const [index, time] of times.entries()) {
    const next = times[index + 1] ?? end;
    if (!Number.isInteger(time) || !(next > time)) {
      throw new ZoetropeError(
        'invalid_argument',
        `Presentation times must be different whole numbers before the segment's end, ${end}. Got ${time} and then ${next}.`,
      );
    }
    shown.set(time, next - time);
  }
  return shown;
}

function decodingTimes(packets: readonly TimedPacket[], shown: ReadonlyMap<number, number>): readonly number[] {
  const latest = packets.map((packet) => packet.pts);
  for (let index = latest.length - 2; index >= 0; index--) {
    latest[index] = Math.min(latest[index] ?? 0, latest[index + 1] ?? 0);
  }
  const times: number[] = [];
  while (times.length < packets.length) {
    const from = times.length;
    const instant = latest[from] ?? 0;
    let to = from + 1;
    while (latest[to] === instant) to++;
    const room = (instant - (times[from - 1] ?? instant)) / (to - from);
    const shortest = Math.min(...packets.slice(from, to).map(({ pts }) => shown.get(pts) ?? 0));
    const step = Math.floor(Math.min(room, shortest));
    for (let index = from; index < to; index++) times.push(instant - (to - 1 - index) * step);
  }
  return times;
}
