import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../bin/zoetrope.js', import.meta.url));

/** A whole Zoetrope in a process tree of its own. */
export class BenchServer implements AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess, pid: number) {
    this.url = url;
    this.#child = child;
    this.pid = pid;
  }

  /** Starts one over an empty directory and waits until it is well. */
  static async start(directory: string, environment: Readonly<Record<string, string>>): Promise<BenchServer> {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const child = spawn(
      process.execPath,
      [PROGRAM, 'serve', '--port', String(port), '--metrics-port', String(metricsPort)],
      {
        env: {
          PATH: '/usr/bin:/bin',
          ZOETROPE_DATA_DIR: join(directory, 'data'),
          ZOETROPE_LOG_LEVEL: 'warn',
          ZOETROPE_GRPC_PORT: '0',
          ...environment,
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    await once(child, 'spawn');
    const server = new BenchServer(`http://127.0.0.1:${port}`, child, child.pid ?? 0);
    await server.#untilUp();
    return server;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async post(path: string, body: unknown): Promise<void> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    await response.body?.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  async #untilUp(): Promise<void> {
    while (this.#child.exitCode === null) {
      try {
        if ((await fetch(`${this.url}/healthz`)).ok) return;
      } catch {
        // Not listening yet.
      }
      await pause(100);
    }
    throw new Error(`The server ended with code ${this.#child.exitCode}.`);
  }
}

/** Waits; a benchmark measures real time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
