import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Component } from '../base/component.ts';
import type { Logger } from '../base/logger.ts';

/** Four simulated cameras in a process of their own, posting to this server as real ones would. */
export class DemoCameras implements Component {
  readonly name = 'demo cameras';
  readonly #url: () => string;
  readonly #logger: Logger;
  #child: ChildProcess | null = null;
  #closing = false;

  /** @param url where the server listens; asked when the cameras start. */
  constructor(url: () => string, logger: Logger) {
    this.#url = url;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    const program = fileURLToPath(new URL('../../bin/zoetrope.js', import.meta.url));
    const child = spawn(
      process.execPath,
      [program, 'simulate', 'cameras', '--count', '4', '--interval', '1', '--url', this.#url()],
      // The channel carries nothing: its end tells the cameras that the server is gone, even after a kill -9.
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    child.on('exit', (code, signal) => {
      if (!this.#closing) this.#logger.info({ code, signal }, 'the demo cameras ended');
    });
    await once(child, 'spawn');
    this.#child = child;
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#closing = true;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
}
