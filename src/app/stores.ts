import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config } from '../config/schema.ts';
import type { EventLog } from '../events/event-log.ts';
import type { ObjectStore } from '../objects/object-store.ts';

const HOUR_MS = 3_600_000;

/** Where the three stores are. */
export interface StoreUrls {
  readonly catalogUrl: string;
  readonly objectsUrl: string;
  readonly eventsUrl: string;
}

/** The three stores, built and not started. Start them in this order. */
export interface Stores {
  readonly objects: ObjectStore;
  readonly events: EventLog;
  readonly catalog: Catalog;
}

/** The configured store URLs, with the data directory's where none is set. Paths are absolute. */
export function storeUrls(config: Config): StoreUrls {
  const dataDir = resolve(config.dataDir);
  const { catalogUrl, objectsUrl, eventsUrl } = config.stores;
  return {
    catalogUrl: catalogUrl ?? `sqlite:${join(dataDir, 'catalog.db')}`,
    objectsUrl: objectsUrl ?? `file:${join(dataDir, 'objects')}`,
    eventsUrl: eventsUrl ?? `embedded:${join(dataDir, 'events.db')}`,
  };
}

/** Builds the stores that the configuration names; the adapters' code loads here. @throws invalid_configuration for a URL that nothing serves. */
export async function openStores(
  config: Config,
  deps: { readonly clock: Clock; readonly ids: IdSource; readonly logger: Logger },
): Promise<Stores> {
  const urls = storeUrls(config);
  const [objects, events, catalog] = await Promise.all([
    openObjects(urls.objectsUrl),
    openEvents(urls.eventsUrl, config, deps),
    openCatalog(urls.catalogUrl, deps),
  ]);
  return { objects, events, catalog };
}

/** Builds the object store alone, as the engine's child processes need it. @throws invalid_configuration */
export async function openObjects(objectsUrl: string): Promise<ObjectStore> {
  const directory = pathOf(objectsUrl, 'file', 'ZOETROPE_OBJECTS_URL', 'file:DIR');
  const { createFilesystemObjects } = await import('../objects/filesystem/filesystem-objects.ts');
  return createFilesystemObjects({ directory });
}

async function openCatalog(
  url: string,
  deps: { readonly clock: Clock; readonly ids: IdSource; readonly logger: Logger },
): Promise<Catalog> {
  const path = pathOf(url, 'sqlite', 'ZOETROPE_CATALOG_URL', 'sqlite:PATH');
  const { createSqliteCatalog } = await import('../catalog/sqlite/sqlite-catalog.ts');
  return createSqliteCatalog({ path, ...deps });
}

async function openEvents(
  url: string,
  config: Config,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<EventLog> {
  const path = pathOf(url, 'embedded', 'ZOETROPE_EVENTS_URL', 'embedded:PATH');
  const { createEmbeddedLog } = await import('../events/embedded/embedded-log.ts');
  return createEmbeddedLog({
    path,
    partitions: config.stores.eventPartitions,
    retentionMs: eventRetention(config.stores.eventRetentionHours * HOUR_MS),
    clock: deps.clock,
    logger: deps.logger,
  });
}

/** Dead letters are kept for people to look into; an event that was worked through has told all it had to within the hour. */
function eventRetention(retentionMs: number): (topic: string) => number {
  return (topic) => (topic.endsWith('.dead') ? retentionMs : Math.min(retentionMs, HOUR_MS));
}

/** The absolute path in `scheme:PATH`, `scheme:///PATH` included. */
function pathOf(url: string, scheme: string, variable: string, form: string): string {
  const path = url.startsWith(`${scheme}:`) ? url.slice(scheme.length + 1).replace(/^\/\/(?=\/)/, '') : '';
  if (path === '' || path.startsWith('//')) {
    throw new ZoetropeError(
      'invalid_configuration',
      `${variable} must be ${form}: this version has no other adapter. Got ${JSON.stringify(withoutPassword(url))}.`,
    );
  }
  return resolve(path);
}

/** A URL fit for messages: `user:***@` in place of a password. */
export function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^/:@\s]*):.*@/, '$1:***@');
}
