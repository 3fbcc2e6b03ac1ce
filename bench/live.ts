/**
 * What live streams cost. `node bench/live.ts --json [--viewers 1000] [--seconds 5] [--rounds 3] [--streams 20] [--pushSeconds 24]`
 *
 * Each figure is a function in a file of its own and has a directory of its own; their numbers stand side by side in one line.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measurePush } from './live-push.ts';
import { measureViewers } from './live-viewers.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    viewers: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    streams: { type: 'string', default: '20' },
    pushSeconds: { type: 'string', default: '24' },
  },
});

/** Numbers by name; names of one figure begin alike. */
type Figure = (directory: string) => Promise<Readonly<Record<string, number>>>;

const FIGURES: Readonly<Record<string, Figure>> = {
  viewers: (directory) =>
    measureViewers({
      directory,
      viewers: Number(options.viewers),
      seconds: Number(options.seconds),
      rounds: Number(options.rounds),
    }),
  push: (directory) =>
    measurePush({ directory, streams: Number(options.streams), seconds: Number(options.pushSeconds) }),
};

const root = mkdtempSync(join(tmpdir(), 'zoetrope-bench-live-'));
try {
  const result: Record<string, string | number> = { bench: 'live' };
  for (const [name, measure] of Object.entries(FIGURES)) {
    const directory = join(root, name);
    mkdirSync(directory);
    Object.assign(result, await measure(directory));
  }
  console.log(options.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
} finally {
  rmSync(root, { recursive: true, force: true });
}
