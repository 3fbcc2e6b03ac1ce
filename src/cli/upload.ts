import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { AssetJson } from '../api/rest/asset-shapes.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf, ZoetropeError } from '../base/errors.ts';
import { processEnvironment } from '../config/environment.ts';
import { interruptible, openContext } from './command-context.ts';
import { printJson, printLines } from './output.ts';
import { parseUrl } from './parse-option.ts';
import { assetLines, ProgressView, uploadLine } from './upload/progress-view.ts';
import { UploadClient } from './upload/upload-client.ts';
import { UploadMemory, type UploadIdentity } from './upload/upload-memory.ts';

interface UploadOptions {
  readonly url: string;
  readonly key?: string;
  readonly name?: string;
  readonly reference?: string;
  readonly priority?: number;
  readonly rung: readonly number[];
  readonly options?: object;
  readonly checksum?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** What became of one file. */
interface Outcome {
  readonly file: string;
  readonly assetId: string;
  /** Null: not watched. */
  readonly asset: AssetJson | null;
}

/** `zoetrope upload`. */
export function uploadCommand(): Command {
  return new Command('upload')
    .description('Upload files and make assets of them. What was stopped goes on when the same command comes again.')
    .argument('<file...>', 'video files')
    .option('--url <url>', 'the server', parseUrl, 'http://127.0.0.1:8080')
    .option('--key <key>', 'an API key with the scope ingest (and read, to watch), if the server wants one')
    .option('--name <name>', 'what the asset is called; default: the file’s name')
    .option('--reference <id>', 'your own id for the asset')
    .option('--priority <number>', 'from -10 to 10; higher goes first', parsePriority)
    .option('--rung <height>', 'a height to encode, such as 360; again for more; default: the ladder', addRung, [])
    .option('--options <json>', 'further options: the body of POST /v1/assets without source', parseOptions)
    .option('--checksum', 'read the file first, so that the server can check what arrived')
    .option('--watch', 'wait until the asset is ready, or failed (exit code 1)')
    .option('--json', 'print what became of the files as JSON')
    .addHelpText(
      'after',
      `
Examples:
  zoetrope upload film.mp4 --watch
  zoetrope upload *.mov --rung 360 --rung 720 --reference 2026-42
  zoetrope upload film.mkv --options '{"outputs":{"download":true}}' --json
`,
    )
    .action(async (paths: readonly string[], options: UploadOptions, command: Command) => {
      const { clock } = await openContext(command);
      const outcomes = await interruptible((signal) => new UploadRun(options, clock).run(paths, signal));
      if (options.json === true) printJson(outcomes.map(shown));
      else if (options.watch !== true) printLines(outcomes.map(({ file, assetId }) => `${assetId}  ${file}`));
      const failed = outcomes.filter(({ asset }) => asset !== null && asset.state !== 'ready');
      for (const { file, asset } of failed) process.stderr.write(`zoetrope: ${file}: ${causeWords(asset)}\n`);
      if (failed.length > 0) process.exitCode = 1;
    });
}

class UploadRun {
  readonly #options: UploadOptions;
  readonly #clock: Clock;
  readonly #client: UploadClient;
  readonly #memory: UploadMemory;
  readonly #view: ProgressView | null;

  constructor(options: UploadOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#client = new UploadClient({ url: options.url, key: options.key ?? null, clock });
    const { XDG_STATE_HOME } = processEnvironment();
    this.#memory = new UploadMemory(join(XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'zoetrope', 'uploads'));
    this.#view = options.json === true ? null : new ProgressView(process.stderr, clock);
  }

