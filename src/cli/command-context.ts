import type { Command } from 'commander';
import { openStores, type Stores } from '../app/stores.ts';
import { systemClock, type Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { randomIds, type IdSource } from '../base/ids.ts';
import { Lifecycle } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig, type FlagValue, type LoadedConfig } from '../config/load-config.ts';
import { createLogger } from './logger.ts';

/** What every command stands on. */
export interface CommandContext extends LoadedConfig {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** How a command differs from the others. */
export interface ContextOptions {
  /** Settings that the command's own flags give. */
  readonly flags?: readonly FlagValue[];
  /** A server logs to stdout from `info` on; a tool, whose output is data, to stderr from `warn` on unless told otherwise. */
  readonly kind?: 'server' | 'tool';
}

/** Reads the configuration with the global flags of a command line. @throws invalid_configuration */
export async function openContext(command: Command, options: ContextOptions = {}): Promise<CommandContext> {
  const globals = command.optsWithGlobals<Partial<Record<'config' | 'dataDir' | 'logLevel' | 'logFormat', string>>>();
  const loaded = await loadConfig({
    file: globals.config,
    environment: processEnvironment(),
    flags: [
      { flag: '--data-dir', path: 'dataDir', value: globals.dataDir },
      { flag: '--log-level', path: 'logLevel', value: globals.logLevel },
      { flag: '--log-format', path: 'logFormat', value: globals.logFormat },
      ...(options.flags ?? []),
    ],
  });
  const isTool = options.kind !== 'server';
  const isQuiet = isTool && loaded.origins.get('logLevel')?.kind === 'default';
  const logger = createLogger({
    level: isQuiet ? 'warn' : loaded.config.logLevel,
    format: loaded.config.logFormat,
    to: isTool ? 'stderr' : 'stdout',
  });
  return { ...loaded, logger, clock: systemClock, ids: randomIds };
}

/** Runs `work` on started stores and closes them after it, whatever comes of it. SIGINT and SIGTERM abort its signal. */
export async function withStores<T>(
  context: CommandContext,
  needed: readonly ('objects' | 'events' | 'catalog')[],
  work: (stores: Stores, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stores = await openStores(context.config, context);
  const lifecycle = new Lifecycle(
    'stores',
    needed.map((name) => stores[name]),
    context,
  );
  return interruptible(async (signal) => {
    await lifecycle.start(signal);
    try {
      return await work(stores, signal);
    } finally {
      await lifecycle.close();
    }
  });
}

/** Runs `work` with a signal that the first SIGINT or SIGTERM aborts with `cancelled`; the second ends the process. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new ZoetropeError('cancelled', `Stopped by ${name}; what was done so far stays done.`));
  };
  // Whoever started this process over a channel (the demo) may die without a word: its end breaks the channel.
  const orphan = (): void =>
    controller.abort(new ZoetropeError('cancelled', 'Stopped: the process that started it is gone.'));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  if (process.connected) process.on('disconnect', orphan);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt).off('disconnect', orphan);
  }
}

/** Resolves when the signal aborts: for commands that run until they are stopped, for which that is no failure. */
export function interruption(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // An unreferenced timer of the work itself does not keep the process alive; this one does.
    const keepAlive = setInterval(() => undefined, 3_600_000);
    signal.addEventListener(
      'abort',
      () => {
        clearInterval(keepAlive);
        resolve();
      },
      { once: true },
    );
  });
}
