import { runSuites } from './suites.ts';
import { TOOLS } from './tools.ts';

await runSuites({
  script: 'test:live',
  folder: 'live',
  tools: [TOOLS.ffmpeg, TOOLS.ffprobe, TOOLS.chromium, TOOLS.curl],
  fileTimeoutS: () => 180,
});
