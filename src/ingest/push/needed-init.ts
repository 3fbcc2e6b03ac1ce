import type { EventInHand } from '../serial-lane.ts';
import { UNNAMED_MS, type Claim, type Waiting } from './claims.ts';
import type { PushedFile } from './push-event.ts';
import type { PushedInits } from './pushed-inits.ts';
import type { SourceNotes } from './source-notes.ts';

/** For so long an encoder that begins anew may send its init segment behind the first segment that needs it, before the former one counts. */
const INIT_AGAIN_MS = 2000;

type Inits = PushedInits<EventInHand<PushedFile>>;

/** The init segment that a segment needs, and until when another one is waited for, by the monotonic clock. */
export function initOfClaim(
  { waiting, entry, begins, runSince }: Claim,
  inits: Inits,
  notes: SourceNotes,
): { readonly key: string | null; readonly untilMs: number } {
  const name = entry.initName;
  const noWait = Number.NEGATIVE_INFINITY;
  if (waiting.file.record.container === 'ts' || name === null) {
    return { key: initOfUnnamed(waiting, name, inits, notes), untilMs: noWait };
  }
  const wish = { name, order: waiting.order };
  const former = notes.initKey(name);
  const ofRun = inits.find({ ...wish, runSince }, former);
  if (ofRun !== null) return { key: ofRun, untilMs: noWait };
  const key = inits.find({ ...wish, runSince: null }, former);
  if (key === null) return { key, untilMs: waiting.sinceMs + UNNAMED_MS };
  return { key, untilMs: begins && runSince !== null ? waiting.sinceMs + INIT_AGAIN_MS : noWait };
}

/** The same where no run is known: by its name, else the newest before the segment. */
export function initOfUnnamed(
  { file, order }: Waiting,
  name: string | null,
  inits: Inits,
  notes: SourceNotes,
): string | null {
  if (file.record.container === 'ts') return null;
  if (name !== null) return inits.find({ name, order, runSince: null }, notes.initKey(name));
  return inits.newestBefore(order) ?? Object.values(notes.report.memory.inits).at(-1) ?? null;
}
