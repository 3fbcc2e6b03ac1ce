import { readFile } from 'node:fs/promises';
import { Command, CommanderError, Option } from 'commander';
import { ERROR_CATALOGUE, isZoetropeError, messageOf } from '../base/errors.ts';
import { processEnvironment } from '../config/environment.ts';
import { COMMANDS } from './command-table.ts';

/** Exit code for a wrong command line or configuration. */
const EXIT_USAGE = 2;

/**
 * Runs one command line to its end and sets the process's exit code: 0 done, 1 failed, 2 usage or configuration.
 * What went wrong is one message on the standard error stream; a stack is added at log level `debug` only.
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0); // The reader (`| head`) has seen enough.
    throw error;
  });
  const program = await buildProgram(args);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, isDebugging(program));
  }
}

/** The whole command tree; only the code of the command that `args` name is loaded. */
async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = globalOptions(new Command('zoetrope'))
    .description('One scrubbable timeline for every source of pictures.')
    .version(await readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'zoetrope: usage: ')) })
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 usage or configuration.\n')
    .exitOverride();
  const [first, second] = globalOptions(new Command()).parseOptions([...args]).operands;
  const chosen = first === 'help' ? second : first;
  for (const { name, summary, load } of COMMANDS) {
    const command = name === chosen ? await load() : new Command(name).description(summary);
    program.addCommand(inherit(command.summary(summary), program));
  }
  return program;
}

/** Options that every command takes, before or after its name. */
function globalOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: zoetrope.yaml, if it is there)')
    .option('--data-dir <directory>', 'where the embedded stores keep everything')
    .addOption(new Option('--log-level <level>', 'debug, info, warn, error or silent'))
    .addOption(new Option('--log-format <format>', 'json or text'));
}

function inherit(command: Command, from: Command): Command {
  command.copyInheritedSettings(from);
  for (const child of command.commands) inherit(child, command);
  return command;
}

function report(error: unknown, withStack: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // commander has written it.
  const code = isZoetropeError(error) ? error.code : 'internal';
  process.stderr.write(`zoetrope: ${code}: ${messageOf(error)}\n`);
  if (withStack && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`);
  return ERROR_CATALOGUE[code].exit;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

function isDebugging(program: Command): boolean {
  const { logLevel } = program.opts<{ logLevel?: string }>();
  return (logLevel ?? processEnvironment()['ZOETROPE_LOG_LEVEL']) === 'debug';
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
