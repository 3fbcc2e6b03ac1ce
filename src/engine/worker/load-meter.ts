import { readFileSync, writeFileSync } from 'node:fs';
import type { ProcessLoad } from '../protocol.ts';

/** Written there, the peak counts anew (Linux, proc(5), `/proc/pid/clear_refs`). */
const RESET_PEAK = '5';

/** What a task has cost this process. The peak of its memory counts from when the meter was made. */
export class LoadMeter {
  readonly #chargedMs: number;
  readonly #hasOwnPeak: boolean;

  /** `chargedMs`: what CPU time of this process was charged to tasks before; the rest, also that of its start, is charged to this one. */
  constructor(chargedMs: number) {
    this.#chargedMs = chargedMs;
    this.#hasOwnPeak = resetPeak();
  }

  load(): ProcessLoad {
    return {
      rssBytes: process.memoryUsage.rss(),
      peakRssBytes: (this.#hasOwnPeak ? readPeak() : null) ?? process.resourceUsage().maxRSS * 1024,
      cpuMs: cpuMs() - this.#chargedMs,
    };
  }
}

/** CPU time of this process so far, user and system. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', RESET_PEAK);
    return true;
  } catch {
    return false; // Not Linux, or not allowed: the peak is that of the process's whole life.
  }
}

function readPeak(): number | null {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return match === null ? null : Number(match[1]) * 1024;
}
