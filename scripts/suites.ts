import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runSteps, testStep } from './steps.ts';
import { ensureTools, type Tool } from './tools.ts';

const SUFFIX = '.test.ts';

/** A number that a command takes and hands to its tests as an environment variable. */
export interface SuiteCount {
  readonly standard: number;
  readonly variable: string;
  readonly purpose: string;
}

/** A command that runs suites of its own folder. */
export interface SuitesPlan {
  /** The npm script's name. */
  readonly script: string;
  /** Below `test/`. Each file in it is a suite: none can be forgotten. */
  readonly folder: string;
  readonly tools: readonly Tool[];
  /** By option name. */
  readonly counts?: Readonly<Record<string, SuiteCount>>;
  /** The suite that takes longest: it begins first, so that nothing waits for it alone at the end. */
  readonly longest?: string;
  /** Suites that run at once. */
  readonly atOnce: number;
  readonly fileTimeoutS: (counts: Readonly<Record<string, number>>) => number;
}

/** Reads the command line, runs what it asks for, prints `N passed, N failed` and sets the exit code: 2 for a usage error. */
export async function runSuites(plan: SuitesPlan): Promise<void> {
  const { only, counts } = readOptions(plan);
  try {
    ensureTools(plan.tools);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  const env = Object.fromEntries(
    Object.entries(plan.counts ?? {}).map(([name, { variable }]) => [variable, `${counts[name]}`]),
  );
  const fileTimeoutS = plan.fileTimeoutS(counts);
  const { passed, failed } = await runSteps(
    only.map((name) =>
      testStep(
        { name, patterns: [`test/${plan.folder}/${name}${SUFFIX}`], fileTimeoutS, concurrency: 1, env },
        { details: true },
      ),
    ),
    plan.atOnce,
  );
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function readOptions(plan: SuitesPlan): {
  readonly only: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
} {
  const suites = readdirSync(join(import.meta.dirname, '..', 'test', plan.folder))
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .toSorted((a, b) => Number(b === plan.longest) - Number(a === plan.longest) || a.localeCompare(b));
  const wanted = Object.entries(plan.counts ?? {});
  try {
    const { values } = parseArgs({
      options: {
        ...Object.fromEntries(wanted.map(([name]) => [name, { type: 'string' as const }])),
        only: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage(plan, suites));
      process.exit(0);
    }
    const only = typeof values.only === 'string' ? values.only.split(',') : suites;
    const unknown = only.filter((name) => !suites.includes(name));
    if (unknown.length > 0) throw new Error(`There is no suite named ${unknown.join(', ')}.`);
    const given: Readonly<Record<string, unknown>> = values;
    return {
      only,
      counts: Object.fromEntries(wanted.map(([name, { standard }]) => [name, readCount(given[name], standard)])),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage(plan, suites)}`);
    process.exit(2);
  }
}

function usage({ script, counts }: SuitesPlan, suites: readonly string[]): string {
  const wanted = Object.entries(counts ?? {});
  return [
    `usage: npm run ${script} -- ${wanted.map(([name]) => `[--${name} N] `).join('')}[--only NAME[,NAME]]`,
    '',
    ...wanted.map(([name, { purpose, standard }]) => `  --${name} N  ${purpose} (default ${standard})`),
    `  --only NAMES  only these suites: ${suites.join(', ')}`,
  ].join('\n');
}

function readCount(given: unknown, standard: number): number {
  const value = Number(given ?? standard);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`A count must be a whole number above 0. Got ${String(given)}.`);
}
