import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { AssetJson } from '../api/rest/asset-shapes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { makeFilm } from '../simulator/film/simulated-film.ts';
import type { PictureSize } from '../simulator/simulated-camera.ts';
import { interruptible, openContext } from './command-context.ts';
import { printJson, printLines } from './output.ts';
import { parseCount, parseInterval, parseSize, parseUrl } from './parse-option.ts';
import { UploadClient } from './upload/upload-client.ts';

interface UploadsOptions {
  readonly count: number;
  readonly every: number;
  readonly duration: number;
  readonly fps: number;
  readonly size: PictureSize;
  readonly url: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** What came of the simulated uploads. */
interface UploadsSummary {
  readonly uploads: number;
  /** Taken by the server: an asset was made. */
  readonly accepted: number;
  readonly refused: number;
  readonly ready: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Not known: the simulation was stopped before. */
  readonly unfinished: number;
  /** From the asset's making until something played; null where nothing did. */
  readonly playableAfterSeconds: { readonly median: number; readonly max: number } | null;
  /** Each different cause, once. */
  readonly causes: readonly string[];
}

const DEFAULT_SIZE: PictureSize = { width: 640, height: 360 };

/** `zoetrope simulate uploads`. */
export function simulateUploadsCommand(): Command {
  return new Command('uploads')
    .description('Make small films with a readable clock and a tone, upload them, and tell what came of them.')
    .option('--count <number>', 'how many films', parseCount, 3)
    .option('--every <seconds>', 'between the beginnings of two uploads', parseInterval, 2)
    .option('--duration <seconds>', 'of each film', parseInterval, 10)
    .option('--fps <number>', 'pictures a second', parseCount, 10)
    .addOption(new Option('--size <WxH>', 'size of the pictures').argParser(parseSize).default(DEFAULT_SIZE, '640x360'))
    .option('--url <url>', 'the server', parseUrl, 'http://127.0.0.1:8080')
    .option('--key <key>', 'an API key with the scopes ingest and read, if the server wants one')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      `
It ends when every asset has ended, with exit code 1 unless all are ready; or on SIGINT or SIGTERM, with a summary.

Examples:
  zoetrope simulate uploads
  zoetrope simulate uploads --count 20 --every 1 --duration 30 --size 1280x720 --json
`,
    )
    .action(async (options: UploadsOptions, command: Command) => {
      const { clock, logger } = await openContext(command);
      if (options.json !== true) printLines([`Uploading ${options.count} films to ${options.url}; Ctrl-C ends it.`]);
      const summary = await interruptible((signal) => new UploadSimulation(options, clock, logger).run(signal));
      if (options.json === true) printJson(summary);
      else printLines(linesOf(summary));
      if (summary.ready < summary.uploads) process.exitCode = 1;
    });
}

class UploadSimulation {
  readonly #options: UploadsOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #client: UploadClient;
  readonly #ended: AssetJson[] = [];
  readonly #causes = new Set<string>();
  #begun = 0;
  #accepted = 0;
  #refused = 0;

  constructor(options: UploadsOptions, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#client = new UploadClient({ url: options.url, key: options.key ?? null, clock });
  }

  async run(signal: AbortSignal): Promise<UploadsSummary> {
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-films-'));
    try {
      const { count, every } = this.#options;
      const startMs = this.#clock.monotonicMs();
      await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const dueMs = startMs + index * every * 1000 - this.#clock.monotonicMs();
          await this.#clock.wait(Math.max(0, dueMs), signal).catch(() => undefined); // Stopped: the summary tells.
          if (!signal.aborted) await this.#one(index, directory, signal);
        }),
      );
      return this.#summary();
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #one(index: number, directory: string, signal: AbortSignal): Promise<void> {
    const { size, duration, fps } = this.#options;
    const name = `film-${index + 1}`;
    const startMs = this.#clock.nowMs();
    const bytes = makeFilm({ name, index, size, durationMs: duration * 1000, framesPerS: fps, startMs });
    const path = join(directory, `${name}.avi`);
    await writeFile(path, bytes);
    this.#begun += 1;
    const assetId = await this.#upload({ path, name: `${name}.avi`, sizeBytes: bytes.length, sha256: null }, signal);
    await rm(path);
    if (assetId === null) return;
    this.#accepted += 1;
    try {
      const asset = await this.#client.follow(assetId, () => undefined, signal);
      this.#ended.push(asset);
      if (asset.cause !== null) this.#note(`${asset.cause.code}: ${asset.cause.message}`);
    } catch (error) {
      if (!signal.aborted) this.#note(messageOf(error));
    }
  }

  async #upload(file: Parameters<UploadClient['upload']>[0], signal: AbortSignal): Promise<string | null> {
    const watcher = { begun: async () => undefined, progress: () => undefined };
    try {
      return await this.#client.upload(file, {}, { location: null, watcher, signal });
    } catch (error) {
      if (signal.aborted) return null;
      this.#refused += 1;
      this.#note(messageOf(error));
      return null;
    }
  }

  #note(cause: string): void {
    if (!this.#causes.has(cause)) this.#logger.warn({ cause }, 'simulated uploads');
    this.#causes.add(cause);
  }

  #summary(): UploadsSummary {
    const count = (state: AssetJson['state']): number => this.#ended.filter((asset) => asset.state === state).length;
    const waits = this.#ended
      .flatMap(({ createdAt, playableAt }) =>
        playableAt === null ? [] : [(Date.parse(playableAt) - Date.parse(createdAt)) / 1000],
      )
      .toSorted((a, b) => a - b);
    const median = waits[Math.floor(waits.length / 2)];
    return {
      uploads: this.#begun,
      accepted: this.#accepted,
      refused: this.#refused,
      ready: count('ready'),
      failed: count('failed'),
      cancelled: count('cancelled'),
      unfinished: this.#begun - this.#refused - this.#ended.length,
      playableAfterSeconds: median === undefined ? null : { median, max: waits.at(-1) ?? median },
      causes: [...this.#causes],
    };
  }
}

function linesOf(summary: UploadsSummary): readonly string[] {
  const { uploads, accepted, refused, ready, failed, cancelled, unfinished, playableAfterSeconds, causes } = summary;
  return [
    `${uploads} films: ${accepted} accepted, ${refused} refused`,
    `${ready} ready, ${failed} failed, ${cancelled} cancelled, ${unfinished} unfinished`,
    ...(playableAfterSeconds === null
      ? []
      : [
          `playable after ${playableAfterSeconds.median.toFixed(1)} s (median), ${playableAfterSeconds.max.toFixed(1)} s (most)`,
        ]),
    ...causes,
  ];
}
