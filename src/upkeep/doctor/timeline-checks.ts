import { formatRfc3339, type WallMs } from '../../base/time.ts';
import { toWallTime } from '../../timeline/epoch.ts';
import { segmentEndMs, type Placement, type Segment } from '../../timeline/segment.ts';
import type { CheckName, Finding } from './finding.ts';
import { byRendition, type RenditionSnapshot, type StreamSnapshot } from './stream-snapshot.ts';

/** Media time is kept in ticks of 1/90 ms: half a tick of rounding, and the grain of a double. */
const ANCHOR_TOLERANCE_MS = 0.02;
/** Pushed media lies where its encoder's wall clock said, as long as that is near its media clock: the most that a stream's settings can tolerate. */
const SOURCE_TOLERANCE_MS = 60_000;

/** What the checks of a timeline go by. */
export interface TimelineCheckOptions {
  /** Capture times beyond this lie in the future. */
  readonly latestMs: WallMs;
}

/** Checks what the catalog says of a stream against itself. Pure. */
export function checkTimeline(snapshot: StreamSnapshot, options: TimelineCheckOptions): readonly Finding[] {
  return [
    ...byRendition(snapshot).flatMap((one) => [
      ...checkSequences(one, 'onTime'),
      ...checkSequences(one, 'late'),
      ...checkFrames(one),
      ...checkTimes(one, options),
      ...checkEpochs(one),
      ...checkDiscontinuities(one),
      ...checkNumbers(one),
    ]),
    ...checkSessions(snapshot),
    ...checkHolds(snapshot),
  ];
}

/** Sequence numbers of a placement rise without repeats, and without holes but where retention took segments from between held ones. */
function* checkSequences(snapshot: RenditionSnapshot, placement: Placement): Iterable<Finding> {
  const found = finder(snapshot, 'sequences');
  const bySequence = placed(snapshot, placement).sort((a, b) => a.sequence - b.sequence);
  let previous: Segment | undefined;
  for (const segment of bySequence) {
    if (previous?.sequence === segment.sequence) {
      yield found(segment.id, `Its ${placement} sequence number ${segment.sequence} is also that of ${previous.id}.`);
    } else if (previous !== undefined && previous.sequence + 1 < segment.sequence && previous.retiredAtMs === null) {
      yield found(
        segment.id,
        `Its ${placement} sequence number ${segment.sequence} follows ${previous.sequence}: a hole inside the window.`,
      );
    }
    if (placement === 'onTime' && previous !== undefined && segment.startMs < previous.startMs) {
      yield found(segment.id, `It starts before ${previous.id}, whose sequence number is lower.`);
    }
    previous = segment;
  }
  const next = placement === 'onTime' ? snapshot.rendition.nextSequence : snapshot.rendition.nextLateSequence;
  if (previous !== undefined && next <= previous.sequence) {
    const name = `The next ${placement} sequence number`;
    yield found(snapshot.rendition.id, `${name} is ${next}, which is not above the newest, ${previous.sequence}.`);
  }
}

/** Every frame is on its timeline exactly once, inside its segment. */
function* checkFrames(snapshot: RenditionSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'frames');
  const owners = new Map<WallMs, string>();
  for (const segment of snapshot.segments) {
    const { frameTimesMs, id } = segment;
    const [first] = frameTimesMs;
    if (first !== undefined && first !== segment.startMs) {
      yield found(id, `Its first frame is of ${time(first)} and it starts at ${time(segment.startMs)}.`);
    }
    if (frameTimesMs.some((timeMs, index) => index > 0 && timeMs <= (frameTimesMs[index - 1] ?? timeMs))) {
      yield found(id, 'Its frame times do not rise.');
    }
    const last = frameTimesMs.at(-1);
    if (last !== undefined && last >= segmentEndMs(segment)) {
      yield found(id, `Its last frame is of ${time(last)}, not before its end at ${time(segmentEndMs(segment))}.`);
    }
    for (const timeMs of new Set(frameTimesMs)) {
      const owner = owners.get(timeMs);
      if (owner !== undefined) yield found(id, `The frame of ${time(timeMs)} lies in ${owner} too.`);
      else owners.set(timeMs, id);
    }
  }
}

