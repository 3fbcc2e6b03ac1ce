import { serveTranscodes } from '../engine/worker/serve-transcodes.ts';
import { openObjects } from './stores.ts';

// The entry of a transcoder's process. Its one argument is the URL of the object store, which may hold credentials: it comes over the pipe.
serveTranscodes(([objectsUrl]) => openObjects(objectsUrl ?? ''));
