import { Command } from 'commander';
import { resetDevice } from '../upkeep/reset-device.ts';
import { openContext, withStores } from './command-context.ts';
import { formatBytes, printJson, printLines } from './output.ts';

interface Options {
  readonly client: string;
  readonly device: string;
  readonly dryRun?: boolean;
  readonly skipCatalog?: boolean;
  readonly skipStorage?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `zoetrope reset-device -c CLIENT -d DEVICE`. */
export function resetDeviceCommand(): Command {
  return new Command('reset-device')
    .description(
      'Delete everything of one device: its timeline, markers, archives and stored frames. There is no way back.',
    )
    .requiredOption('-c, --client <id>', 'the client (tenant) whose device it is')
    .requiredOption('-d, --device <id>', 'the device')
    .option('--dry-run', 'only say what would go')
    .option('--skip-catalog', 'keep the rows; segments without bytes are marked as lost')
    .option('--skip-storage', 'keep the objects; the daily sweep of orphans takes them')
    .option('--force', 'its recordings too: without it, a device that has some is left as it is')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
A running server notices at once. Frames of the device that still come begin a new timeline.

Examples:
  zoetrope reset-device -c client-abc -d device-001 --dry-run
  zoetrope reset-device -c client-abc -d device-001
`,
    )
    .action(async (options: Options, command: Command) => {
      const context = await openContext(command);
      const report = await withStores(context, ['objects', 'catalog'], (stores, signal) =>
        resetDevice(
          {
            clientId: options.client,
            deviceId: options.device,
            dryRun: options.dryRun === true,
            skipCatalog: options.skipCatalog === true,
            skipStorage: options.skipStorage === true,
            force: options.force === true,
            signal,
          },
          stores,
        ),
      );
      if (options.json === true) return printJson(report);
      const would = report.dryRun ? 'would be ' : '';
      printLines([
        `stream ${report.streamId}: ${report.segments} segments, rows ${would}${report.catalog}`,
        `${report.objects} objects (${formatBytes(report.bytes)}) ${would}deleted`,
      ]);
    });
}
