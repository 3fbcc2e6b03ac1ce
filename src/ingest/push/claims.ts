import { wallMs, type WallMs } from '../../base/time.ts';
import type { EventInHand } from '../serial-lane.ts';
import type { PlaylistEntry, PushedFile } from './push-event.ts';
import type { WaitingFile } from './pushed-track.ts';

/** A file that waits, with its event. */
export type Waiting = WaitingFile<EventInHand<PushedFile>>;

/** A file that is known to be a playlist's segment, and waits for its turn. */
export interface Claim {
  readonly waiting: Waiting;
  readonly entry: PlaylistEntry;
  readonly isOutOfOrder: boolean;
  /** As in a step of a track: which of the encoder's runs it is of. */
  readonly begins: boolean;
  readonly runSince: number | null;
}

/** When a segment must have ended, given those that came behind it: the newest of them had ended when it came. */
export function endedBy({ entry }: Claim, behind: readonly Claim[]): WallMs | null {
  let [durationMs, sequence, endedByMs]: [number, number, WallMs | null] = [0, entry.sequence, null];
  for (const { entry: later, waiting } of behind) {
    // An encoder that began anew.
    if (later.sequence <= sequence) break;
    durationMs += later.durationMs * (later.sequence - sequence);
    sequence = later.sequence;
    endedByMs = wallMs(waiting.file.record.receivedAtMs - durationMs);
  }
  return endedByMs;
}
