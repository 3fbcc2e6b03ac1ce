import type { ZoetropeError } from '../../base/errors.ts';
import { isAnswer } from './control-client.ts';

/** A registration at control, as long as it holds. */
export interface EdgeSession {
  readonly number: number;
  /** Aborts when the link breaks, another session counts, or the edge stops. */
  readonly signal: AbortSignal;
}

/** Whether a failure is the session's and not that of the one thing that was asked for: no answer, another process, no right to be here. */
export function endsSession(error: unknown): boolean {
  return !isAnswer(error) || ENDING.has(error.code);
}

const ENDING: ReadonlySet<ZoetropeError['code']> = new Set(['fenced', 'unauthenticated', 'permission_denied']);
