import { readFileSync, readlinkSync } from 'node:fs';
import { systemCodeOf } from '../../base/errors.ts';

/** What tells a process from every other on this machine, now and later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started and in which process namespace; a reused pid differs. Empty where the system does not tell. */
  readonly started: string;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) ?? '' };
}

/** Whether a process has surely ended. False when that cannot be known from here, as of a process in another container. */
export function hasEnded(identity: ProcessIdentity): boolean {
  if (identity.pid === process.pid && identity.started === ownStart()) return false;
  if (identity.started !== '' && namespaceOf(identity.started) !== namespaceOf(ownStart())) return false;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    return systemCodeOf(error) === 'ESRCH';
  }
  if (identity.started === '') return false;
  const started = startOf(identity.pid);
  return started === null || started !== identity.started;
}

let ownStartCache: string | undefined;

function ownStart(): string {
  ownStartCache ??= startOf(process.pid) ?? '';
  return ownStartCache;
}

function namespaceOf(started: string): string {
  return started.slice(0, started.lastIndexOf('@'));
}

/** `namespace@ticks` from Linux's /proc; null for a process that has ended (a zombie has), empty elsewhere. */
function startOf(pid: number): string | null {
  if (process.platform !== 'linux') return '';
  try {
    const namespace = `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Fields behind the command's name, which may hold spaces and parentheses: state is the 3rd of all, the start time the 22nd (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${namespace}@${fields[19] ?? ''}`;
  } catch (error) {
    return systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ESRCH' ? null : '';
  }
}
