import { Command } from 'commander';
import { createUpkeep } from '../app/upkeep-services.ts';
import { formatRfc3339 } from '../base/time.ts';
import { openContext, withStores } from './command-context.ts';
import { printJson, printLines } from './output.ts';

/** `zoetrope archive-cleanup [--dry-run]`. */
export function archiveCleanupCommand(): Command {
  return new Command('archive-cleanup')
    .description('Let archives go whose time is over. What only they kept, the next cleanup removes.')
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  zoetrope archive-cleanup --dry-run\n  0 * * * *  zoetrope archive-cleanup   (cron)\n',
    )
    .action(async (options: { dryRun?: boolean; json?: boolean }, command: Command) => {
      const context = await openContext(command);
      const dryRun = options.dryRun === true;
      const report = await withStores(context, ['catalog'], (stores, signal) =>
        createUpkeep(context.config, { ...context, stores }).archiveExpiry.runOnce({ signal, dryRun }),
      );
      const released = report.released.map(({ expiresAtMs, ...archive }) => ({
        ...archive,
        expiredAt: expiresAtMs === null ? null : formatRfc3339(expiresAtMs),
      }));
      if (options.json === true) return printJson({ dryRun, released });
      const verb = dryRun ? 'would be let go' : 'let go';
      printLines([
        ...released.map(({ id, name, expiredAt }) => `${id}  ${name}  expired ${expiredAt ?? 'never'}`),
        `${released.length} archives ${verb}`,
      ]);
    });
}
