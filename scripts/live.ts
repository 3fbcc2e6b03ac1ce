import { parseArgs } from 'node:util';
import { runSteps, testStep } from './steps.ts';
import { ensureTools, TOOLS } from './tools.ts';

const USAGE = `usage: npm run test:live -- [--only NAME[,NAME]]

  --only NAMES  only these suites: clock, encoders, player, hostile, guide`;

const SUITES = ['clock', 'encoders', 'player', 'hostile', 'guide'];

const only = readOptions();
try {
  ensureTools([TOOLS.ffmpeg, TOOLS.ffprobe, TOOLS.chromium, TOOLS.curl]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

// One after the other: encoders run in real time, and each suite fills two cores with them, a server and the judges.
const steps = only.map((name) =>
  testStep({ name, patterns: [`test/live/${name}.test.ts`], fileTimeoutS: 180, concurrency: 1 }, { details: true }),
);
const { passed, failed } = await runSteps(steps);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function readOptions(): readonly string[] {
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string' }, help: { type: 'boolean', default: false } },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const names = values.only?.split(',') ?? SUITES;
    const unknown = names.filter((name) => !SUITES.includes(name));
    if (unknown.length > 0) throw new Error(`There is no suite named ${unknown.join(', ')}.`);
    return names;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}
