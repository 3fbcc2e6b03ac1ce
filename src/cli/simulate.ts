import { Command, InvalidArgumentError, Option } from 'commander';
import { simulateCameras } from '../simulator/camera-simulation.ts';
import type { PictureSize } from '../simulator/simulated-camera.ts';
import { FRAME_KINDS } from '../simulator/simulated-frame.ts';
import type { SimulationSummary } from '../simulator/tally.ts';
import { interruptible, openContext } from './command-context.ts';
import { printJson, printLines } from './output.ts';
import { parseCount, parseInterval, parseSize, parseUrl } from './parse-option.ts';
import { simulateChunksCommand } from './simulate-chunks.ts';
import { simulateEncoderCommand } from './simulate-encoder.ts';
import { simulateUploadsCommand } from './simulate-uploads.ts';

interface CamerasOptions {
  readonly count: number;
  readonly interval: number;
  readonly url: string;
  readonly key?: string;
  readonly size: PictureSize;
  readonly client: string;
  readonly jitter: number;
  readonly drop: number;
  readonly late: number;
  readonly duplicate: number;
  readonly corrupt: number;
  readonly resize: number;
  readonly markers: boolean;
  readonly seed: number;
  readonly duration?: number;
  readonly via: 'http' | 'events';
  readonly framesDir?: string;
  readonly timeZone: string;
  readonly json?: boolean;
}

const DEFAULT_SIZE: PictureSize = { width: 640, height: 480 };

/** `zoetrope simulate`: pretends to be a source of pictures or films. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Send pictures and films as real sources would.')
    .addCommand(simulateCamerasCommand())
    .addCommand(simulateEncoderCommand())
    .addCommand(simulateChunksCommand())
    .addCommand(simulateUploadsCommand());
}

/** `zoetrope simulate cameras`. */
export function simulateCamerasCommand(): Command {
  return new Command('cameras')
    .description(
      'Simulate cameras that send a JPEG every few seconds, with a clock and a readable time code in the picture.',
    )
    .option('--count <number>', 'how many cameras', parseCount, 4)
    .option('--interval <seconds>', 'between two frames of a camera', parseInterval, 5)
    .option('--url <url>', 'the server', parseUrl, 'http://127.0.0.1:8080')
    .option('--key <key>', 'an API key with the scopes ingest and manage, if the server wants one')
    .addOption(new Option('--size <WxH>', 'size of the pictures').argParser(parseSize).default(DEFAULT_SIZE, '640x480'))
    .option('--client <id>', 'the tenant whose cameras they are', 'demo')
    .option('--jitter <share>', 'how far capture times stray, 0 to 1', parseShare, 0)
    .option('--drop <share>', 'share of frames that are never made', parseShare, 0)
    .option('--late <share>', 'share of frames that come after newer ones', parseShare, 0)
    .option('--duplicate <share>', 'share of frames that come twice', parseShare, 0)
    .option('--corrupt <share>', 'share of frames that are damaged', parseShare, 0)
    .option('--resize <share>', 'share of frames of another size', parseShare, 0)
    .option('--no-markers', 'do not mark what happens in the pictures')
    .option('--seed <number>', 'the same seed gives the same faults', parseCount, 1)
    .option('--duration <seconds>', 'end after so long', parseInterval)
    .option('--via <way>', 'http: post each JPEG; events: write files and post events that name them', parseWay, 'http')
    .option(
      '--frames-dir <directory>',
      'for --via events: where the files go; one of the server’s ZOETROPE_FRAME_ROOTS',
    )
    .option('--time-zone <zone>', 'of the clock in the picture', Intl.DateTimeFormat().resolvedOptions().timeZone)
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      `
It waits for the server, keeps each camera's frames in order, and ends on SIGINT or SIGTERM with a summary.

Examples:
  zoetrope simulate cameras
  zoetrope simulate cameras --count 50 --interval 5 --jitter 0.3
  zoetrope simulate cameras --late 0.05 --duplicate 0.05 --corrupt 0.02 --resize 0.01 --duration 120
`,
    )
    .action(async (options: CamerasOptions, command: Command) => {
      const { interval, via, framesDir, duration, ...rest } = options;
      if (via === 'events' && framesDir === undefined) command.error('error: --via events needs --frames-dir');
      const context = await openContext(command);
      if (options.json !== true)
        printLines([`Simulating ${options.count} cameras for ${options.url}; Ctrl-C ends it.`]);
      const summary = await interruptible((signal) => {
        const signals = duration === undefined ? [signal] : [signal, AbortSignal.timeout(duration * 1000)];
        return simulateCameras(
          {
            ...rest,
            ...context,
            intervalMs: interval * 1000,
            key: options.key ?? null,
            framesDir: via === 'events' ? (framesDir ?? null) : null,
            faults: options,
          },
          AbortSignal.any(signals),
        );
      });
      if (options.json === true) printJson(summary);
      else printLines(linesOf(summary));
    });
}

function linesOf(summary: SimulationSummary): readonly string[] {
  const rows = FRAME_KINDS.filter((kind) => summary.kinds[kind].sent > 0 || kind === 'normal').map((kind) => {
    const { sent, accepted, refused } = summary.kinds[kind];
    return [kind, ...[sent, accepted, refused].map(String)];
  });
  const table = [['frames', 'sent', 'accepted', 'refused'], ...rows];
  return [
    ...table.map(([kind = '', ...cells]) => kind.padEnd(10) + cells.map((cell) => cell.padStart(10)).join('')),
    `${summary.cameras} cameras, ${summary.markers} markers, ${summary.dropped} frames dropped on purpose, ` +
      `${summary.lost} lost, ${summary.retries} retries`,
  ];
}

function parseShare(text: string): number {
  const share = text.trim() === '' ? Number.NaN : Number(text);
  if (share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

function parseWay(text: string): 'http' | 'events' {
  if (text === 'http' || text === 'events') return text;
  throw new InvalidArgumentError('It must be http or events.');
}
