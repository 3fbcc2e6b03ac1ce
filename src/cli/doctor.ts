import { Command } from 'commander';
import { createUpkeep } from '../app/upkeep-services.ts';
import type { DoctorReport } from '../upkeep/doctor/doctor.ts';
import { openContext, withStores } from './command-context.ts';
import { printJson, printLines } from './output.ts';

/** `zoetrope doctor [--repair] [--deep]`. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check every invariant of what is stored: timelines, objects, holds, playlists and the event log.')
    .option('--deep', 'read every object: compare its hash, parse its media')
    .option('--repair', 'set right what can be: mark lost bytes (and found ones), delete objects that nothing names')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Exit code 0 when nothing is (or, after --repair, remains) wrong, 1 when something is. Runs beside a server.

Examples:
  zoetrope doctor
  zoetrope doctor --deep --json | jq .findings
  zoetrope doctor --repair
`,
    )
    .action(async (options: { deep?: boolean; repair?: boolean; json?: boolean }, command: Command) => {
      const context = await openContext(command);
      const report = await withStores(context, ['objects', 'events', 'catalog'], (stores, signal) =>
        createUpkeep(context.config, { ...context, stores }).doctor.examine({
          signal,
          deep: options.deep === true,
          repair: options.repair === true,
        }),
      );
      if (options.json === true) printJson(report);
      else printLines(linesOf(report));
      if (!report.clean) process.exitCode = 1;
    });
}

function linesOf(report: DoctorReport): readonly string[] {
  const lines = report.findings.map(({ check, streamId, subject, message, repair, repaired }) => {
    const place = streamId === null || streamId === subject ? subject : `${streamId} ${subject}`;
    const note = repaired ? ' (repaired)' : repair === null ? '' : ' (--repair sets it right)';
    return `${check.padEnd(15)}  ${place}: ${message}${note}`;
  });
  const { streams, assets, segments, epochs, lost, findings, clean, deep } = report;
  const lostNote = lost === 0 ? '' : `, ${lost} segments known to be lost`;
  const verdict =
    findings.length === 0 ? 'nothing is wrong' : clean ? 'all was set right' : `${findings.length} findings`;
  const how = deep ? 'every byte read' : 'names and sizes';
  return [
    ...lines,
    `${streams} streams, ${assets} assets, ${segments} segments, ${epochs} epochs (${how})${lostNote}: ${verdict}`,
  ];
}
