import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { AccessStore } from '../catalog/catalog.ts';
import type { EngineStats } from '../engine/engine.ts';
import type { EventLog } from '../events/event-log.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { HealthCheck } from './health.ts';

/** The process does its work: its event loop turns, and this is how long one turn took. */
export function eventLoopCheck(clock: Pick<Clock, 'monotonicMs'>): HealthCheck {
  return {
    name: 'process',
    kind: 'live',
    async run() {
      const startMs = clock.monotonicMs();
      await new Promise((resolve) => setImmediate(resolve));
      return `Its event loop turns, once in ${Math.round(clock.monotonicMs() - startMs)} ms.`;
    },
  };
}

/** The catalog takes a write: one that is durable and leaves nothing behind. */
export function catalogCheck(
  catalog: Pick<AccessStore, 'beginIdempotent' | 'endIdempotent'>,
  ids: IdSource,
): HealthCheck {
  return {
    name: 'catalog',
    kind: 'ready',
    async run() {
      const key = ids.next('request');
      await catalog.beginIdempotent('readyz', key, '');
      await catalog.endIdempotent('readyz', key, null);
      return 'It takes writes.';
    },
  };
}

/** The object store takes a write and has room. */
export function objectsCheck(
  objects: Pick<ObjectStore, 'put' | 'delete' | 'freeBytes'>,
  ids: IdSource,
  minFreeBytes: number,
): HealthCheck {
  return {
    name: 'objects',
    kind: 'ready',
    async run(signal) {
      const free = await objects.freeBytes();
      if (free !== null && free < minFreeBytes) {
        throw new ZoetropeError('storage_full', `Only ${free} bytes are free; ${minFreeBytes} are needed. Make room.`);
      }
      const key = `health/${ids.next('request')}`;
      await objects.put(key, new Uint8Array([1]), { signal });
      await objects.delete([key]);
      return free === null ? 'It takes writes.' : `It takes writes; ${free} bytes are free.`;
    },
  };
}

/** The event log can be read, and says how far behind a group is. */
export function eventLogCheck(events: Pick<EventLog, 'lag'>, topic: string, group: string): HealthCheck {
  return {
    name: 'events',
    kind: 'ready',
    run: async () => `${await events.lag(topic, group)} events of ${topic} wait for ${group}.`,
  };
}

/** At least one engine process takes tasks. */
export function engineCheck(engine: { stats(): EngineStats }): HealthCheck {
  return {
    name: 'engine',
    kind: 'ready',
    async run() {
      const { ready, processes, queued, stalled } = engine.stats();
      if (ready === 0) throw new ZoetropeError('unavailable', `None of ${processes} engine processes is ready.`);
      if (stalled >= ready) {
        throw new ZoetropeError('unavailable', `All ${ready} engine processes stand still; ${queued} tasks wait.`);
      }
      return `${ready} of ${processes} processes are ready; ${queued} tasks wait.`;
    },
  };
}
