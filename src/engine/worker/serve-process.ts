import { ZoetropeError } from '../../base/errors.ts';
import { toErrorMessage, type FromProcess, type ToProcess } from '../protocol.ts';
import { silenceAvLog } from './av.ts';
import { cpuMs, LoadMeter } from './load-meter.ts';

/** One thing to be done. */
export type ProcessTask = Extract<ToProcess, { type: 'task' }>;

/** What a child process does. */
export interface ProcessService<C> {
  /** Opens what tasks need, with the arguments that came over the pipe. */
  start(childArguments: readonly string[]): Promise<C>;
  perform(task: ProcessTask, context: C, report: (fraction: number) => void): Promise<unknown>;
  /** What becomes of a task under way when the pipe ends: the server asked for an end, or died. */
  readonly atPipeEnd: 'finish' | 'abandon';
}

/**
 * Makes this process one of the server's: starts with the arguments that come over the pipe, then does one task after the other. It ends when the
 * pipe does. Signals of a terminal or a service manager go to the whole group and are passed over, so that the server decides.
 */
export function serveProcess<C>(service: ProcessService<C>): void {
  silenceAvLog();
  let context: Promise<C> | undefined;
  let tasks: Promise<void> = Promise.resolve();
  let chargedMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => {
    if (service.atPipeEnd === 'abandon') process.exit(0);
    void tasks.finally(() => process.exit(0));
  });
  process.on('message', (received) => {
    const message = received as ToProcess;
    switch (message.type) {
      case 'start':
        context = service.start(message.arguments);
        void context.then(() => answer({ type: 'ready' }), fail);
        break;
      case 'task':
        tasks = tasks.then(async () => {
          await perform(message, service, context, new LoadMeter(chargedMs));
          chargedMs = cpuMs();
        });
        break;
    }
  });
}

async function perform<C>(
  task: ProcessTask,
  service: ProcessService<C>,
  context: Promise<C> | undefined,
  meter: LoadMeter,
): Promise<void> {
  const { id } = task;
  try {
    if (context === undefined)
      throw new ZoetropeError('internal', 'An engine process got a task before it was started.');
    const report = (fraction: number): void => answer({ type: 'progress', id, fraction, ...meter.load() });
    const result = await service.perform(task, await context, report);
    answer({ type: 'done', id, result, ...meter.load() });
  } catch (error) {
    answer({ type: 'failed', id, error: toErrorMessage(error), ...meter.load() });
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
