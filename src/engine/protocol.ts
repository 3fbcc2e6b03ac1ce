import { ERROR_CATALOGUE, isZoetropeError, messageOf, ZoetropeError, type ErrorCode } from '../base/errors.ts';
import type {
  EncodeFramesRequest,
  EncodeFramesResult,
  ProbeRequest,
  ProbeResult,
  RemuxRequest,
  RemuxResult,
  SnapshotRequest,
} from './engine.ts';

/** What each kind of task takes and gives. Everything in it survives a structured clone. */
export interface TaskMap {
  readonly encodeFrames: { readonly request: EncodeFramesRequest; readonly result: EncodeFramesResult };
  readonly probe: { readonly request: ProbeRequest; readonly result: ProbeResult };
  readonly snapshot: { readonly request: SnapshotRequest; readonly result: Uint8Array };
  readonly remux: { readonly request: RemuxRequest; readonly result: RemuxResult };
}

/** A kind of task. */
export type TaskKind = keyof TaskMap;

/** From the server to an engine process. `start` comes first and once: it travels here and not in `argv`, which everyone on the machine can read. */
export type ToProcess =
  | { readonly type: 'start'; readonly arguments: readonly string[] }
  | { readonly type: 'task'; readonly id: number; readonly kind: TaskKind; readonly request: unknown };

/** From an engine process to the server. A task is answered by exactly one `done` or `failed`. */
export type FromProcess =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown; readonly rssBytes: number }
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorMessage; readonly rssBytes: number };

/** A {@link ZoetropeError} as it crosses the process border, its cause reduced to a message. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;
  readonly cause: string | null;
}

/** Makes anything thrown ready for the border: what is not a {@link ZoetropeError} becomes `engine_failed`. */
export function toErrorMessage(thrown: unknown): ErrorMessage {
  if (isZoetropeError(thrown)) {
    const { code, message, details, retryable, cause } = thrown;
    return { code, message, details, retryable, cause: cause === undefined ? null : messageOf(cause) };
  }
  return {
    code: 'engine_failed',
    message: `An engine process failed: ${messageOf(thrown)}`,
    details: {},
    retryable: ERROR_CATALOGUE.engine_failed.retryable,
    cause: thrown instanceof Error ? (thrown.stack ?? null) : null,
  };
}

/** The error as it was before the border. */
export function fromErrorMessage(error: ErrorMessage): ZoetropeError {
  const { code, message, details, retryable, cause } = error;
  return new ZoetropeError(code, message, {
    details,
    retryable,
    ...(cause === null ? {} : { cause: new Error(cause) }),
  });
}
