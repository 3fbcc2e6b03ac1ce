import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkSteps } from './checks.ts';
import { commandStep, packageBin, runSteps, testStep, type Step } from './steps.ts';
import { ensureTools, TOOLS } from './tools.ts';

/** It encodes live and counts each stall of a player: beside others it would measure those. */
const ALONE = 'test/e2e/ladder-players.test.ts';

const root = join(import.meta.dirname, '..');

try {
  ensureTools([
    TOOLS.chromium,
    TOOLS.ffmpeg,
    TOOLS.ffprobe,
    TOOLS.promtool,
    TOOLS.python,
    TOOLS.xmllint,
    TOOLS.openssl,
  ]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

const consoleIsBuilt = existsSync(join(root, 'console', 'dist', 'index.html'));
const buildConsole: Step = commandStep('console build', packageBin('vite'), ['build', 'console', '--logLevel', 'warn']);

const { passed, failed } = await runSteps([
  ...(consoleIsBuilt ? [] : [buildConsole]),
  ...checkSteps(),
  testStep({ name: 'contract', patterns: ['test/contract/**/*.test.ts'], fileTimeoutS: 180 }),
  testStep({ name: 'integration', patterns: ['test/integration/**/*.test.ts'], fileTimeoutS: 240 }),
  testStep({ name: 'acceptance', patterns: ['test/acceptance/**/*.test.ts'], fileTimeoutS: 180 }),
  // Players watch real clocks: these wait more than they compute.
  testStep({ name: 'e2e', patterns: ['test/e2e/**/*.test.ts'], exclude: [ALONE], fileTimeoutS: 300, concurrency: 2 }),
  testStep({ name: 'e2e, alone', patterns: [ALONE], fileTimeoutS: 300 }),
]);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
