import { enableCompileCache } from 'node:module';
import { serveTranscodes } from '../engine/worker/serve-transcodes.ts';
import { openObjects } from './stores.ts';

// The entry of a transcoder's process. Its arguments are the URL of the object store, which may hold credentials (it comes over the pipe), where
// compiled code is kept (a process does one thing and ends, and two thirds of its start would be compiling), and how nice it is.
serveTranscodes({
  openObjects: ([objectsUrl, cacheDirectory]) => {
    if (cacheDirectory !== undefined) enableCompileCache(cacheDirectory);
    return openObjects(objectsUrl ?? '');
  },
  niceness: ([, , niceness]) => (niceness === undefined ? null : Number(niceness)),
});
