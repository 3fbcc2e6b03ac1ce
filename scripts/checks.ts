import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture, commandStep, packageBin, testStep, type Step } from './steps.ts';

const root = join(import.meta.dirname, '..');

/** The gates of `npm run check`, in order. */
export function checkSteps(): readonly Step[] {
  const hasConsole = existsSync(join(root, 'console', 'tsconfig.json'));
  return [
    commandStep('format', packageBin('oxfmt'), ['--check', '.']),
    commandStep('lint', packageBin('oxlint'), ['--deny-warnings']),
    lintBitesStep,
    commandStep('types', packageBin('tsc'), ['-p', '.']),
    ...(hasConsole ? [commandStep('console types', packageBin('tsc'), ['-p', 'console'])] : []),
    testStep({ name: 'architecture', patterns: ['test/architecture.test.ts'], fileTimeoutS: 60 }),
    testStep({ name: 'docs', patterns: ['test/docs.test.ts'], fileTimeoutS: 60 }),
    testStep({ name: 'unit', patterns: ['src/**/*.test.ts', 'console/**/*.test.ts'], fileTimeoutS: 120 }),
  ];
}

/** Type-aware rules fall silent when their checker cannot be started; this shows that it could. */
const lintBitesStep: Step = {
  name: 'lint bites',
  async run() {
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-lint-'));
    try {
      const file = join(directory, 'floating.ts');
      await writeFile(
        file,
        'export async function later(): Promise<void> {}\nexport function now(): void {\n  later();\n}\n',
      );
      const { code, output } = await capture(packageBin('oxlint'), ['-c', join(root, '.oxlintrc.json'), file]);
      return code === 1 && output.includes('no-floating-promises')
        ? { passed: 1, failed: 0, note: '', failures: [] }
        : { passed: 0, failed: 1, note: '', failures: [`A floating promise went unseen by oxlint:\n${output}`] };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
