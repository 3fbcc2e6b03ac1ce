import { parseArgs } from 'node:util';
import { runSteps, testStep } from './steps.ts';
import { ensureTools, TOOLS } from './tools.ts';

const USAGE = `usage: npm run test:integrity -- [--rounds N] [--hostile-inputs N] [--only NAME[,NAME]]

  --rounds N          times that processes are killed in the crash test (default 50)
  --hostile-inputs N  inputs of the hostile test, and a tenth as many damaged films (default 1000)
  --only NAMES        only these properties: backpressure, chunks, clips, crash, disk-full, hostile, leak, order, recordings, restart, vod-crash, vod-hostile, vod-model`;

const PROPERTIES = [
  'crash',
  'restart',
  'order',
  'backpressure',
  'disk-full',
  'hostile',
  'leak',
  'recordings',
  'chunks',
  'vod-crash',
  'vod-model',
  'vod-hostile',
  'clips',
];

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
      fileTimeoutS:
        name.endsWith('crash') || name === 'recordings' || name === 'chunks'
          ? 120 + options.rounds * 30
          : 300 + options.hostileInputs / 5,
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
