import { flushCompileCache } from 'node:module';
import { setPriority } from 'node:os';
import { ZoetropeError } from '../../base/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { ProcessKind } from '../protocol.ts';
import type {
  CutClipRequest,
  DescribeRequest,
  EncodeAudioRequest,
  DrawPicturesRequest,
  EncodeLadderRequest,
  EncodeVideoRequest,
  SplitRequest,
  WriteMovieRequest,
} from '../transcoder.ts';
import { serveProcess } from './serve-process.ts';
import { Progress, type TranscodeContext } from './transcode-context.ts';

/** Live pictures and viewers go before files. */
const USUAL_NICENESS = 10;

/** How the processes of a transcoder are set up. */
export interface ServeTranscodesOptions {
  readonly openObjects: (childArguments: readonly string[]) => Promise<ObjectStore>;
  /** Of the operating system: the higher, the longer others go first. Null: what files get. */
  readonly niceness: (childArguments: readonly string[]) => number | null;
}

/** Makes this process one of a transcoder's. It drops what it does when its pipe ends: another worker will do it. */
export function serveTranscodes({ openObjects, niceness }: ServeTranscodesOptions): void {
  serveProcess<ObjectStore>({
    atPipeEnd: 'abandon',
    async start(childArguments) {
      setPriority(niceness(childArguments) ?? USUAL_NICENESS);
      const objects = await openObjects(childArguments);
      await objects.start(new AbortController().signal);
      return objects;
    },
    perform: async ({ kind, request, scratchPath }, objects, report) => {
      const run = RUNS[kind];
      if (run === undefined) throw new ZoetropeError('internal', `A transcoder's process does not do ${kind}.`);
      const result = await run(request, { objects, progress: new Progress(report), scratchPath: scratchPath ?? null });
      // The process is ended as soon as it has answered: what it compiled is kept for the next one.
      flushCompileCache();
      return result;
    },
  });
}

type Run = (request: unknown, context: TranscodeContext) => Promise<unknown>;

/** Code for one kind of run alone is loaded: a process does one and ends. */
const RUNS: { readonly [K in ProcessKind]?: Run } = {
  describe: async (request, context) => (await import('./describe.ts')).describe(request as DescribeRequest, context),
  encodeAudio: async (request, context) =>
    (await import('./audio/encode-audio.ts')).encodeAudio(request as EncodeAudioRequest, context),
  writeMovie: async (request, context) =>
    (await import('./write-movie.ts')).writeMovie(request as WriteMovieRequest, context),
  cutClip: async (request, context) => (await import('./clip/cut-clip.ts')).cutClip(request as CutClipRequest, context),
  split: async (request, context) => (await import('./split/split.ts')).split(request as SplitRequest, context),
  encodeVideo: async (request, context) =>
    (await import('./video/encode-video.ts')).encodeVideo(request as EncodeVideoRequest, context),
  encodeLadder: async (request, context) =>
    (await import('./ladder/encode-ladder.ts')).encodeLadder(request as EncodeLadderRequest, context),
  drawPictures: async (request, context) =>
    (await import('./pictures/draw-pictures.ts')).drawPictures(request as DrawPicturesRequest, context),
};
