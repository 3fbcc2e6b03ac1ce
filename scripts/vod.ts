import { runSuites } from './suites.ts';
import { TOOLS } from './tools.ts';

await runSuites({
  script: 'test:vod',
  folder: 'vod',
  tools: [TOOLS.ffmpeg, TOOLS.ffprobe, TOOLS.chromium, TOOLS.xmllint],
  // Each fills two cores with a server, its engine and the judges.
  atOnce: 1,
  fileTimeoutS: () => 600,
});
