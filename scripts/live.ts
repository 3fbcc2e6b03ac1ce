import { runSuites } from './suites.ts';
import { TOOLS } from './tools.ts';

await runSuites({
  script: 'test:live',
  folder: 'live',
  tools: [TOOLS.ffmpeg, TOOLS.ffprobe, TOOLS.chromium, TOOLS.curl],
  // Encoders run in real time, and each suite fills two cores with them, a server and the judges.
  atOnce: 1,
  fileTimeoutS: () => 180,
});
