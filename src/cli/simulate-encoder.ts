import { Command, InvalidArgumentError, Option } from 'commander';
import { HlsPusher } from '../simulator/encoder/hls-pusher.ts';
import { simulateLive } from '../simulator/encoder/live-simulation.ts';
import { interruptible, openContext } from './command-context.ts';
import { parseCount } from './parse-option.ts';
import { addLiveOptions, liveSimulationOf, printLiveSummary, type LiveOptions } from './simulate-live.ts';

interface EncoderOptions extends LiveOptions {
  readonly method: 'PUT' | 'POST';
  readonly programDateTime: boolean;
  readonly dropEvery?: number;
  readonly reorder?: boolean;
}

/** `zoetrope simulate encoder`. */
export function simulateEncoderCommand(): Command {
  const command = new Command('encoder').description(
    'Simulate encoders that push HLS in real time: H.264 with a readable clock, and AAC that beeps with every second.',
  );
  return addLiveOptions(command, {
    name: 'encoder',
    container: 'ts',
    restart: 'begin anew, a second later and with the same names',
  })
    .option('--method <method>', 'PUT or POST', parseMethod, 'PUT')
    .option('--no-program-date-time', 'leave the wall clock out of the playlist')
    .addOption(new Option('--drop-every <n>', 'do not send every n-th segment').argParser(parseCount))
    .option('--reorder', 'send the later of two segments first')
    .addHelpText(
      'after',
      `
Files go to URL/ingest/hls/STREAM/: index.m3u8, segment0.ts, segment1.ts, … (fmp4: init.mp4, segment0.m4s, …), each segment before the
playlist that names it. Streams are made by POST /v1/streams unless --stream names one. What the server does not take is sent again; of more
than 30 waiting segments the oldest are given up and counted. It ends on SIGINT or SIGTERM with EXT-X-ENDLIST and a summary.

Examples:
  zoetrope simulate encoder
  zoetrope simulate encoder --streams 3 --container fmp4 --duration 120
  zoetrope simulate encoder --stream str_1 --restart-every 60 --resize-every 45 --drop-every 20 --reorder
`,
    )
    .action(async (options: EncoderOptions, command: Command) => {
      const context = await openContext(command);
      const { method, programDateTime: hasProgramDateTime, dropEvery = null, reorder = false } = options;
      const summary = await interruptible((signal) =>
        simulateLive(
          liveSimulationOf(options, context),
          'push',
          (sink) =>
            new HlsPusher({
              ...sink,
              folderUrl: `${sink.baseUrl}/ingest/hls/${encodeURIComponent(sink.streamId)}`,
              method,
              hasProgramDateTime,
              dropEvery,
              reorder,
              targetDurationS: Math.ceil(sink.segmentMs / 1000),
            }),
          signal,
        ),
      );
      printLiveSummary(summary, options);
    });
}

function parseMethod(text: string): 'PUT' | 'POST' {
  if (text === 'PUT' || text === 'POST') return text;
  throw new InvalidArgumentError('It must be PUT or POST.');
}
