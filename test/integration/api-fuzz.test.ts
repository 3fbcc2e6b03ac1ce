import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Uploads } from '../../src/vod/uploads/uploads.ts';
import { edgeApi } from '../fixtures/edge-api.ts';
import { vodApi } from '../fixtures/vod-api.ts';
import { webhookApi } from '../fixtures/webhook-world.ts';
import { ApiHarness, assertProblem, iso } from './api-harness.ts';

interface Fuzzed {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

let api: ApiHarness;
let uploads: Uploads;
let ids: { readonly stream: string; readonly marker: string; readonly asset: string; readonly upload: string };
before(async () => {
  api = await ApiHarness.start({
    deps: (store) => {
      const vod = vodApi(store);
      ({ uploads } = vod);
      return { vod, webhooks: webhookApi(store), edges: edgeApi(store) };
    },
  });
  await uploads.start();
  const stream = await api.store.stream('fuzzed');
  await api.store.fill(stream.id, 600_000, 5);
  const body = { at: iso(api.store.nowMs), label: 'x' };
  const marker = await api.call<{ id: string }>(`/v1/streams/${stream.id}/markers`, { body });
  const source = { url: 'https://media.example.org/film.mp4' };
  const asset = await api.call<{ id: string }>('/v1/assets', { body: { source } });
  const headers = { 'tus-resumable': '1.0.0', 'upload-length': '1000' };
  const upload = await api.call('/v1/uploads', { method: 'POST', headers });
  const uploadId = upload.headers.get('location')?.split('/').at(-1) ?? '';
  ids = { stream: stream.id, marker: marker.json.id, asset: asset.json.id, upload: uploadId };
});
after(async () => {
  await uploads.close();
  await api[Symbol.asyncDispose]();
});

const nasty = fc.constantFrom(
  '',
  '.',
  '..',
  '../../etc/passwd',
  '%2e%2e%2f',
  '\0',
  '\u202e',
  "'; drop table stream; --",
  '${7*7}',
  '9'.repeat(400),
  '-1',
  '1e309',
  'NaN',
  'null',
  '🎥'.repeat(50),
  '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  '2026-11-20T10:30:00+99:99',
);
const word = fc.oneof(nasty, fc.string({ unit: 'grapheme', maxLength: 30 }), fc.integer().map(String));
const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString());
const value = fc.oneof(word, time);

const SEGMENTS = [
  'v1',
  'streams',
  'devices',
  'events',
  'frames',
  'markers',
  'timeline',
  'clock',
  'archives',
  'recordings',
  'tokens',
  'latest.jpg',
  'frame.jpg',
  'dead-letters',
  'server',
  'STREAM',
  'MARKER',
  'assets',
  'uploads',
  'ASSET',
  'UPLOAD',
  'play',
  'live.m3u8',
  'docs',
  'openapi.json',
  'healthz',
];
const wild = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...SEGMENTS) }, word.map(encode)), {
  maxLength: 6,
});
const known = fc.constantFrom(
  'v1/streams',
  'v1/streams/STREAM',
  'v1/streams/STREAM/timeline',
  'v1/streams/STREAM/clock',
  'v1/streams/STREAM/markers',
  'v1/streams/STREAM/markers/MARKER',
  'v1/streams/STREAM/tokens',
  'v1/streams/STREAM/latest.jpg',
  'v1/streams/STREAM/frame.jpg',
  'v1/streams/STREAM/frames',
  'v1/devices/a/b/frames',
  'v1/events/frames',
  'v1/archives',
  'v1/recordings',
  'v1/dead-letters',
  'v1/assets',
  'v1/assets/ASSET',
  'v1/assets/ASSET/cancel',
  'v1/assets/ASSET/retry',
  'v1/assets/ASSET/tokens',
  'v1/assets/ASSET/outputs/out_0123456789/cancel',
  'v1/uploads',
  'v1/uploads/UPLOAD',
  'v1/uploads/film.mp4',
);
const path = fc.oneof(
  { weight: 3, arbitrary: known },
  wild.map((parts) => parts.join('/')),
);

