import { composeServer, type RunningServer, type ServerDeps } from '../app/server.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { CommandContext } from './command-context.ts';

/** Runs a server until a signal ends it. */
export async function runServer(
  context: CommandContext,
  extras: Pick<ServerDeps, 'withDemo' | 'isEdge'>,
): Promise<void> {
  const { logger } = context;
  const starting = new AbortController();
  const stopAsked = Promise.withResolvers<void>();
  onSignals((signal, count) => {
    if (count > 1) {
      logger.warn({ signal }, 'second signal: ending at once');
      process.exit(1);
    }
    logger.info({ signal }, 'finishing open segments; a second signal ends at once');
    starting.abort();
    stopAsked.resolve();
  });
  const server = await composeServer(context.config, { ...context, ...extras });
  try {
    await server.start(starting.signal);
  } catch (error) {
    if (starting.signal.aborted) return;
    throw error;
  }
  logger.info({ ...server.urls(), roles: context.config.roles }, 'zoetrope is ready');
  await stopAsked.promise;
  await stop(server, logger);
}

async function stop(server: RunningServer, logger: Logger): Promise<void> {
  try {
    await server.close();
    logger.info({}, 'zoetrope ended cleanly');
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'zoetrope did not end cleanly');
    process.exitCode = 1;
  }
}

/** A terminal, npm and the launcher each pass one Ctrl-C on: what comes within this time of a signal is the same signal. */
const SAME_SIGNAL_MS = 700;

function onSignals(handle: (signal: NodeJS.Signals, count: number) => void): void {
  let count = 0;
  let lastAtMs = Number.NEGATIVE_INFINITY;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, (signal) => {
      const isSame = performance.now() - lastAtMs < SAME_SIGNAL_MS;
      lastAtMs = performance.now();
      if (isSame) return;
      count += 1;
      handle(signal, count);
    });
  }
}
