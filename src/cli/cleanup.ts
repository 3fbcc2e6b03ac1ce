import { Command } from 'commander';
import { createUpkeep } from '../app/upkeep-services.ts';
import type { RetentionReport } from '../upkeep/retention.ts';
import type { Amount } from '../upkeep/sweep.ts';
import { openContext, withStores } from './command-context.ts';
import { formatBytes, printJson, printLines } from './output.ts';

/** `zoetrope cleanup [--dry-run]`. */
export function cleanupCommand(): Command {
  return new Command('cleanup')
    .description('Remove what is older than the retention, and the oldest beyond the ceilings on bytes and free space.')
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
What players may still be reading, and what archives keep, stays. Runs beside a server, whose upkeep role does the same.

Examples:
  zoetrope cleanup --dry-run
  */5 * * * *  zoetrope cleanup        (cron)
`,
    )
    .action(async (options: { dryRun?: boolean; json?: boolean }, command: Command) => {
      const context = await openContext(command);
      const report = await withStores(context, ['objects', 'catalog'], (stores, signal) =>
        createUpkeep(context.config, { ...context, stores }).retention.runOnce({
          signal,
          dryRun: options.dryRun === true,
        }),
      );
      if (options.json === true) printJson(report);
      else printLines(linesOf(report));
    });
}

function linesOf(report: RetentionReport): readonly string[] {
  const would = report.dryRun ? 'would be ' : '';
  const lines = [
    `${would}retired for age:       ${amount(report.retiredByAge)}`,
    `${would}retired for a ceiling: ${amount(report.retiredByCeiling)}`,
    `${would}removed:               ${amount(report.swept)}`,
  ];
  if (report.unmetBytes === 0) return lines;
  return [...lines, `above the ceiling, kept by holds or too new: ${formatBytes(report.unmetBytes)}`];
}

function amount({ segments, bytes }: Amount): string {
  return `${segments} segments, ${formatBytes(bytes)}`;
}
