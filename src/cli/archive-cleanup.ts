import { Command } from 'commander';
import { createUpkeep } from '../app/upkeep-services.ts';
import { formatRfc3339, type WallMs } from '../base/time.ts';
import { openContext, withStores } from './command-context.ts';
import { printJson, printLines } from './output.ts';

/** `zoetrope archive-cleanup [--dry-run]`. */
export function archiveCleanupCommand(): Command {
  return new Command('archive-cleanup')
    .description(
      'Let archives go whose time is over, and remove such clips. What only archives kept, the next cleanup removes.',
    )
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  zoetrope archive-cleanup --dry-run\n  0 * * * *  zoetrope archive-cleanup   (cron)\n',
    )
    .action(async (options: { dryRun?: boolean; json?: boolean }, command: Command) => {
      const context = await openContext(command);
      const dryRun = options.dryRun === true;
      const [report, clipReport] = await withStores(context, ['catalog', 'objects'], async (stores, signal) => {
        const { archiveExpiry, clipExpiry } = createUpkeep(context.config, { ...context, stores });
        return [await archiveExpiry.runOnce({ signal, dryRun }), await clipExpiry.runOnce({ signal, dryRun })] as const;
      });
      const released = report.released.map(shown);
      const removedClips = clipReport.removed.map(shown);
      if (options.json === true) return printJson({ dryRun, released, removedClips });
      const verb = dryRun ? 'would be let go' : 'let go';
      printLines([
        ...[...released, ...removedClips].map(
          ({ id, name, expiredAt }) => `${id}  ${name}  expired ${expiredAt ?? 'never'}`,
        ),
        `${released.length} archives ${verb}`,
        `${removedClips.length} clips ${dryRun ? 'would be removed' : 'removed'}`,
      ]);
    });
}

function shown<T extends { readonly expiresAtMs: WallMs | null }>({
  expiresAtMs,
  ...rest
}: T): Omit<T, 'expiresAtMs'> & { readonly expiredAt: string | null } {
  return { ...rest, expiredAt: expiresAtMs === null ? null : formatRfc3339(expiresAtMs) };
}
