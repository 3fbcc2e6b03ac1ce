import type { Command } from 'commander';

/** A command of the command line; its code loads when it is called. */
export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command, in the order in which the help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'run the server: all roles, or those of --roles',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'consumer',
    summary: 'run ingest alone: frame events in, segments out',
    load: async () => (await import('./serve.ts')).consumerCommand(),
  },
  {
    name: 'worker',
    summary: 'work through the tasks of uploaded files, nothing else',
    load: async () => (await import('./serve.ts')).workerCommand(),
  },
  {
    name: 'edge',
    summary: 'run the server beside the sources, as an edge of another',
    load: async () => (await import('./edge.ts')).edgeCommand(),
  },
  {
    name: 'offline-checker',
    summary: 'end the sessions of cameras that went silent and archive them',
    load: async () => (await import('./offline-checker.ts')).offlineCheckerCommand(),
  },
  {
    name: 'cleanup',
    summary: 'remove what is older than the retention',
    load: async () => (await import('./cleanup.ts')).cleanupCommand(),
  },
  {
    name: 'archive-cleanup',
    summary: 'let expired archives go',
    load: async () => (await import('./archive-cleanup.ts')).archiveCleanupCommand(),
  },
  {
    name: 'reset-device',
    summary: 'delete everything of one device',
    load: async () => (await import('./reset-device.ts')).resetDeviceCommand(),
  },
  {
    name: 'doctor',
    summary: 'check every invariant of what is stored, and repair what can be',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'upload',
    summary: 'upload video files and make assets of them',
    load: async () => (await import('./upload.ts')).uploadCommand(),
  },
  {
    name: 'simulate',
    summary: 'send what cameras and encoders would, or upload films',
    load: async () => (await import('./simulate.ts')).simulateCommand(),
  },
  {
    name: 'config',
    summary: 'show the effective configuration and where each value comes from',
    load: async () => (await import('./config.ts')).configCommand(),
  },
  {
    name: 'keys',
    summary: 'create, list and revoke API keys',
    load: async () => (await import('./keys.ts')).keysCommand(),
  },
];