  /** One file after the other; what becomes of them is watched at the end, when all are at the server. */
  async run(paths: readonly string[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const sent: { readonly file: string; readonly assetId: string }[] = [];
    for (const file of paths) sent.push({ file, assetId: await this.#send(file, signal) });
    const outcomes: Outcome[] = [];
    for (const one of sent) {
      outcomes.push({ ...one, asset: this.#options.watch === true ? await this.#watch(one.assetId, signal) : null });
    }
    return outcomes;
  }

  async #send(path: string, signal: AbortSignal): Promise<string> {
    const { url, checksum } = this.#options;
    const asset = assetOptions(this.#options);
    const { size: sizeBytes, mtimeMs: modifiedAtMs } = await statOf(path);
    const identity: UploadIdentity = { url, path: resolve(path), sizeBytes, modifiedAtMs, asset };
    const location = await this.#memory.recall(identity);
    const name = basename(path);
    const sha256 = checksum === true ? await sha256Of(path) : null;
    const file = { path, name, sizeBytes, sha256 };
    const startMs = this.#clock.monotonicMs();
    let [from, done]: [number | null, number] = [null, 0];
    const watcher = {
      begun: (begunAt: string) => this.#remember(identity, begunAt),
      progress: (offset: number) => {
        from ??= offset;
        done = offset;
        const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
        const bytesPerS = seconds > 0.5 ? (offset - from) / seconds : null;
        this.#view?.paint([uploadLine(name, offset, sizeBytes, bytesPerS)], offset === sizeBytes);
      },
    };
    try {
      const assetId = await this.#client.upload(file, asset, { location, watcher, signal });
      await this.#memory.forget(identity);
      if (this.#options.watch === true) this.#view?.say(`${name}  uploaded: ${assetId}`);
      return assetId;
    } catch (error) {
      if (!signal.aborted) throw error;
      const percent = Math.floor((done / sizeBytes) * 100);
      throw new ZoetropeError('cancelled', `${name} was stopped at ${percent} %. The same command goes on from there.`);
    }
  }

  async #remember(identity: UploadIdentity, location: string): Promise<void> {
    try {
      await this.#memory.remember(identity, location);
    } catch (error) {
      // It goes up all the same; only a stop would cost what is there by then.
      this.#view?.say(`The upload cannot be gone on with after a stop: ${messageOf(error)}`);
    }
  }

  async #watch(assetId: string, signal: AbortSignal): Promise<AssetJson> {
    let before = '';
    const last = await this.#client.follow(
      assetId,
      (asset) => {
        const isLast = ['ready', 'failed', 'cancelled'].includes(asset.state);
        if (process.stderr.isTTY) this.#view?.paint(assetLines(asset), isLast);
        else if (asset.state !== before) this.#view?.say(`${asset.name}  ${asset.state}`);
        before = asset.state;
      },
      signal,
    );
    if (last.playback !== null)
      this.#view?.say(`${last.name}  plays at ${new URL(last.playback.hls, this.#options.url).href}`);
    return last;
  }
}

function assetOptions({ name, reference, priority, rung, options = {} }: UploadOptions): object {
  const { outputs, ...rest } = options as { readonly outputs?: object };
  const video = rung.length === 0 ? {} : { video: rung.map((heightPx) => ({ heightPx })) };
  const hasOutputs = outputs !== undefined || rung.length > 0;
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(reference === undefined ? {} : { referenceId: reference }),
    ...(priority === undefined ? {} : { priority }),
    ...(hasOutputs ? { outputs: { ...outputs, ...video } } : {}),
  };
}

async function statOf(path: string): Promise<{ readonly size: number; readonly mtimeMs: number }> {
  try {
    const found = await stat(path);
    if (found.isFile() && found.size > 0) return found;
  } catch (error) {
    throw new ZoetropeError('invalid_argument', `Cannot read ${path}: ${messageOf(error)}.`, { cause: error });
  }
  throw new ZoetropeError('invalid_argument', `${path} is no file, or an empty one. Name a video file.`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

function shown({ file, assetId, asset }: Outcome): object {
  return asset === null ? { file, assetId } : { file, assetId, state: asset.state, cause: asset.cause, asset };
}

function causeWords(asset: AssetJson | null): string {
  if (asset?.cause === null || asset === null) return `The asset was ${asset?.state ?? 'lost'}.`;
  return `${asset.cause.code}: ${asset.cause.message}`;
}

function addRung(text: string, before: readonly number[]): readonly number[] {
  if (/^\d{2,4}p?$/.test(text)) return [...before, Number.parseInt(text, 10)];
  throw new InvalidArgumentError('It must be a height in pixels, such as 360.');
}

function parsePriority(text: string): number {
  if (/^-?\d{1,2}$/.test(text) && Math.abs(Number(text)) <= 10) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from -10 to 10.');
}

function parseOptions(text: string): object {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${messageOf(error)}`);
  }
  throw new InvalidArgumentError('It must be a JSON object, such as {"outputs":{"download":true}}.');
}
