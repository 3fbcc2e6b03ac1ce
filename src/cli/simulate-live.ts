import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { LiveSimulationOptions } from '../simulator/encoder/live-simulation.ts';
import type { LiveSummary } from '../simulator/encoder/live-tally.ts';
import type { SegmentContainer } from '../simulator/encoder/segment-muxer.ts';
import type { PictureSize } from '../simulator/simulated-camera.ts';
import { formatBytes, printJson, printLines } from './output.ts';
import { parseCount, parseInterval, parseSize, parseUrl } from './parse-option.ts';

/** What all simulated live sources have in common. */
export interface LiveOptions {
  readonly url: string;
  readonly key?: string;
  readonly name: string;
  readonly streams: number;
  readonly stream?: string;
  readonly container: SegmentContainer;
  readonly size: PictureSize;
  readonly fps: number;
  readonly segmentSeconds: number;
  readonly restartEvery?: number;
  readonly resizeEvery?: number;
  readonly duration?: number;
  readonly json?: boolean;
}

const DEFAULT_SIZE: PictureSize = { width: 640, height: 360 };

/** Where commands differ in the options that they share. */
export interface LiveDefaults {
  readonly name: string;
  readonly container: SegmentContainer;
  /** What `--restart-every` does. */
  readonly restart: string;
}

/** Adds the options of {@link LiveOptions} to a command. */
export function addLiveOptions(command: Command, { name, container, restart }: LiveDefaults): Command {
  return command
    .option('--url <url>', 'the server', parseUrl, 'http://127.0.0.1:8080')
    .option('--key <key>', 'an API key with the scopes ingest and manage, if the server wants one')
    .option('--streams <number>', 'how many', parseCount, 1)
    .option('--name <name>', 'of the streams that are made', name)
    .addOption(new Option('--stream <id>', 'a stream that is there already').conflicts('streams'))
    .option('--container <container>', 'ts or fmp4', parseContainer, container)
    .option('--segment-seconds <seconds>', 'length of a segment', parseInterval, 2)
    .addOption(new Option('--size <WxH>', 'size of the pictures').argParser(parseSize).default(DEFAULT_SIZE, '640x360'))
    .option('--fps <number>', 'pictures a second', parseRate, 25)
    .option('--restart-every <seconds>', restart, parseInterval)
    .option('--resize-every <seconds>', 'go on with another size', parseInterval)
    .option('--duration <seconds>', 'end after so long', parseInterval)
    .option('--json', 'print the summary as JSON');
}

/** The simulation that a command line asks for; says for people that it begins. */
export function liveSimulationOf(
  options: LiveOptions,
  context: { readonly clock: Clock; readonly logger: Logger },
): LiveSimulationOptions {
  const { url, name, streams, container, size, fps, segmentSeconds, json } = options;
  if (json !== true) printLines([`Simulating ${streams} of ${name} for ${url}; Ctrl-C ends it.`]);
  return {
    url,
    key: options.key ?? null,
    name,
    streams,
    stream: options.stream ?? null,
    container,
    size,
    framesPerS: fps,
    segmentMs: segmentSeconds * 1000,
    faults: { restartEveryMs: inMs(options.restartEvery), resizeEveryMs: inMs(options.resizeEvery) },
    durationMs: inMs(options.duration),
    clock: context.clock,
    logger: context.logger,
  };
}

/** Prints what came of it, as the options ask. */
export function printLiveSummary(summary: LiveSummary, { json }: LiveOptions): void {
  if (json === true) return printJson(summary);
  const { streams, segments, accepted, refused, dropped, lost, retries, restarts, resizes, bytes } = summary;
  const { late, duplicates } = summary;
  printLines([
    `${streams.length} streams: ${streams.slice(0, 8).join(', ')}${streams.length > 8 ? ', …' : ''}`,
    `${segments} segments: ${accepted} accepted (${formatBytes(bytes)}), ${refused} refused, ${dropped} dropped on purpose, ${lost} lost`,
    ...(late + duplicates > 0 ? [`${late} late and ${duplicates} announced twice on purpose`] : []),
    `${retries} retries, ${restarts} restarts, ${resizes} changes of size, at most ${summary.behindMs} ms behind the clock`,
    ...summary.causes,
  ]);
}

function inMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1000;
}

function parseContainer(text: string): SegmentContainer {
  if (text === 'ts' || text === 'fmp4') return text;
  throw new InvalidArgumentError('It must be ts or fmp4.');
}

function parseRate(text: string): number {
  const rate = parseCount(text);
  if (rate <= 120) return rate;
  throw new InvalidArgumentError('It must be a whole number from 1 to 120.');
}