function* checkTimes(snapshot: RenditionSnapshot, { latestMs }: TimelineCheckOptions): Iterable<Finding> {
  const found = finder(snapshot, 'times');
  for (const segment of snapshot.segments) {
    if (segment.duration90k <= 0) yield found(segment.id, `Its duration is ${segment.duration90k} ticks.`);
    if (segment.sizeBytes <= 0 && !segment.lost) yield found(segment.id, `Its size is ${segment.sizeBytes} bytes.`);
    if (segment.startMs < 0) yield found(segment.id, `It starts before 1970: ${segment.startMs} ms.`);
    if (segment.mediaStart90k < 0) yield found(segment.id, `Its media time is negative: ${segment.mediaStart90k}.`);
    if (segment.startMs > latestMs) yield found(segment.id, `It starts in the future: ${time(segment.startMs)}.`);
  }
}

/** Each segment's epoch exists, agrees with its times and is of its placement; each epoch owns a segment. */
function* checkEpochs(snapshot: RenditionSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'epochs');
  const used = new Set<string>();
  for (const segment of snapshot.segments) {
    const epoch = snapshot.epochs.get(segment.epochId);
    if (epoch === undefined) {
      yield found(segment.id, `Its epoch ${segment.epochId} does not exist.`);
      continue;
    }
    used.add(epoch.id);
    const startMs = toWallTime(epoch, segment.mediaStart90k);
    const toleranceMs = segment.frameTimesMs.length > 0 ? ANCHOR_TOLERANCE_MS : SOURCE_TOLERANCE_MS;
    if (Math.abs(startMs - segment.startMs) > toleranceMs) {
      const says = `by its epoch's anchor it starts at ${startMs} ms`;
      yield found(segment.id, `It starts at ${segment.startMs} ms, but ${says}.`);
    }
    if (epoch.placement !== segment.placement || epoch.renditionId !== segment.renditionId) {
      yield found(segment.id, `Its epoch ${epoch.id} is of another rendition or placement.`);
    }
  }
  for (const epoch of snapshot.epochs.values()) {
    // The newest outlives its segments: the next one may go on with it.
    const isNewest = epoch.ordinal === snapshot.rendition.nextEpochOrdinal - 1 && epoch.placement === 'onTime';
    if (!used.has(epoch.id) && !isNewest) yield found(epoch.id, 'It owns no segment.');
    if (epoch.placement === 'onTime' && epoch.ordinal >= snapshot.rendition.nextEpochOrdinal) {
      const next = `the next is ${snapshot.rendition.nextEpochOrdinal}`;
      yield found(epoch.id, `Its ordinal is ${epoch.ordinal} although ${next}.`);
    }
  }
}

/** EXT-X-DISCONTINUITY stands exactly where the epoch's ordinal changes in `live`, and where the epoch does in wall order for `dvr`. */
function* checkDiscontinuities(snapshot: RenditionSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'discontinuities');
  const onTime = placed(snapshot, 'onTime').sort((a, b) => a.sequence - b.sequence);
  for (const [previous, segment] of pairs(onTime)) {
    if (previous.sequence + 1 !== segment.sequence) continue;
    const changes = ordinalOf(snapshot, previous) !== ordinalOf(snapshot, segment);
    if (segment.discontinuity !== changes) yield found(segment.id, flagMessage('live', segment.discontinuity, changes));
  }
  for (const late of placed(snapshot, 'late')) {
    if (!late.discontinuity) yield found(late.id, 'It is late and not marked as a discontinuity.');
  }
  for (const [previous, segment] of pairs(snapshot.segments)) {
    if (previous.retiredAtMs !== null || segment.retiredAtMs !== null) continue;
    const changes = previous.epochId !== segment.epochId;
    if (segment.dvrDiscontinuity !== changes) {
      yield found(segment.id, flagMessage('dvr', segment.dvrDiscontinuity, changes));
    }
  }
}

