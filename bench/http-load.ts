import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { descendantsOf } from '../test/fixtures/processes.ts';

/** The core of whatever answers; loads are made on {@link LOAD_CORE}. */
export const SERVER_CORE = '0';

/** See {@link SERVER_CORE}. */
export const LOAD_CORE = '1';

/** A server of files, on {@link SERVER_CORE}. */
export interface FileServer extends AsyncDisposable {
  readonly url: string;
  /** Of the process that answers. */
  readonly pid: number;
}

/** What a load is. */
export interface Load {
  readonly url: string;
  /** The process that answers. */
  readonly pid: number;
  readonly connections: number;
  readonly seconds: number;
  /** A script for wrk; left out: the URL alone is asked for. */
  readonly script?: string;
}

/** What a load came to. */
export interface Loaded {
  /** Requests a second. */
  readonly rps: number;
  /** CPU time of the answering process for one. */
  readonly cpuUs: number;
  /** Share of one core that the answering process took. */
  readonly cores: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** nginx with one worker over the given files, as an operator who knows it would set it up for them. */
export async function startNginx(root: string, files: Readonly<Record<string, Uint8Array>>): Promise<FileServer> {
  mkdirSync(join(root, 'files'), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(root, 'files', name), bytes);
  const port = await freePort();
  writeFileSync(
    join(root, 'nginx.conf'),
    `daemon off; master_process on; worker_processes 1; worker_cpu_affinity 01; pid ${root}/pid; error_log ${root}/error.log;
     ${process.getuid?.() === 0 ? 'user root;' : ''}
     events { worker_connections 4096; }
     http {
       access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=100; default_type video/mp4;
       types { application/vnd.apple.mpegurl m3u8; }
       client_body_temp_path ${root}/b; proxy_temp_path ${root}/p; fastcgi_temp_path ${root}/f; uwsgi_temp_path ${root}/u; scgi_temp_path ${root}/s;
       server { listen 127.0.0.1:${port}; root ${root}/files; }
     }`,
  );
  const child = spawn('nginx', ['-p', root, '-c', join(root, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const exited = once(child, 'exit');
  for (let tries = 0; ; tries++) {
    const answers = await fetch(`${url}/${Object.keys(files)[0] ?? ''}`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (answers) break;
    if (tries > 100 || child.exitCode !== null) throw new Error('nginx did not start.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    pid: descendantsOf(child.pid ?? 0)[0] ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Asks for a URL over and over with wrk, on a core of its own. @throws when an answer is no success */
export async function load({ url, pid, connections, seconds, script }: Load): Promise<Loaded> {
  const startUs = cpuTimeUs(pid);
  const scripted = script === undefined ? [] : ['-s', script];
  const args = [
    '-c',
    LOAD_CORE,
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '30s',
    '--latency',
    ...scripted,
    url,
  ];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (piece: Buffer) => {
    out += piece.toString();
  });
  await once(child, 'close');
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(out)?.[1];
  const [, count, took] = /(\d+) requests in ([\d.]+)s/.exec(out) ?? [];
  if (rate === undefined || count === undefined || /Non-2xx|Socket errors/.test(out)) {
    throw new Error(`wrk failed on ${url}:\n${out}`);
  }
  const usedUs = cpuTimeUs(pid) - startUs;
  return {
    rps: Number(rate),
    cpuUs: usedUs / Number(count),
    cores: usedUs / 1e6 / Number(took),
    p50Ms: latencyMs(out, '50%'),
    p99Ms: latencyMs(out, '99%'),
  };
}

/** The medians of several loads. */
export function medianOf(loads: readonly Loaded[]): Loaded {
  const of = (key: keyof Loaded): number => median(loads.map((one) => one[key]));
  return {
    rps: Math.round(of('rps')),
    cpuUs: round(of('cpuUs')),
    cores: round(of('cores')),
    p50Ms: round(of('p50Ms')),
    p99Ms: round(of('p99Ms')),
  };
}

function latencyMs(out: string, percentile: string): number {
  const [, value, unit] = new RegExp(`^\\s+${percentile}\\s+([\\d.]+)(us|ms|s)$`, 'm').exec(out) ?? [];
  const factor = unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1;
  return Number(value) * factor;
}

/** User and system time of a process so far (proc_pid_stat(5), fields 14 and 15, in hundredths of a second). */
export function cpuTimeUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** The middle of some values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** What a URL answers with. @throws when that is no success */
export async function bytesOf(url: string): Promise<Uint8Array> {
  const answer = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.bytes();
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** To hundredths. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
