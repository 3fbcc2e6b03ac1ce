import { runSuites } from './suites.ts';
import { TOOLS } from './tools.ts';

await runSuites({
  script: 'test:vod',
  folder: 'vod',
  tools: [TOOLS.ffmpeg, TOOLS.ffprobe, TOOLS.chromium, TOOLS.xmllint],
  longest: 'shapes',
  // Players watch real clocks while others compute.
  atOnce: 2,
  fileTimeoutS: () => 600,
});
