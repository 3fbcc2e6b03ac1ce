import { Command } from 'commander';
import { createUpkeep } from '../app/upkeep-services.ts';
import { formatRfc3339 } from '../base/time.ts';
import type { OfflineReport } from '../upkeep/offline-checker.ts';
import { Periodic } from '../upkeep/periodic.ts';
import { interruption, openContext, withStores } from './command-context.ts';
import { printJson, printLines } from './output.ts';
import { parseSeconds } from './parse-option.ts';

interface Options {
  readonly once?: boolean;
  readonly continuous?: boolean;
  readonly interval?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `zoetrope offline-checker --continuous|--once [--interval S]`. */
export function offlineCheckerCommand(): Command {
  return new Command('offline-checker')
    .description(
      'End the sessions of sources that went silent, or that grew too long, and archive them; end pushed streams whose encoder stayed away.',
    )
    .option('--continuous', 'check again and again until a signal comes (the default)')
    .option('--once', 'check once and end')
    .option('--interval <seconds>', 'between two checks (default: upkeep.offlineCheckIntervalSeconds)', parseSeconds)
    .option('--dry-run', 'only say which sessions would end')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Any number may run at once, beside a server whose upkeep role does the same.

Examples:
  zoetrope offline-checker --once
  zoetrope offline-checker --continuous --interval 30
`,
    )
    .action(async (options: Options, command: Command) => {
      if (options.once === true && options.continuous === true) command.error('error: choose --once or --continuous');
      const context = await openContext(command);
      await withStores(context, ['catalog', 'events'], async (stores, signal) => {
        const checker = createUpkeep(context.config, { ...context, stores }).offlineChecker;
        const check = async (runSignal: AbortSignal): Promise<void> => {
          const report = await checker.runOnce({ signal: runSignal, dryRun: options.dryRun === true });
          if (options.json === true) printJson(shownReport(report));
          else printLines(linesOf(report));
        };
        if (options.once === true) return check(signal);
        const seconds = options.interval ?? context.config.upkeep.offlineCheckIntervalSeconds;
        const periodic = new Periodic({ name: 'offline-checker', intervalMs: seconds * 1000, run: check, ...context });
        await periodic.start();
        await interruption(signal);
        await periodic.close();
      });
    });
}

function shownReport({ dryRun, ended, endedStreams, open, postponed }: OfflineReport): unknown {
  const shown = ended.map(({ startMs, endMs, ...session }) => ({
    ...session,
    start: formatRfc3339(startMs),
    end: formatRfc3339(endMs),
  }));
  const streams = endedStreams.map(({ endedAtMs, ...stream }) => ({ ...stream, end: formatRfc3339(endedAtMs) }));
  return { dryRun, open, postponed, ended: shown, endedStreams: streams };
}

function linesOf({ dryRun, ended, endedStreams, open, postponed }: OfflineReport): readonly string[] {
  const lines = ended.map(({ streamName, by, startMs, endMs, archiveId }) => {
    const range = `${formatRfc3339(startMs)} – ${formatRfc3339(endMs)}`;
    return `${streamName}  ${range}  ${by}  ${archiveId ?? (dryRun ? '' : 'no archive')}`.trimEnd();
  });
  const streams = endedStreams.map(
    ({ streamName, endedAtMs }) => `${streamName}  ${formatRfc3339(endedAtMs)}  stream ended`,
  );
  const waiting = postponed === 0 ? '' : `, ${postponed} wait for their last frames`;
  return [...lines, ...streams, `${ended.length} of ${open} open sessions ${dryRun ? 'would be ' : ''}ended${waiting}`];
}
