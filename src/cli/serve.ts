import { Command } from 'commander';
import type { Role } from '../config/schema.ts';
import { openContext } from './command-context.ts';
import { runServer } from './run-server.ts';

/** `zoetrope serve`: runs until a signal ends it. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('Runs the server: every role, or those that --roles names.')
    .option('--roles <list>', 'what this process does, comma-separated: api, delivery, ingest, worker, upkeep')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port of console, API and playback')
    .option('--metrics-port <number>', 'port of metrics and health')
    .option('--demo', 'also run four simulated cameras')
    .addHelpText(
      'after',
      `
Examples:
  zoetrope serve --demo              everything on this machine, with pictures to look at
  zoetrope serve --roles ingest      turn frames into segments, nothing else
  ZOETROPE_HOST=0.0.0.0 zoetrope serve   beyond this machine: needs an API key first (zoetrope keys create)

The first SIGINT or SIGTERM finishes open segments and ends; the second ends at once.`,
    )
    .action(async (options: ServeOptions, command: Command) => {
      await serve(command, options, undefined);
    });
}

/** `zoetrope consumer`: ingest alone. */
export function consumerCommand(): Command {
  return new Command('consumer')
    .description('Runs ingest alone: reads frame events and writes segments. The same as serve --roles ingest.')
    .option('--metrics-port <number>', 'port of metrics and health')
    .action(async (options: ServeOptions, command: Command) => {
      await serve(command, options, ['ingest']);
    });
}

/** `zoetrope worker`: the tasks of assets alone. */
export function workerCommand(): Command {
  return new Command('worker')
    .description('Works through the tasks of uploaded files. Any number may run; the same as serve --roles worker.')
    .option('--metrics-port <number>', 'port of metrics and health')
    .option('--slots <number>', 'tasks at once; one a core unless said')
    .action(async (options: ServeOptions, command: Command) => {
      await serve(command, options, ['worker']);
    });
}

interface ServeOptions {
  readonly slots?: string;
  readonly roles?: string;
  readonly host?: string;
  readonly port?: string;
  readonly metricsPort?: string;
  readonly demo?: boolean;
}

async function serve(command: Command, options: ServeOptions, roles: readonly Role[] | undefined): Promise<void> {
  const context = await openContext(command, {
    kind: 'server',
    flags: [
      { flag: '--roles', path: 'roles', value: roles?.join(',') ?? options.roles },
      { flag: '--host', path: 'http.host', value: options.host },
      { flag: '--port', path: 'http.port', value: options.port },
      { flag: '--metrics-port', path: 'http.metricsPort', value: options.metricsPort },
      { flag: '--slots', path: 'vod.workers', value: options.slots },
    ],
  });
  await runServer(context, { withDemo: options.demo === true, isEdge: false });
}
