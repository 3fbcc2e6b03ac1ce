import { ZoetropeError } from '../base/errors.ts';
import type { TranscodeKind, TranscodeMap } from './protocol.ts';
import { ProcessPool, type ProcessPoolOptions } from './process-pool.ts';
import { ScratchDirectory } from './scratch-directory.ts';
import { TranscodeRun, type TranscodeRunOptions } from './transcode-run.ts';
import type { Measured, RunOptions, Transcoder } from './transcoder.ts';

/** What a transcoder is made of. How many runs there are at once is its caller's business. */
export interface TranscoderOptions extends TranscodeRunOptions, ProcessPoolOptions {
  /** For files on the way to objects, on the object store's disk if it is one. */
  readonly scratchDirectory: string;
}

/** A transcoder whose runs are done in child processes of low priority. Closing it ends what runs. */
export function createTranscoder(options: TranscoderOptions): Transcoder {
  const runs = new Set<TranscodeRun>();
  const pool = new ProcessPool(options);
  const scratch = new ScratchDirectory(options.scratchDirectory);
  let isRunning = false;
  const run = async <K extends TranscodeKind>(
    kind: K,
    request: TranscodeMap[K]['request'],
    watch: RunOptions = {},
  ): Promise<Measured<TranscodeMap[K]['result']>> => {
    if (!isRunning) {
      throw new ZoetropeError('unavailable', 'The transcoder is not running: it has not been started, or is closing.');
    }
    if (watch.signal?.aborted === true) {
      throw new ZoetropeError('cancelled', `The run ${kind} was cancelled by its caller.`, {
        cause: watch.signal.reason,
      });
    }
    const scratchPath = scratch.nextPath();
    const started = new TranscodeRun({ kind, request, scratchPath }, watch, pool, options);
    runs.add(started);
    try {
      return (await started.promise) as Measured<TranscodeMap[K]['result']>;
    } finally {
      runs.delete(started);
      await scratch.remove(scratchPath);
    }
  };
  return {
    name: 'transcoder',
    async start(signal) {
      signal.throwIfAborted();
      await scratch.open();
      isRunning = true;
    },
    async close() {
      isRunning = false;
      const ending = [...runs];
      for (const one of ending) one.cancel(new ZoetropeError('cancelled', 'The transcoder is closing.'));
      await Promise.allSettled(ending.map((one) => one.promise));
      await pool.close();
      await scratch.close();
    },
    describe: async (request, watch) => (await run('describe', request, watch)).value,
    split: (request, watch) => run('split', request, watch),
    encodeVideo: (request, watch) => run('encodeVideo', request, watch),
    encodeAudio: (request, watch) => run('encodeAudio', request, watch),
    drawPictures: (request, watch) => run('drawPictures', request, watch),
    writeMovie: (request, watch) => run('writeMovie', request, watch),
    cutClip: (request, watch) => run('cutClip', request, watch),
    encodeLadder: (request, watch) => run('encodeLadder', request, watch),
    stats: () => ({ running: runs.size, pids: [...runs].flatMap((one) => one.pid ?? []), idle: pool.idle }),
  };
}
