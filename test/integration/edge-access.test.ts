/** Who may do what with edges. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import type { Scope } from '../../src/catalog/catalog.ts';
import { edgeApi } from '../fixtures/edge-api.ts';
import { ApiHarness, assertProblem, type Call, type Reply } from './api-harness.ts';

const HELLO = { name: 'site', version: '1' };
const STATUS = {
  uptimeS: 0,
  storedBytes: 0,
  backlogRows: 0,
  backlogSegments: 0,
  backlogBytes: 0,
  sentBytes: 0,
  freeBytes: null,
  clockOffsetMs: null,
  roundTripMs: null,
  streams: [],
};

interface Own {
  readonly edge: string;
  readonly stream: string;
  readonly session: number;
}

interface Rule {
  readonly call: (own: Own) => readonly [string, Call];
  readonly scopes: readonly Scope[];
  readonly ok: number;
  readonly foreign: number;
}

const RULES: Readonly<Record<string, Rule>> = {
  'PUT edge': { call: ({ edge }) => [`/v1/edges/${edge}`, put(HELLO)], scopes: ['ingest'], ok: 200, foreign: 409 },
  sync: {
    call: ({ edge, session }) => [
      `/v1/edges/${edge}/sync`,
      { body: { session, seen: null, waitMs: 0, sentAtMs: 0, status: STATUS } },
    ],
    scopes: ['ingest'],
    ok: 200,
    foreign: 404,
  },
  'PUT stream': {
    call: ({ edge, stream, session }) => [
      `/v1/edges/${edge}/streams/${stream}`,
      put({ session, kind: 'push', name: 'x', endedAtMs: null }),
    ],
    scopes: ['ingest'],
    ok: 204,
    foreign: 404,
  },
  'DELETE stream': {
    call: ({ edge, stream, session }) => [
      `/v1/edges/${edge}/streams/${stream}?session=${session}`,
      { method: 'DELETE' },
    ],
    scopes: ['ingest'],
    ok: 204,
    foreign: 404,
  },
  rows: {
    call: ({ edge, stream, session }) => [
      `/v1/edges/${edge}/streams/${stream}/rows`,
      { body: { session, rendition: 'main', epochs: [], rows: [] } },
    ],
    scopes: ['ingest'],
    ok: 200,
    foreign: 404,
  },
  gone: {
    call: ({ edge, session }) => [`/v1/edges/${edge}/gone`, { body: { session, ids: [] } }],
    scopes: ['ingest'],
    ok: 204,
    foreign: 404,
  },
  bytes: {
    call: ({ edge }) => [
      `/v1/edges/${edge}/segments/${randomIds.next('segment')}`,
      { method: 'PUT', body: Buffer.from('x'), headers: { 'content-type': 'application/octet-stream' } },
    ],
    scopes: ['ingest'],
    ok: 404,
    foreign: 404,
  },
  'GET edges': { call: () => ['/v1/edges', {}], scopes: ['read'], ok: 200, foreign: 200 },
  'GET edge': { call: ({ edge }) => [`/v1/edges/${edge}`, {}], scopes: ['read'], ok: 200, foreign: 404 },
  'DELETE edge': {
    call: ({ edge }) => [`/v1/edges/${edge}`, { method: 'DELETE' }],
    scopes: ['manage'],
    // It has just registered.
    ok: 409,
    foreign: 404,
  },
};

let api: ApiHarness;
const keys = new Map<string, string>();
before(async () => {
  api = await ApiHarness.start({ deps: (store) => ({ edges: edgeApi(store) }) });
  for (const scope of ['ingest', 'read', 'manage', 'admin'] as const) {
    keys.set(`acme ${scope}`, await api.key('acme', scope));
    keys.set(`other ${scope}`, await api.key('other', scope));
  }
});
after(() => api[Symbol.asyncDispose]());

async function makeOwn(): Promise<Own> {
  const { catalog } = api.store.stores;
  const id = randomIds.next('edge');
  const { edge } = await catalog.registerEdge({ id, tenant: 'acme', ...HELLO });
  const stream = randomIds.next('stream');
  const by = { edgeId: id, session: edge.session };
  await catalog.putEdgeStream(by, { streamId: stream, kind: 'push', name: 'x', endedAtMs: null });
  return { edge: id, stream, session: edge.session };
}

async function ask(rule: Rule, own: Own, key: string | undefined): Promise<Reply> {
  const [path, call] = rule.call(own);
  return api.call(path, { ...call, key });
}

for (const [name, rule] of Object.entries(RULES)) {
  test(`${name} opens to ${rule.scopes.join(' or ')} and admin, and to nobody else`, async () => {
    for (const [holder, key] of keys) {
      const [tenant, scope] = holder.split(' ') as [string, Scope];
      const reply = await ask(rule, await makeOwn(), key);
      const may = scope === 'admin' || rule.scopes.includes(scope);
      const isHome = tenant === 'acme' || scope === 'admin';
      assert.equal(reply.status, !may ? 403 : isHome ? rule.ok : rule.foreign, `${holder}: ${reply.text}`);
      if (reply.status >= 400) assertProblem(reply);
    }
    assert.equal((await ask(rule, await makeOwn(), undefined)).status, 401);
  });
}

test('an edge is of its key’s tenant, and so are its streams; lists show what is one’s own', async () => {
  const edge = randomIds.next('edge');
  const key = keys.get('other ingest');
  const { session } = (await api.call<{ session: number }>(`/v1/edges/${edge}`, { ...put(HELLO), key })).json;
  const stream = randomIds.next('stream');
  const body = { session, kind: 'frames', name: 'yard', endedAtMs: null };
  await api.call(`/v1/edges/${edge}/streams/${stream}`, { ...put(body), key });
  assert.equal((await api.store.stores.catalog.getStream(stream)).tenant, 'other');
  const listed = async (holder: string): Promise<readonly string[]> => {
    const page = await api.call<{ items: { id: string }[] }>('/v1/edges?limit=1000', { key: keys.get(holder) });
    return page.json.items.map(({ id }) => id);
  };
  assert.deepEqual(await listed('other read'), [edge]);
  assert.ok(!(await listed('acme read')).includes(edge));
  assert.ok((await listed('acme admin')).includes(edge));
});

function put(body: object): Call {
  return { method: 'PUT', body };
}