/** A live ladder's rung may change its encoder's parameters within an epoch of its source: the ordinal stays. */
function ordinalOf({ epochs }: RenditionSnapshot, { epochId }: Segment): number {
  return epochs.get(epochId)?.ordinal ?? -1;
}

/** The `dvr` numbers count at least what has left the window and is still there. */
function* checkNumbers(snapshot: RenditionSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'numbers');
  const { rendition } = snapshot;
  const retired = snapshot.segments.filter((segment) => segment.retiredAtMs !== null);
  const tags = retired.filter((segment) => segment.dvrDiscontinuity).length;
  if (rendition.dvrMediaSequence < retired.length) {
    const left = `${retired.length} segments have left its window`;
    yield found(rendition.id, `Its dvr media sequence is ${rendition.dvrMediaSequence}, but ${left}.`);
  }
  if (rendition.dvrDiscontinuitySequence < tags) {
    const number = rendition.dvrDiscontinuitySequence;
    yield found(rendition.id, `Its dvr discontinuity sequence is ${number}, but ${tags} tags have left its window.`);
  }
}

function* checkSessions(snapshot: StreamSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'sessions');
  const open = snapshot.sessions.filter((session) => session.closedAtMs === null);
  if (open.length > 1) yield found(snapshot.stream.id, `${open.length} sessions are open at once.`);
  for (const session of snapshot.sessions) {
    if (session.endMs < session.startMs) {
      yield found(session.id, `It ends at ${time(session.endMs)}, before it starts at ${time(session.startMs)}.`);
    }
    if ((session.closedAtMs === null) !== (session.endedBy === null)) {
      yield found(
        session.id,
        `It is closed at ${session.closedAtMs ?? 'no time'} for ${session.endedBy ?? 'no reason'}.`,
      );
    }
  }
  for (const [previous, session] of pairs(snapshot.sessions)) {
    if (previous.closedAtMs === null) yield found(previous.id, `It is open although ${session.id} began after it.`);
  }
}

function* checkHolds(snapshot: StreamSnapshot): Iterable<Finding> {
  const found = finder(snapshot, 'holds');
  const sessions = new Set<string>();
  for (const hold of snapshot.holds) {
    if (hold.toMs !== null && hold.toMs <= hold.fromMs) {
      yield found(hold.id, `It ends at ${time(hold.toMs)}, not after its start at ${time(hold.fromMs)}.`);
    }
    if (hold.kind !== 'archive' || hold.sessionId === null) continue;
    if (sessions.has(hold.sessionId)) yield found(hold.id, `The session ${hold.sessionId} has another archive.`);
    sessions.add(hold.sessionId);
  }
}

function finder(
  { stream }: Pick<StreamSnapshot, 'stream'>,
  check: CheckName,
): (subject: string, message: string) => Finding {
  return (subject, message) => ({ check, streamId: stream.id, subject, message, repair: null });
}

function placed({ segments }: RenditionSnapshot, placement: Placement): Segment[] {
  return segments.filter((segment) => segment.placement === placement);
}

function* pairs<T>(items: readonly T[]): Iterable<readonly [T, T]> {
  let previous: T | undefined;
  for (const item of items) {
    if (previous !== undefined) yield [previous, item];
    previous = item;
  }
}

function flagMessage(playlist: string, flag: boolean, changes: boolean): string {
  const does = changes ? 'changes' : 'does not change';
  return `In ${playlist} it is ${flag ? '' : 'not '}marked as a discontinuity, but the epoch ${does} before it.`;
}

function time(valueMs: WallMs): string {
  return Math.abs(valueMs) <= 8.64e15 ? formatRfc3339(valueMs) : String(valueMs);
}
