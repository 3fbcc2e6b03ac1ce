import { FFmpegError, Log, type CodecContext } from 'node-av/lib';
import { AV_LOG_QUIET, AV_OPT_SEARCH_CHILDREN, AV_OPT_TYPE_STRING } from 'node-av/constants';
import { ZoetropeError, type ErrorCode } from '../../base/errors.ts';

/** Silences FFmpeg's own log: what matters comes back as return codes. */
export function silenceAvLog(): void {
  Log.setLevel(AV_LOG_QUIET);
}

/** The return code of an FFmpeg call. @throws the code given (default engine_failed) when it is negative */
export function check(result: number, what: string, code: ErrorCode = 'engine_failed'): number {
  if (result < 0) throw avError(result, what, code);
  return result;
}

/** An FFmpeg return code as an error that says what was being done. */
export function avError(result: number, what: string, code: ErrorCode): ZoetropeError {
  return new ZoetropeError(code, `Could not ${what}: ${FFmpegError.strerror(result)} (${result}).`);
}

/** Sets options one by one: handing a dictionary to `open2Sync` corrupts the heap in node-av 6.1.1. */
export function setOptions(context: CodecContext, options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    const result = context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
    check(result, `set the codec option ${name}=${value}`);
  }
}
