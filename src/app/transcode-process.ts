import { enableCompileCache } from 'node:module';
import { serveTranscodes } from '../engine/worker/serve-transcodes.ts';
import { openObjects } from './stores.ts';

// The entry of a transcoder's process. Its arguments are the URL of the object store, which may hold credentials (it comes over the pipe), and where
// compiled code is kept: a process does one thing and ends, and two thirds of its start would be compiling.
serveTranscodes(([objectsUrl, cacheDirectory]) => {
  if (cacheDirectory !== undefined) enableCompileCache(cacheDirectory);
  return openObjects(objectsUrl ?? '');
});
