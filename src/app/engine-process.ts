import { serveTasks } from '../engine/worker/serve-tasks.ts';
import { openObjects } from './stores.ts';

// The entry of an engine process. Its one argument is the URL of the object store, which may hold credentials: it comes over the pipe.
serveTasks(([objectsUrl]) => openObjects(objectsUrl ?? ''));
