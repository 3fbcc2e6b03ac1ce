import type { AssetJson } from '../../api/rest/asset-shapes.ts';
import type { Clock } from '../../base/clock.ts';
import { formatBytes } from '../output.ts';

const REPAINT_MS = 100;
const BAR_WIDTH = 24;

/** Where progress goes: a terminal is repainted, anything else gets a line when something happens. */
export class ProgressView {
  readonly #stream: NodeJS.WriteStream;
  readonly #clock: Clock;
  #painted = 0;
  #paintedAtMs = Number.NEGATIVE_INFINITY;

  constructor(stream: NodeJS.WriteStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** A line that stays. */
  say(line: string): void {
    this.#stream.write(`${this.#erased()}${line}\n`);
  }

  /** Lines that the next call replaces; nothing where there is no terminal. */
  paint(lines: readonly string[], isLast = false): void {
    if (!this.#stream.isTTY) return;
    const nowMs = this.#clock.monotonicMs();
    if (!isLast && nowMs - this.#paintedAtMs < REPAINT_MS) return;
    this.#paintedAtMs = nowMs;
    const width = Math.max(20, this.#stream.columns - 1);
    this.#stream.write(this.#erased() + lines.map((line) => `${line.slice(0, width)}\n`).join(''));
    this.#painted = isLast ? 0 : lines.length;
  }

  #erased(): string {
    const erase = this.#painted === 0 ? '' : `\x1b[${this.#painted}A\x1b[J`;
    this.#painted = 0;
    return erase;
  }
}

/** How an upload goes: a bar, the rate and the time left. */
export function uploadLine(name: string, doneBytes: number, sizeBytes: number, bytesPerS: number | null): string {
  const part = sizeBytes === 0 ? 1 : doneBytes / sizeBytes;
  const rate = bytesPerS === null ? '' : `  ${formatBytes(Math.round(bytesPerS))}/s`;
  const left = bytesPerS === null || bytesPerS === 0 ? null : (sizeBytes - doneBytes) / bytesPerS;
  return `${name}  ${bar(part)}  ${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)}${rate}${leftWords(left)}`;
}

/** How an asset is made: itself, and each of its outputs. */
export function assetLines(asset: AssetJson): readonly string[] {
  const pace = asset.speed === null ? '' : `  ${asset.speed.toFixed(2)}×`;
  const width = Math.max(...asset.outputs.map(({ name }) => name.length), 0);
  return [
    `${asset.name}  ${bar(asset.progress)}  ${asset.state}${pace}${leftWords(asset.etaSeconds)}`,
    ...asset.outputs.map(
      ({ name, progress, state, etaSeconds }) =>
        `  ${name.padEnd(width)}  ${bar(progress)}  ${state}${leftWords(etaSeconds)}`,
    ),
  ];
}

function bar(part: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, part)) * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${`${Math.floor(part * 100)}`.padStart(3)} %`;
}

function leftWords(seconds: number | null): string {
  if (seconds === null) return '';
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const clock = `${minutes}:${String(whole % 60).padStart(2, '0')}`;
  return `  ${hours > 0 ? `${hours}:${clock.padStart(5, '0')}` : clock} left`;
}
