import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { Delivery } from '../../src/delivery/delivery.ts';
import { noDeliveryMetrics } from '../../src/delivery/metrics.ts';
import { KeyAccess } from '../../src/access/key-access.ts';
import { streamDefaults } from '../../src/app/stream-defaults.ts';
import { vodApi } from '../fixtures/vod-api.ts';
import { webhookApi } from '../fixtures/webhook-world.ts';
import { ApiHarness } from './api-harness.ts';
import { edgeApi } from '../fixtures/edge-api.ts';
import { NO_EDGES } from '../fixtures/no-edges.ts';

interface MediaType {
  readonly schema?: object;
}

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, MediaType>> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: { readonly securitySchemes: Readonly<Record<string, object>> };
}

let api: ApiHarness;
let document: Document;
const routes: { readonly method: string; readonly url: string }[] = [];
before(async () => {
  api = await ApiHarness.start({
    deps: (store) => {
      const { clock } = store;
      const { catalog, objects } = store.stores;
      const access = new KeyAccess({ catalog, clock, logger: api?.logger, host: '127.0.0.1' });
      const delivery = new Delivery({
        catalog,
        objects,
        access,
        clock,
        metrics: noDeliveryMetrics,
        remote: NO_EDGES,
        defaults: streamDefaults(store.config),
        liveSegments: 6,
        assetSegmentMs: 4000,
        cacheBytes: 1_000_000,
      });
      return {
        vod: vodApi(store),
        edges: edgeApi(store),
        webhooks: webhookApi(store),
        playback: {
          routes: async (app, options) => {
            app.addHook('onRoute', (route) => {
              for (const method of [route.method].flat()) routes.push({ method, url: route.url });
            });
            await delivery.routes(app, options);
          },
          tryServe: (request, response) => delivery.tryServe(request, response),
        },
      };
    },
  });
  document = (await api.call<Document>('/openapi.json')).json;
});
after(() => api[Symbol.asyncDispose]());

function operations(): readonly (readonly [string, Operation])[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );
}

test('the document is OpenAPI 3.1, tags and security schemes that it uses are declared', () => {
  assert.match(document.openapi, /^3\.1\./);
  assert.deepEqual([document.info.title, document.info.version], ['Zoetrope', '1.2.3']);
  const tags = new Set(document.tags.map((tag) => tag.name));
  for (const [name, operation] of operations()) {
    assert.ok((operation.summary ?? '').length > 5, `${name} has no summary`);
    assert.equal(operation.tags?.length, 1, name);
    assert.ok(
      operation.tags?.every((tag) => tags.has(tag)),
      name,
    );
    for (const scheme of operation.security?.flatMap((item) => Object.keys(item)) ?? assert.fail(name)) {
      assert.ok(scheme in document.components.securitySchemes, `${name}: ${scheme}`);
    }
  }
});

test('every playback route is described', () => {
  const described = new Set(operations().map(([name]) => name));
  const playback = routes.filter((route) => route.method === 'GET');
  assert.ok(playback.length >= 9);
  for (const { url } of playback) {
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    assert.ok(described.has(`GET ${path}`), path);
  }
});

test('path parameters are declared, every schema compiles, every example fits its schema', () => {
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  const compile = (schema: object, where: string): void => {
    const validate = ajv.compile(schema);
    const { examples = [] } = schema as { readonly examples?: readonly unknown[] };
    for (const example of examples) assert.ok(validate(example), `${where}: ${JSON.stringify(validate.errors)}`);
  };
  for (const [name, operation] of operations()) {
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    const named = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    assert.deepEqual(
      declared.map((parameter) => parameter.name),
      named,
      name,
    );
    assert.ok(
      declared.every((parameter) => parameter.required),
      name,
    );
    for (const parameter of operation.parameters ?? []) compile(parameter.schema, `${name} ${parameter.name}`);
    const bodies = [operation.requestBody, ...Object.values(operation.responses)];
    for (const { schema } of bodies.flatMap((body) => Object.values(body?.content ?? {}))) {
      if (schema !== undefined) compile(schema, name);
    }
  }
});

test('every operation says how it succeeds and, as problems, how it fails', () => {
  for (const [name, operation] of operations()) {
    const statuses = Object.keys(operation.responses);
    assert.ok(
      statuses.some((status) => status.startsWith('2')),
      name,
    );
    for (const [status, response] of Object.entries(operation.responses)) {
      assert.ok(response.description.length > 3, `${name} ${status}`);
      const isHealth = name.endsWith('z');
      if (Number(status) < 400 || isHealth) continue;
      assert.deepEqual(Object.keys(response.content ?? {}), ['application/problem+json'], `${name} ${status}`);
    }
  }
  const frames = document.paths['/v1/devices/{clientId}/{deviceId}/frames']?.['post'];
  assert.deepEqual(Object.keys(frames?.requestBody?.content ?? {}), ['image/jpeg']);
  const file = document.paths['/v1/uploads/{filename}']?.['put'];
  assert.deepEqual(Object.keys(file?.requestBody?.content ?? {}), ['application/octet-stream']);
});

test('the docs page works without the internet', async () => {
  const page = await api.call('/docs/', { headers: { accept: 'text/html' } });
  assert.equal(page.status, 200);
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(sources.length > 2);
  for (const source of sources) {
    assert.doesNotMatch(source, /^(https?:)?\/\//);
    const url = new URL(source, `${api.url}/docs/`);
    const reply = await fetch(url);
    await reply.arrayBuffer(); // What is not read keeps its connection, and the server from closing.
    assert.equal(reply.status, 200, source);
  }
  assert.doesNotMatch(page.text, /<script>(?!\s*<\/script>)/, 'the security policy allows no inline script');
});
