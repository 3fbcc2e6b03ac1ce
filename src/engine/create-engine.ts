import type { Engine } from './engine.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

/** A task that has run for so long stands still, or is one of which there should not be many: the process counts as stalled. */
const STALLED_MS = 10_000;

/** What an engine is made of. */
export type EngineOptions = SupervisorOptions;

/** An engine over supervised child processes. Pictures that a viewer waits for go before a camera's backlog. */
export function createEngine(options: EngineOptions): Engine {
  const supervisor = new Supervisor(options);
  return {
    name: supervisor.name,
    start: (signal) => supervisor.start(signal),
    close: () => supervisor.close(),
    encodeFrames: (request, signal) => supervisor.run('encodeFrames', request, 'normal', signal),
    probe: (request, signal) => supervisor.run('probe', request, 'normal', signal),
    snapshot: (request, signal) => supervisor.run('snapshot', request, 'high', signal),
    remux: (request, signal) => supervisor.run('remux', request, 'normal', signal),
    stats() {
      const { slots, queued } = supervisor;
      return {
        processes: slots.length,
        ready: slots.filter((slot) => slot.isReady).length,
        queued,
        running: slots.filter((slot) => slot.isRunning).length,
        stalled: slots.filter((slot) => slot.taskAgeMs > STALLED_MS).length,
        restarts: slots.reduce((sum, slot) => sum + slot.restarts, 0),
        pids: slots.flatMap((slot) => slot.pid ?? []),
      };
    },
  };
}
