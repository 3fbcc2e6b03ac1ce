import { readFileSync } from 'node:fs';

/** Resident memory of another process of this machine, in bytes; null where it cannot be told: it has just ended, or this is not Linux. */
export function processMemory(pid: number): number | null {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match === null ? null : Number(match[1]) * 1024;
  } catch {
    return null;
  }
}
