import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { killRunningTests, runTests, type TestGroup } from './test-runner.ts';

/** What a step found. */
export interface StepResult {
  readonly passed: number;
  readonly failed: number;
  /** Stands behind the step's line, e.g. `12 files`. */
  readonly note: string;
  readonly failures: readonly string[];
  /** Stand below the step's line. */
  readonly details?: readonly string[];
}

/** One gate. */
export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

/** Sums over all steps. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

const root = join(import.meta.dirname, '..');

/** A step that passes when a command exits with 0. */
export function commandStep(name: string, command: string, args: readonly string[]): Step {
  return {
    name,
    async run() {
      const { code, output } = await capture(command, args);
      return code === 0
        ? { passed: 1, failed: 0, note: '', failures: [] }
        : { passed: 0, failed: 1, note: `exit code ${code}`, failures: [output.trimEnd()] };
    },
  };
}

/** A step that passes when all tests of a group do; `details` also shows what they said about themselves. */
export function testStep(group: TestGroup, options: { readonly details?: boolean } = {}): Step {
  return {
    name: group.name,
    async run() {
      const { passed, failed, files, failures, diagnostics, slowest } = await runTests(group);
      const note = `${passed} passed, ${failed} failed in ${files} files${slowest}`;
      return { passed, failed, failures, note, ...(options.details === true ? { details: diagnostics } : {}) };
    },
  };
}

/** Runs every step even when one fails, so many at once, with one line each as it ends; then shows all failures. */
export async function runSteps(steps: readonly Step[], atOnce = 1): Promise<Totals> {
  stopWithChildren();
  const failures: string[] = [];
  let passed = 0;
  let failed = 0;
  const waiting = [...steps];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const startedMs = performance.now();
      const result = await runStep(step);
      tell(step, result, (performance.now() - startedMs) / 1000);
      passed += result.passed;
      failed += result.failed;
      failures.push(...result.failures.map((text) => `── ${step.name}\n${text}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) console.log(`\n${failures.join('\n\n')}\n`);
  return { passed, failed };
}

function tell({ name }: Step, { failed, note, failures, details }: StepResult, seconds: number): void {
  const mark = failed === 0 ? 'ok  ' : 'FAIL';
  console.log(`${mark} ${name.padEnd(14)} ${seconds.toFixed(1).padStart(6)} s  ${note}`.trimEnd());
  for (const failure of failures) console.log(`       ${failure.split('\n', 1)[0]}`);
  for (const detail of details ?? []) console.log(`       ${detail}`);
}

async function runStep(step: Step): Promise<StepResult> {
  try {
    return await step.run();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { passed: 0, failed: 1, note: 'could not run', failures: [text] };
  }
}

/** Runs a command in the repository's root without input. */
export function capture(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/** The path of a command that came with a package. */
export function packageBin(name: string): string {
  return join(root, 'node_modules', '.bin', name);
}

let stopsWithChildren = false;

function stopWithChildren(): void {
  if (stopsWithChildren) return;
  stopsWithChildren = true;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      killRunningTests();
      process.exit(130);
    });
  }
}
