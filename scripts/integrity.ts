import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runSteps, testStep } from './steps.ts';
import { ensureTools, TOOLS } from './tools.ts';

// Each file is a property; none can be forgotten here.
const FILES = fileURLToPath(new URL('../test/integrity/', import.meta.url));
const SUFFIX = '.test.ts';
const PROPERTIES = readdirSync(FILES)
  .filter((name) => name.endsWith(SUFFIX))
  .map((name) => name.slice(0, -SUFFIX.length))
  .toSorted();

const USAGE = `usage: npm run test:integrity -- [--rounds N] [--hostile-inputs N] [--only NAME[,NAME]]

  --rounds N          times that processes are killed (default 50)
  --hostile-inputs N  inputs of the hostile test, and a tenth as many damaged films (default 1000)
  --only NAMES        only these properties: ${PROPERTIES.join(', ')}`;

const options = readOptions();
try {
  ensureTools([TOOLS.ffmpeg, TOOLS.ffprobe]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

const steps = options.only.map((name) =>
  testStep(
    {
      name,
      patterns: [`test/integrity/${name}.test.ts`],
      fileTimeoutS: 300 + options.rounds * 30 + options.hostileInputs / 5,
      concurrency: 1,
      env: { INTEGRITY_ROUNDS: `${options.rounds}`, INTEGRITY_HOSTILE_INPUTS: `${options.hostileInputs}` },
    },
    { details: true },
  ),
);
const { passed, failed } = await runSteps(steps);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function readOptions(): { readonly rounds: number; readonly hostileInputs: number; readonly only: readonly string[] } {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '50' },
        'hostile-inputs': { type: 'string', default: '1000' },
        only: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const only = values.only?.split(',') ?? PROPERTIES;
    const unknown = only.filter((name) => !PROPERTIES.includes(name));
    if (unknown.length > 0) throw new Error(`There is no property named ${unknown.join(', ')}.`);
    return { rounds: count(values.rounds), hostileInputs: count(values['hostile-inputs']), only };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`A count must be a whole number above 0. Got ${text}.`);
  return value;
}
