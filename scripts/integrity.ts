import { runSuites } from './suites.ts';
import { TOOLS } from './tools.ts';

await runSuites({
  script: 'test:integrity',
  folder: 'integrity',
  tools: [TOOLS.ffmpeg, TOOLS.ffprobe],
  counts: {
    rounds: { standard: 50, variable: 'INTEGRITY_ROUNDS', purpose: 'times that processes are killed' },
    'hostile-inputs': {
      standard: 1000,
      variable: 'INTEGRITY_HOSTILE_INPUTS',
      purpose: 'inputs of the hostile test, and a tenth as many damaged films',
    },
  },
  longest: 'vod-hostile',
  // They wait for processes to die and come back more than they compute.
  atOnce: 2,
  fileTimeoutS: (counts) => 300 + (counts['rounds'] ?? 0) * 30 + (counts['hostile-inputs'] ?? 0) / 5,
});
