import { pino } from 'pino';
import type { Logger } from '../base/logger.ts';
import type { Config } from '../config/schema.ts';

/** How, and how much, is logged. */
export interface LoggerOptions {
  readonly level: Config['logLevel'];
  readonly format: Config['logFormat'];
  /** Commands whose output is data log to the standard error stream. */
  readonly to: 'stdout' | 'stderr';
}

const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

/** The process's logger: one line an event, JSON or text, written before the call returns. */
export function createLogger(options: LoggerOptions): Logger {
  const destination = pino.destination({ dest: options.to === 'stdout' ? 1 : 2, sync: true });
  const settings = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (options.format === 'json') return pino(settings, destination);
  return pino(settings, { write: (line: string) => destination.write(toText(line)) });
}

/** `2026-01-01T00:00:00.000Z info  started port=8080`. */
function toText(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return ` ${name}=${/[\s"=]/.test(text) && typeof value === 'string' ? JSON.stringify(value) : text}`;
  });
  return `${String(time)} ${(LEVEL_NAMES[Number(level)] ?? String(level)).padEnd(5)} ${String(msg)}${pairs.join('')}\n`;
}
