import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second (USER_HZ). */
const TICKS_PER_SECOND = 100;

interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  readonly ownS: number;
  /** Of children that have ended and were waited for. */
  readonly reapedS: number;
}

/** CPU time, user and system, that a process and everything below it have used so far. Linux only. */
export function treeCpuS(rootPid: number): number {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readTimes(Number(name)) ?? []) : []));
  const below = (parent: number): number =>
    all
      .filter((times) => times.parent === parent)
      .reduce((sum, times) => sum + times.ownS + times.reapedS + below(times.pid), 0);
  const root = all.find((times) => times.pid === rootPid);
  return root === undefined ? 0 : root.ownS + root.reapedS + below(rootPid);
}

/** CPU time of this process's children that have ended. */
export function reapedChildrenCpuS(): number {
  return readTimes(process.pid)?.reapedS ?? 0;
}

/** Resident size of a process, in bytes. */
export function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib ?? 0) * 1024;
}

function readTimes(pid: number): ProcessTimes | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; what follows it does not.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0] = fields.slice(1);
    const [user = 0, system = 0, reapedUser = 0, reapedSystem = 0] = fields.slice(11);
    return {
      pid,
      parent,
      ownS: (user + system) / TICKS_PER_SECOND,
      reapedS: (reapedUser + reapedSystem) / TICKS_PER_SECOND,
    };
  } catch {
    // It ended meanwhile.
    return null;
  }
}
