import { fork, type ChildProcess } from 'node:child_process';
import { messageOf } from '../base/errors.ts';
import type { FromProcess, ToProcess } from './protocol.ts';

/** How much of what a process last wrote to its standard error is kept, in characters: enough for an assertion or a stack. */
const STDERR_TAIL = 2000;

/** What the owner of an engine process gives it and is told. After `onExit` nothing more comes. */
export interface EngineProcessEvents {
  /** All of its environment; left out: none. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly onMessage: (message: FromProcess) => void;
  readonly onExit: (end: ProcessEnd) => void;
}

/** How a process ended. */
export interface ProcessEnd {
  /** In words, for messages: `it was ended by SIGSEGV`. */
  readonly reason: string;
  /** The last it wrote to standard error. */
  readonly stderrTail: string;
}

/**
 * One child process and the pipe to it. It inherits neither environment nor flags nor handles, so that nothing secret of the server reaches code
 * that parses hostile media; it ends by itself when the pipe breaks, so a killed server leaves no orphans.
 */
export class EngineProcess {
  readonly #child: ChildProcess;
  #stderrTail = '';
  #ended = false;

  constructor(entryUrl: URL, childArguments: readonly string[], events: EngineProcessEvents) {
    this.#child = fork(entryUrl, [], {
      serialization: 'advanced',
      execArgv: [],
      env: events.environment ?? {},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_TAIL);
    });
    const end = (reason: string): void => {
      if (this.#ended) return;
      this.#ended = true;
      events.onExit({ reason, stderrTail: this.#stderrTail.trim() });
    };
    this.#child.on('message', (message) => events.onMessage(message as FromProcess));
    this.#child.on('error', (error) => {
      // Failing to start has no `exit` event behind it; a failed send has.
      if (this.#child.pid === undefined) end(`it could not be started (${messageOf(error)})`);
    });
    // `close`, which would come after the last of stderr, does not come at all once the pipe was disconnected from this side.
    this.#child.on('exit', (code, signal) => {
      const reason = signal === null ? `it exited with code ${code ?? 0}` : `it was ended by ${signal}`;
      const { stderr } = this.#child;
      if (stderr === null || stderr.closed) end(reason);
      else stderr.once('close', () => end(reason));
    });
    this.send({ type: 'start', arguments: childArguments });
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: ToProcess): void {
    if (!this.#child.connected) return;
    this.#child.send(message, () => {
      // A pipe that breaks while writing is followed by the process's end, which is handled there.
    });
  }

  /** Asks it to end after what it is doing. */
  disconnect(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
