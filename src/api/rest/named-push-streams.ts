import type { Principal } from '../../access/access.ts';
import { requireScope, requireStream } from '../../access/permission.ts';
import { ZoetropeError } from '../../base/errors.ts';
import type { IdSource } from '../../base/ids.ts';
import type { StreamStore } from '../../catalog/catalog.ts';
import type { Stream } from '../../timeline/stream.ts';
import { DEFAULT_TENANT } from './routes/stream-routes.ts';

/** Finds pushed streams by their names within a tenant, and makes them. */
export class NamedPushStreams {
  readonly #deps: { readonly catalog: Pick<StreamStore, 'listStreams' | 'createStream'>; readonly ids: IdSource };
  /** Of each name what is under way, so that two first playlists make one stream. */
  readonly #turns = new Map<string, Promise<Stream>>();

  constructor(deps: { readonly catalog: Pick<StreamStore, 'listStreams' | 'createStream'>; readonly ids: IdSource }) {
    this.#deps = deps;
  }

  /**
   * The stream of this name that the principal may push to; it is made if there is none and the principal may.
   * @throws conflict when several have the name; permission_denied
   */
  async find(principal: Principal, name: string): Promise<Stream> {
    const tenant = principal.tenant ?? DEFAULT_TENANT;
    const key = JSON.stringify([tenant, name]);
    const found = await this.#lookUp(principal, tenant, name);
    if (found !== null) return found;
    mayMake(principal, name);
    const turn = this.#turns.get(key) ?? this.#make(principal, tenant, name);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  async #make(principal: Principal, tenant: string, name: string): Promise<Stream> {
    const found = await this.#lookUp(principal, tenant, name);
    if (found !== null) return found;
    const id = this.#deps.ids.next('stream');
    return this.#deps.catalog.createStream({ id, tenant, kind: 'push', name, deviceId: null, settings: {} });
  }

  async #lookUp(principal: Principal, tenant: string, name: string): Promise<Stream | null> {
    const all: Stream[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<StreamStore['listStreams']>> = await this.#deps.catalog.listStreams(
        { tenant, kind: 'push', query: name },
        { limit: 1000, ...(cursor === null ? {} : { cursor }) },
      );
      all.push(...page.items.filter((stream) => stream.name === name));
      cursor = page.nextCursor;
    } while (cursor !== null);
    const own = all.find(({ id }) => id === principal.streamId);
    const [stream = null] = own === undefined ? all : [own];
    if (stream === null) return null;
    requireStream(principal, stream.id);
    if (own !== undefined || all.length === 1) return stream;
    throw new ZoetropeError(
      'conflict',
      `${all.length} streams are named ${JSON.stringify(name)}: ${all
        .slice(0, 10)
        .map(({ id }) => id)
        .join(', ')}. Rename all but one (PATCH /v1/streams/{id}), or push to /ingest/hls/{id}/.`,
    );
  }
}

function mayMake(principal: Principal, name: string): void {
  try {
    requireScope(principal, 'manage');
  } catch (error) {
    throw new ZoetropeError(
      'permission_denied',
      `There is no stream of kind push named ${JSON.stringify(name)} that this key may push to, and it may make none. ` +
        'Make it first, POST /v1/streams {"kind":"push","name":"…"}, or use a key with the scopes ingest and manage.',
      { cause: error },
    );
  }
}
