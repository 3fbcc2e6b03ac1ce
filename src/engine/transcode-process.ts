import { EngineProcess, type ProcessEnd } from './engine-process.ts';
import type { FromProcess, TranscodeKind } from './protocol.ts';

/** A run as its process gets it. */
export interface ProcessTask {
  readonly kind: TranscodeKind;
  readonly request: unknown;
  readonly scratchPath: string;
}

/** What a run is told by the process that does it. */
export interface RunEvents {
  readonly onMessage: (message: Exclude<FromProcess, { type: 'ready' }>) => void;
  /** The process is gone; nothing more comes. */
  readonly onExit: (end: ProcessEnd) => void;
}

/** Pictures are megabytes: in huge pages a ladder takes a fiftieth less time. An allocator that does not know the setting passes it over. */
const ENVIRONMENT = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

/** A child process of a transcoder. It does one run at a time. */
export class TranscodeProcess {
  readonly #process: EngineProcess;
  readonly #gone = Promise.withResolvers<void>();
  #run: { readonly id: number; readonly events: RunEvents } | null = null;
  #end: ProcessEnd | null = null;
  #runs = 0;

  constructor(entryUrl: URL, childArguments: readonly string[]) {
    this.#process = new EngineProcess(entryUrl, childArguments, {
      environment: ENVIRONMENT,
      onMessage: (message) => {
        // What a run that was given up still says is nobody's.
        if (message.type !== 'ready' && message.id === this.#run?.id) this.#run.events.onMessage(message);
      },
      onExit: (end) => {
        this.#end = end;
        this.#run?.events.onExit(end);
        this.#gone.resolve();
      },
    });
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** How many runs it was given. */
  get runs(): number {
    return this.#runs;
  }

  /** Whether it can be given a run. */
  get isAlive(): boolean {
    return this.#end === null;
  }

  /** Settles when it is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Gives it a run; the one before has ended. */
  begin(task: ProcessTask, events: RunEvents): void {
    this.#runs += 1;
    this.#run = { id: this.#runs, events };
    if (this.#end !== null) return events.onExit(this.#end);
    this.#process.send({ type: 'task', id: this.#runs, ...task });
  }

  /** The run has ended well: the process is free. */
  release(): void {
    this.#run = null;
  }

  kill(): void {
    this.#process.kill();
  }
}
