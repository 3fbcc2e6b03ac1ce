import { spawn } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { DiagnosticLine, TestLine } from './test-reporter.ts';

/** A set of test files and how to run them. */
export interface TestGroup {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly exclude?: readonly string[];
  /** Files at once; default: one a core. */
  readonly concurrency?: number;
  /** How long one file may take before it is killed. Seconds. */
  readonly fileTimeoutS: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What came of a group. A skipped test counts as failed: a gate that is not checked is not passed. */
export interface GroupResult {
  readonly passed: number;
  readonly failed: number;
  readonly files: number;
  /** For people: one paragraph a failure. */
  readonly failures: readonly string[];
  /** What the tests said about themselves. */
  readonly diagnostics: readonly string[];
  /** The files that took longest, for whoever makes the run shorter; empty where none took long. */
  readonly slowest: string;
}

interface FileResult {
  readonly seconds: number;
  readonly lines: readonly TestLine[];
  readonly diagnostics: readonly string[];
  readonly output: string;
  readonly problem: string | null;
}

const root = join(import.meta.dirname, '..');
const running = new Set<number>();

/** Where compiled code is kept, as the launcher does it: most tests start servers. */
const COMPILED = join(root, 'node_modules', '.cache', 'compiled');

/** Runs each file of a group in a process of its own, under a deadline. */
export async function runTests(group: TestGroup): Promise<GroupResult> {
  const files = await filesOf(group);
  const results = new Map<string, FileResult>();
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      results.set(file, await runFile(file, group));
    }
  };
  const workers = Math.min(group.concurrency ?? availableParallelism(), files.length);
  await Promise.all(Array.from({ length: workers }, worker));
  return summarize(files, results);
}

/** Kills every test process that is still running: for the runner's own end by a signal. */
export function killRunningTests(): void {
  for (const pid of running) killGroup(pid);
}

async function filesOf(group: TestGroup): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const pattern of group.patterns) {
    for await (const file of glob(pattern, { cwd: root, exclude: ['**/node_modules/**', ...(group.exclude ?? [])] })) {
      files.add(file);
    }
  }
  return [...files].sort();
}

async function runFile(file: string, group: TestGroup): Promise<FileResult> {
  const directory = await mkdtemp(join(tmpdir(), 'zoetrope-tests-'));
  const report = join(directory, 'report.jsonl');
  const startedMs = performance.now();
  try {
    const { output, problem } = await execute(file, report, group);
    const text = await readFile(report, 'utf8').catch(() => '');
    const entries = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as TestLine | DiagnosticLine);
    const lines = entries.filter((entry) => 'outcome' in entry);
    const diagnostics = entries.flatMap((entry) => ('diagnostic' in entry ? [entry.diagnostic] : []));
    return { lines, diagnostics, output, problem, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function execute(file: string, report: string, group: TestGroup): Promise<{ output: string; problem: string | null }> {
  const reporter = join(import.meta.dirname, 'test-reporter.ts');
  const timeoutMs = group.fileTimeoutS * 1000;
  const child = spawn(
    process.execPath,
    // A test is timed out a little before its file is, so that the one that hangs is named.
    ['--test-reporter', reporter, '--test-reporter-destination', report, '--test-timeout', `${timeoutMs * 0.9}`, file],
    // A group of its own, so that a deadline ends what a hanging test has started too.
    {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { NODE_COMPILE_CACHE: COMPILED, ...process.env, ...group.env },
    },
  );
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (pid !== undefined) killGroup(pid);
    }, timeoutMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (pid !== undefined) running.delete(pid);
      const late = `did not end within ${group.fileTimeoutS} s: a test hangs, or a server, timer or child was left open`;
      const ended = code === 0 ? null : `ended with ${signal ?? `exit code ${code}`}`;
      resolve({ output: Buffer.concat(chunks).toString(), problem: timedOut ? late : ended });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

function summarize(files: readonly string[], results: ReadonlyMap<string, FileResult>): GroupResult {
  let passed = 0;
  let failed = 0;
  const failures: string[] = [];
  const diagnostics: string[] = [];
  for (const file of files) {
    const result = results.get(file);
    if (result === undefined) continue;
    diagnostics.push(...result.diagnostics);
    const tests = result.lines.filter((line) => !line.isSuite);
    const bad = tests.filter((line) => line.outcome !== 'passed');
    passed += tests.length - bad.length;
    failed += bad.length;
    for (const line of bad) failures.push(`${file} › ${line.name} (${line.outcome})\n${indent(line.reason ?? '')}`);
    const unexplained = bad.length === 0 && result.problem !== null;
    if (unexplained) {
      failed++;
      failures.push(`${file} ${result.problem}`);
    } else if (tests.length === 0) {
      failed++;
      failures.push(`${file} holds no test`);
    }
    if (bad.some((line) => line.outcome === 'failed') || unexplained) failures.push(outputOf(file, result.output));
  }
  return {
    passed,
    failed,
    files: files.length,
    failures: failures.filter((text) => text !== ''),
    diagnostics,
    slowest: slowestOf(results),
  };
}

function slowestOf(results: ReadonlyMap<string, FileResult>): string {
  const long = [...results].filter(([, { seconds }]) => seconds >= 10 && results.size > 1);
  const sorted = long.toSorted(([, a], [, b]) => b.seconds - a.seconds).slice(0, 12);
  if (sorted.length === 0) return '';
  return `; longest: ${sorted.map(([file, { seconds }]) => `${basename(file, '.test.ts')} ${seconds.toFixed(0)} s`).join(', ')}`;
}

function outputOf(file: string, output: string): string {
  const lines = output.trimEnd().split('\n');
  if (lines.join('') === '') return '';
  const shown = lines.slice(-60);
  return `output of ${file}${lines.length > shown.length ? `, last ${shown.length} lines` : ''}:\n${indent(shown.join('\n'))}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
