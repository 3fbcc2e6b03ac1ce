import { ZoetropeError } from '../../base/errors.ts';
import { randomIds } from '../../base/ids.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { EncodeFramesRequest, ProbeRequest, RemuxRequest, SnapshotRequest } from '../engine.ts';
import { encodeFrames } from './encode-frames.ts';
import { EncoderPool } from './encoder-pool.ts';
import { probe } from './probe.ts';
import { remux } from './remux.ts';
import { serveProcess, type ProcessTask } from './serve-process.ts';
import { snapshot } from './snapshot.ts';
import type { WorkerContext } from './worker-context.ts';

/** Makes this process an engine process. Asked to end, it finishes its task, and so it does when the server died. */
export function serveTasks(openObjects: (childArguments: readonly string[]) => Promise<ObjectStore>): void {
  serveProcess<WorkerContext>({
    atPipeEnd: 'finish',
    async start(childArguments) {
      const objects = await openObjects(childArguments);
      await objects.start(new AbortController().signal);
      return { objects, ids: randomIds, encoders: new EncoderPool() };
    },
    perform,
  });
}

function perform({ kind, request }: ProcessTask, context: WorkerContext): Promise<unknown> {
  switch (kind) {
    case 'encodeFrames':
      return encodeFrames(request as EncodeFramesRequest, context);
    case 'probe':
      return probe(request as ProbeRequest, context);
    case 'snapshot':
      return snapshot(request as SnapshotRequest, context);
    case 'remux':
      return remux(request as RemuxRequest, context);
    case 'describe':
    case 'split':
    case 'encodeVideo':
    case 'encodeAudio':
    case 'drawPictures':
    case 'writeMovie':
    case 'cutClip':
    case 'encodeLadder':
      throw new ZoetropeError('internal', `An engine process does not do ${kind}.`);
  }
}
