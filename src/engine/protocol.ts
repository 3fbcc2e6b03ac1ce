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
import type {
  CutClipRequest,
  CutClipResult,
  DescribeRequest,
  DrawPicturesRequest,
  DrawPicturesResult,
  EncodeAudioRequest,
  EncodeAudioResult,
  EncodeLadderRequest,
  EncodeLadderResult,
  EncodeVideoRequest,
  EncodeVideoResult,
  SplitRequest,
  SplitResult,
  WriteMovieRequest,
  WrittenObject,
} from './transcoder.ts';
import type { MediaDescription } from '../timeline/media-description.ts';

/** What each kind of task takes and gives. Everything in it survives a structured clone. */
export interface TaskMap {
  readonly encodeFrames: { readonly request: EncodeFramesRequest; readonly result: EncodeFramesResult };
  readonly probe: { readonly request: ProbeRequest; readonly result: ProbeResult };
  readonly snapshot: { readonly request: SnapshotRequest; readonly result: Uint8Array };
  readonly remux: { readonly request: RemuxRequest; readonly result: RemuxResult };
}

/** A kind of task. */
export type TaskKind = keyof TaskMap;

/** What each kind of run of a transcoder takes and gives. Everything in it survives a structured clone. */
export interface TranscodeMap {
  readonly describe: { readonly request: DescribeRequest; readonly result: MediaDescription };
  readonly split: { readonly request: SplitRequest; readonly result: SplitResult };
  readonly encodeVideo: { readonly request: EncodeVideoRequest; readonly result: EncodeVideoResult };
  readonly encodeAudio: { readonly request: EncodeAudioRequest; readonly result: EncodeAudioResult };
  readonly drawPictures: { readonly request: DrawPicturesRequest; readonly result: DrawPicturesResult };
  readonly writeMovie: {
    readonly request: WriteMovieRequest;
    readonly result: WrittenObject & { readonly durationMs: number };
  };
  readonly encodeLadder: { readonly request: EncodeLadderRequest; readonly result: EncodeLadderResult };
  readonly cutClip: { readonly request: CutClipRequest; readonly result: CutClipResult };
}

/** A kind of run of a transcoder. */
export type TranscodeKind = keyof TranscodeMap;

/** Anything that a child process can be told to do; each process knows its own. */
export type ProcessKind = TaskKind | TranscodeKind;

/** From the server to an engine process. `start` comes first and once: it travels here and not in `argv`, which everyone on the machine can read. */
export type ToProcess =
  | { readonly type: 'start'; readonly arguments: readonly string[] }
  | {
      readonly type: 'task';
      readonly id: number;
      readonly kind: ProcessKind;
      readonly request: unknown;
      /** Where it may make a file, which its owner removes in the end; left out: nowhere. */
      readonly scratchPath?: string;
    };

/** From an engine process to the server. A task is answered by exactly one `done` or `failed`, after any number of `progress`. */
export type FromProcess =
  | { readonly type: 'ready' }
  | ({ readonly type: 'progress'; readonly id: number; readonly fraction: number } & ProcessLoad)
  | ({ readonly type: 'done'; readonly id: number; readonly result: unknown } & ProcessLoad)
  | ({ readonly type: 'failed'; readonly id: number; readonly error: ErrorMessage } & ProcessLoad);

/** What a process holds, and what it has used for its task. */
export interface ProcessLoad {
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  readonly cpuMs: number;
}

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