const FIELDS = [
  'name',
  'tenant',
  'deviceId',
  'kind',
  'settings',
  'at',
  'until',
  'label',
  'type',
  'data',
  'ttlSeconds',
  'eventId',
  'clientId',
  'timestamp',
  'framePath',
  'location',
  'overlay',
  'crf',
  'retentionHours',
  'gapToleranceSeconds',
  'source',
  'url',
  'objectKey',
  'outputs',
  'video',
  'priority',
  '__proto__',
  'constructor',
];
const json: fc.Arbitrary<unknown> = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    value,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('node'), { maxKeys: 6 }),
  ),
})).node;
/** Nearly right, so that requests get past the schemas. */
const plausible = fc.record(
  {
    name: value,
    at: time,
    until: fc.option(time),
    label: value,
    timestamp: time,
    eventId: value,
    clientId: value,
    deviceId: value,
    framePath: value,
    settings: json,
  },
  { requiredKeys: [] },
);
const bodies = fc.oneof(
  json.map((node) => JSON.stringify(node) ?? ''),
  plausible.map((node) => JSON.stringify(node)),
  fc.array(plausible, { maxLength: 3 }).map((node) => JSON.stringify(node)),
  word,
  fc.string({ unit: 'binary', maxLength: 200 }),
);

const requests: fc.Arbitrary<Fuzzed> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'),
  path,
  query: fc.array(
    fc.tuple(
      fc.constantFrom(
        'limit',
        'cursor',
        'from',
        'to',
        'at',
        'after',
        'pts90k',
        'epochId',
        'width',
        'token',
        'query',
        'kind',
        'tenant',
        'streamId',
        'speed',
        'state',
        'heights',
        'asset',
        'priority',
      ),
      value,
    ),
    { maxLength: 4 },
  ),
  type: fc.constantFrom(
    'application/json',
    'application/offset+octet-stream',
    'image/jpeg',
    'text/plain',
    'application/json; charset=x',
    'nonsense',
    '',
  ),
  body: bodies,
  headers: fc.dictionary(
    fc.constantFrom(
      'x-captured-at',
      'x-event-id',
      'idempotency-key',
      'if-none-match',
      'last-event-id',
      'range',
      'accept',
      'authorization',
      'x-request-id',
      'accept-encoding',
      'content-encoding',
      'tus-resumable',
      'upload-offset',
      'upload-length',
      'upload-metadata',
      'repr-digest',
    ),
    fc.oneof(
      time,
      fc.constantFrom('1.0.0', '0', '1000', 'asset e30=', 'sha256 eA==', '-1', '99999999999999999999'),
      fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^\x21-\x7e]/g, '')),
    ),
    { maxKeys: 4 },
  ),
});

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

async function send(fuzzed: Fuzzed): Promise<void> {
  const where = fuzzed.path
    .replaceAll('STREAM', ids.stream)
    .replaceAll('MARKER', ids.marker)
    .replaceAll('ASSET', ids.asset)
    .replaceAll('UPLOAD', ids.upload);
  // What is there must stay, or everything after is a 404; and a stream of events has no end.
  const kept = [`v1/streams/${ids.stream}`, `v1/assets/${ids.asset}`, `v1/uploads/${ids.upload}`];
  if (fuzzed.method === 'DELETE' && kept.includes(where)) return;
  if (where.endsWith('/events') && fuzzed.method === 'GET') return;
  const query = fuzzed.query.map(([name, text]) => `${name}=${encode(text)}`).join('&');
  const hasBody = fuzzed.method !== 'GET' && fuzzed.method !== 'HEAD' && fuzzed.method !== 'OPTIONS';
  const reply = await api.call(`/${where}${query === '' ? '' : `?${query}`}`, {
    method: fuzzed.method,
    headers: { ...fuzzed.headers, ...(hasBody && fuzzed.type !== '' ? { 'content-type': fuzzed.type } : {}) },
    ...(hasBody && fuzzed.body !== '' ? { body: Buffer.from(fuzzed.body) } : {}),
  });
  const isConsolePage = reply.status === 503 && (reply.headers.get('content-type') ?? '').startsWith('text/html');
  if (isConsolePage) return;
  assert.ok(reply.status < 500, `${reply.status} ${reply.text} ${JSON.stringify(api.logger.errors.at(-1))}`);
  if (reply.status >= 400 && fuzzed.method !== 'HEAD') assertProblem(reply);
}

test('no request makes the server fail, and every refusal is a problem', async () => {
  await fc.assert(fc.asyncProperty(requests, send), { numRuns: 1500 });
  assert.deepEqual(api.logger.errors, []);
  assert.equal((await api.call(`/v1/streams/${ids.stream}`)).status, 200);
});
