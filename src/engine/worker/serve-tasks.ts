import { ZoetropeError } from '../../base/errors.ts';
import { randomIds } from '../../base/ids.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { EncodeFramesRequest, ProbeRequest, RemuxRequest, SnapshotRequest } from '../engine.ts';
import { toErrorMessage, type FromProcess, type TaskKind, type ToProcess } from '../protocol.ts';
import { silenceAvLog } from './av.ts';
import { encodeFrames } from './encode-frames.ts';
import { EncoderPool } from './encoder-pool.ts';
import { probe } from './probe.ts';
import { remux } from './remux.ts';
import { snapshot } from './snapshot.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Makes this process an engine process: opens the store with the arguments that come over the pipe, then does one task after the other.
 * It ends when the pipe does: asked to, or because the server died. Signals of a terminal or a service manager go to the whole group
 * and are passed over, so that the server can let tasks finish.
 */
export function serveTasks(openObjects: (childArguments: readonly string[]) => Promise<ObjectStore>): void {
  silenceAvLog();
  let context: Promise<WorkerContext> | undefined;
  let tasks: Promise<void> = Promise.resolve();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => {
    void tasks.finally(() => process.exit(0));
  });
  process.on('message', (received) => {
    const message = received as ToProcess;
    switch (message.type) {
      case 'start':
        context = start(openObjects, message.arguments);
        void context.then(() => answer({ type: 'ready' }), fail);
        break;
      case 'task':
        tasks = tasks.then(() => perform(message, context));
        break;
    }
  });
}

async function start(
  openObjects: (childArguments: readonly string[]) => Promise<ObjectStore>,
  childArguments: readonly string[],
): Promise<WorkerContext> {
  const objects = await openObjects(childArguments);
  await objects.start(new AbortController().signal);
  return { objects, ids: randomIds, encoders: new EncoderPool() };
}

async function perform(
  { id, kind, request }: Extract<ToProcess, { type: 'task' }>,
  context: Promise<WorkerContext> | undefined,
): Promise<void> {
  try {
    if (context === undefined)
      throw new ZoetropeError('internal', 'An engine process got a task before it was started.');
    const result = await run(kind, request, await context);
    answer({ type: 'done', id, result, rssBytes: process.memoryUsage.rss() });
  } catch (error) {
    answer({ type: 'failed', id, error: toErrorMessage(error), rssBytes: process.memoryUsage.rss() });
  }
}

function run(kind: TaskKind, request: unknown, context: WorkerContext): Promise<unknown> {
  switch (kind) {
    case 'encodeFrames':
      return encodeFrames(request as EncodeFramesRequest, context);
    case 'probe':
      return probe(request as ProbeRequest, context);
    case 'snapshot':
      return snapshot(request as SnapshotRequest, context);
    case 'remux':
      return remux(request as RemuxRequest, context);
  }
}

function answer(message: FromProcess): void {
  if (!process.connected) return;
  process.send?.(message, undefined, undefined, () => {
    // A pipe that broke meanwhile: nobody waits any more, and `disconnect` ends this process.
  });
}

function fail(error: unknown): void {
  process.stderr.write(`${toErrorMessage(error).message}\n`, () => process.exit(1));
}
