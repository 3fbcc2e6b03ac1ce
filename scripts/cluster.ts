import { runSuites } from './suites.ts';
import { TOOLS } from './tools.ts';

// The servers that the suites run against come from packages: each fixture in test/fixtures/servers/ gets its own, or fails.
await runSuites({
  script: 'test:cluster',
  folder: 'cluster',
  tools: [TOOLS.ffmpeg, TOOLS.ffprobe, TOOLS.postgres],
  counts: { rounds: { standard: 8, variable: 'CLUSTER_ROUNDS', purpose: 'times that processes are killed' } },
  longest: 'postgres-contract',
  // They wait for servers more than they compute.
  atOnce: 2,
  fileTimeoutS: (counts) => 300 + (counts['rounds'] ?? 0) * 30,
});
