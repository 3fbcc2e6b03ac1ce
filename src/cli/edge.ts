import { Command } from 'commander';
import { ZoetropeError } from '../base/errors.ts';
import type { Role } from '../config/schema.ts';
import { openContext } from './command-context.ts';
import { runServer } from './run-server.ts';

/** An edge transcodes nothing unless it is asked to. */
const EDGE_ROLES: Role[] = ['api', 'delivery', 'ingest', 'upkeep'];

interface EdgeOptions {
  readonly control?: string;
  readonly key?: string;
  readonly name?: string;
  readonly roles?: string;
  readonly host?: string;
  readonly port?: string;
  readonly metricsPort?: string;
}

/** `zoetrope edge`: a server that keeps by itself, and shows what it has at another. */
export function edgeCommand(): Command {
  return new Command('edge')
    .description(
      'Runs the server beside the sources. It dials out to its control, which shows its streams and gets the bytes of what somebody there watches or records.',
    )
    .option('--control <url>', 'the server that this one is an edge of')
    .option(
      '--key <key>',
      'key of control with the scope ingest; better in ZOETROPE_EDGE_KEY, which no list of processes shows',
    )
    .option('--name <name>', "what people call this edge (default: the machine's name)")
    .option('--roles <list>', `what this process does, comma-separated (default: ${EDGE_ROLES.join(',')})`)
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port of console, API and playback')
    .option('--metrics-port <number>', 'port of metrics and health')
    .addHelpText(
      'after',
      `
Examples:
  ZOETROPE_EDGE_KEY=… zoetrope edge --control https://video.example.org --name "North gate"
  zoetrope edge --control http://127.0.0.1:8080 --port 8081   both on one machine, to try it

It starts and records without control, too: what is missing there is sent when there is a link.
HTTPS_PROXY and NO_PROXY are honoured; a private certificate authority is named by NODE_EXTRA_CA_CERTS.
The first SIGINT or SIGTERM finishes open segments and ends; the second ends at once.`,
    )
    .action(async (options: EdgeOptions, command: Command) => {
      const context = await openContext(command, {
        kind: 'server',
        flags: [
          { flag: '--control', path: 'edge.control', value: options.control },
          { flag: '--key', path: 'edge.key', value: options.key },
          { flag: '--name', path: 'edge.name', value: options.name },
          { flag: '--roles', path: 'roles', value: options.roles },
          { flag: '--host', path: 'http.host', value: options.host },
          { flag: '--port', path: 'http.port', value: options.port },
          { flag: '--metrics-port', path: 'http.metricsPort', value: options.metricsPort },
        ],
      });
      if (context.config.edge.control === undefined) {
        throw new ZoetropeError(
          'invalid_configuration',
          'An edge must know its control: give --control URL, or set ZOETROPE_EDGE_CONTROL.',
        );
      }
      const isDefault = context.origins.get('roles')?.kind === 'default';
      const config = isDefault ? { ...context.config, roles: EDGE_ROLES } : context.config;
      await runServer({ ...context, config }, { withDemo: false, isEdge: true });
    });
}
