import { Command, InvalidArgumentError, Option } from 'commander';
import { ChunkAnnouncer } from '../simulator/encoder/chunk-announcer.ts';
import { simulateLive } from '../simulator/encoder/live-simulation.ts';
import { interruptible, openContext } from './command-context.ts';
import { parseCount } from './parse-option.ts';
import { addLiveOptions, liveSimulationOf, printLiveSummary, type LiveOptions } from './simulate-live.ts';

interface ChunksOptions extends LiveOptions {
  readonly checksum: 'sha256' | 'md5';
  readonly gapEvery?: number;
  readonly gapLost?: boolean;
  readonly badChecksumEvery?: number;
  readonly duplicateEvery?: number;
  readonly shuffle?: boolean;
  readonly end: boolean;
  readonly seed: number;
}

/** `zoetrope simulate chunks`. */
export function simulateChunksCommand(): Command {
  const command = new Command('chunks').description(
    'Simulate encoders that put chunks into the object store themselves and announce them by event.',
  );
  return addLiveOptions(command, { name: 'chunks', container: 'fmp4', restart: 'begin anew, a second later' })
    .addOption(new Option('--checksum <algorithm>', 'sha256 or md5').argParser(parseAlgorithm).default('sha256'))
    .addOption(new Option('--gap-every <n>', 'announce every n-th chunk after later ones').argParser(parseCount))
    .option('--gap-lost', 'with --gap-every: never')
    .addOption(
      new Option('--bad-checksum-every <n>', 'announce every n-th chunk with a wrong checksum').argParser(parseCount),
    )
    .addOption(new Option('--duplicate-every <n>', 'announce every n-th chunk twice').argParser(parseCount))
    .option('--shuffle', 'announce chunks four at a time, in any order')
    .option('--no-end', 'leave the stream open at the end')
    .option('--seed <number>', 'the same seed gives the same order', parseCount, 1)
    .addHelpText(
      'after',
      `
A chunk is one closed group of pictures with its sound: MPEG-TS, or fMP4 with its own init segment in front. Its bytes go to a presigned URL
of POST /v1/streams/STREAM/chunk-urls, then POST /v1/events/chunks announces it; POST /v1/streams/STREAM/end at the end. What the server
does not take is sent again; of more than 30 waiting chunks the oldest are given up and counted.

Examples:
  zoetrope simulate chunks
  zoetrope simulate chunks --streams 5 --segment-seconds 1 --duration 60 --json
  zoetrope simulate chunks --gap-every 10 --bad-checksum-every 15 --duplicate-every 7 --shuffle
`,
    )
    .action(async (options: ChunksOptions, command: Command) => {
      const context = await openContext(command);
      const { gapEvery = null, badChecksumEvery = null, duplicateEvery = null } = options;
      const { checksum: algorithm, gapLost: isGapLost = false, shuffle = false, end, seed } = options;
      const faults = { gapEvery, isGapLost, badChecksumEvery, duplicateEvery, shuffle };
      const summary = await interruptible((signal) =>
        simulateLive(
          liveSimulationOf(options, context),
          'chunks',
          (sink) => new ChunkAnnouncer({ ...sink, ...faults, algorithm, end, seed: seed * 1_000_003 + sink.index }),
          signal,
        ),
      );
      printLiveSummary(summary, options);
    });
}

function parseAlgorithm(text: string): 'sha256' | 'md5' {
  if (text === 'sha256' || text === 'md5') return text;
  throw new InvalidArgumentError('It must be sha256 or md5.');
}
