import { join, resolve } from 'node:path';
import { PutGrants } from '../access/put-grants.ts';
import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import type { IdSource } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Config } from '../config/schema.ts';
import type { EventLog } from '../events/event-log.ts';
import type { ObjectStore, Presigner } from '../objects/object-store.ts';
import { withConfiguredKeys } from './s3-keys.ts';
import { readSecretFile } from './secret-file.ts';

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
  /** Signs and checks what lets others put objects by URLs of this server's, where the store has none. */
  readonly putGrants: PutGrants;
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

/** The URL of the object store with all that is needed to open it, keys included: not for messages. @throws invalid_configuration when keys are half given */
export function objectsAddress(config: Config): string {
  return withConfiguredKeys(storeUrls(config).objectsUrl, config.stores);
}

/** Builds the stores that the configuration names; the adapters' code loads here. @throws invalid_configuration for a URL that nothing serves. */
export async function openStores(
  config: Config,
  deps: { readonly clock: Clock; readonly ids: IdSource; readonly logger: Logger },
): Promise<Stores> {
  const urls = storeUrls(config);
  const [events, catalog] = await Promise.all([
    openEvents(urls.eventsUrl, config, deps),
    openCatalog(urls.catalogUrl, config, deps),
  ]);
  const putGrants = new PutGrants({ catalog, clock: deps.clock });
  const objects = await openObjects(objectsAddress(config), async (key, terms) => {
    const { token, expiresAtMs } = await putGrants.mint(key, terms);
    return { method: 'PUT', url: `/ingest/chunks/${token}`, headers: {}, expiresAtMs };
  });
  return { objects, events, catalog, putGrants };
}

/**
 * Builds the object store alone, as the engine's child processes need it.
 * @param objectsUrl with keys, see `objectsAddress`
 * @param presigner of a server, for stores that have no URLs of their own; without one this is a helper of a server that runs
 * @throws invalid_configuration
 */
export async function openObjects(objectsUrl: string, presigner?: Presigner): Promise<ObjectStore> {
  if (objectsUrl.startsWith('s3:')) {
    const [{ createS3Objects }, { parseS3Address }] = await Promise.all([
      import('../objects/s3/s3-objects.ts'),
      import('../objects/s3/s3-address.ts'),
    ]);
    return createS3Objects({ address: parseS3Address(objectsUrl), checksAtStart: presigner !== undefined });
  }
  const directory = pathOf(objectsUrl, 'file', 'ZOETROPE_OBJECTS_URL', 'file:DIR or s3://BUCKET/PREFIX?endpoint=URL');
  const { createFilesystemObjects } = await import('../objects/filesystem/filesystem-objects.ts');
  return createFilesystemObjects({ directory, ...(presigner === undefined ? {} : { presigner }) });
}

async function openCatalog(
  url: string,
  config: Config,
  deps: { readonly clock: Clock; readonly ids: IdSource; readonly logger: Logger },
): Promise<Catalog> {
  if (/^postgres(ql)?:/.test(url)) {
    const { createPostgresCatalog } = await import('../catalog/postgres/postgres-catalog.ts');
    return createPostgresCatalog({ url: withPassword(url, config.stores.catalogPasswordFile), ...deps });
  }
  const path = pathOf(url, 'sqlite', 'ZOETROPE_CATALOG_URL', 'sqlite:PATH or postgres://USER@HOST:PORT/DATABASE');
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
      `${variable} must be ${form}: there is no other adapter. Got ${JSON.stringify(withoutPassword(url))}.`,
    );
  }
  return resolve(path);
}

function withPassword(url: string, passwordFile: string | undefined): string {
  if (passwordFile === undefined || !URL.canParse(url)) return url;
  const whole = new URL(url);
  whole.password = encodeURIComponent(readSecretFile(passwordFile, 'ZOETROPE_CATALOG_PASSWORD_FILE'));
  return whole.href;
}

/** A URL fit for messages: `user:***@` in place of a password. */
export function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^/:@\s]*):.*@/, '$1:***@');
}
