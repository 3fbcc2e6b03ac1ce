import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignJWT } from 'jose';
import { ZoetropeError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { randomIds } from '../base/ids.ts';
import { silentLogger } from '../base/logger.ts';
import { wallMs } from '../base/time.ts';
import type { AccessStore, ApiKey } from '../catalog/catalog.ts';
import type { Stream } from '../timeline/stream.ts';
import { createKey, hashKeySecret, isKeySecret, newKeySecret } from './api-keys.ts';
import { KeyAccess } from './key-access.ts';
import { assertMayListen, isLoopbackHost } from './loopback.ts';
import { canSee, requireScope, requireScopeOn, requireTenant } from './permission.ts';
import { RequestGuard } from './request-guard.ts';

/** The only stream of {@link Keys}. */
const STREAM_ID = randomIds.next('stream');

class Keys implements Pick<AccessStore, 'createKey' | 'findKey' | 'listKeys' | 'revokeKey' | 'serverSecret'> {
  readonly keys = new Map<string, ApiKey>();
  readonly secrets = new Map<string, Uint8Array>();
  reads = 0;

  async createKey(key: Omit<ApiKey, 'createdAtMs' | 'revokedAtMs'>, sha256: string): Promise<ApiKey> {
    const made = { ...key, createdAtMs: wallMs(0), revokedAtMs: null };
    this.keys.set(sha256, made);
    return made;
  }

  async findKey(sha256: string): Promise<ApiKey | null> {
    this.reads += 1;
    const key = this.keys.get(sha256);
    return key === undefined || key.revokedAtMs !== null ? null : key;
  }

  async listKeys(): Promise<readonly ApiKey[]> {
    return [...this.keys.values()];
  }

  async getStream(id: string): Promise<Stream> {
    if (id !== STREAM_ID) throw new ZoetropeError('not_found', `There is no stream ${id}.`);
    return {
      id,
      tenant: 'a',
      kind: 'push',
      name: 'studio',
      deviceId: null,
      settings: {},
      createdAtMs: wallMs(0),
      lastCapturedAtMs: null,
      lastReceivedAtMs: null,
      endedAtMs: null,
      source: null,
      edgeId: null,
    };
  }

  async revokeKey(id: string): Promise<ApiKey> {
    for (const [sha256, key] of this.keys) {
      if (key.id === id) this.keys.set(sha256, { ...key, revokedAtMs: wallMs(1) });
    }
    return [...this.keys.values()].filter((key) => key.id === id)[0] ?? assert.fail('no such key');
  }

  async serverSecret(name: string, create: () => Uint8Array): Promise<Uint8Array> {
    const secret = this.secrets.get(name) ?? create();
    this.secrets.set(name, secret);
    return secret;
  }
}

async function setUp(
  host = '127.0.0.1',
  catalog = new Keys(),
): Promise<{ catalog: Keys; clock: FakeClock; access: KeyAccess }> {
  const clock = new FakeClock();
  const access = new KeyAccess({ catalog, clock, logger: silentLogger, host });
  await access.start();
  return { catalog, clock, access };
}

test('a secret is zk_ and 256 random bits, and is kept as its SHA-256', () => {
  const secret = newKeySecret();
  assert.match(secret, /^zk_[A-Za-z0-9_-]{43}$/);
  assert.notEqual(secret, newKeySecret());
  assert.ok(isKeySecret(secret));
  assert.ok(!isKeySecret(`${secret}x`));
  // FIPS 180-2, appendix B.1.
  assert.equal(hashKeySecret('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('createKey refuses what could not be used or is dangerous', async () => {
  const deps = { catalog: new Keys(), ids: randomIds };
  await assert.rejects(createKey(deps, { name: 'x', tenant: 'a', scopes: [] }), { code: 'invalid_argument' });
  await assert.rejects(createKey(deps, { name: 'x', tenant: 'a', scopes: ['write' as 'read'] }), /Got \["write"\]/);
  await assert.rejects(createKey(deps, { name: '', tenant: 'a', scopes: ['read'] }), { code: 'invalid_argument' });
  await assert.rejects(createKey(deps, { name: 'x', tenant: null, scopes: ['read'] }), /--tenant/);
  const { key, secret } = await createKey(deps, { name: 'x', tenant: null, scopes: ['admin', 'admin'] });
  assert.deepEqual(key.scopes, ['admin']);
  assert.ok(isKeySecret(secret));
  assert.deepEqual([...deps.catalog.keys.keys()], [hashKeySecret(secret)]);
});

test('a key for one stream has its tenant, sends, and does nothing else', async (t) => {
  const catalog = new Keys();
  const deps = { catalog, ids: randomIds };
  const bound = { name: 'encoder', tenant: null, scopes: ['ingest'], streamId: STREAM_ID } as const;
  await assert.rejects(createKey(deps, { ...bound, scopes: ['ingest', 'read'] }), { code: 'invalid_argument' });
  await assert.rejects(createKey(deps, { ...bound, streamId: 'str_x' }), { code: 'not_found' });
  await assert.rejects(createKey(deps, { ...bound, streamId: randomIds.next('stream') }), { code: 'not_found' });
  await assert.rejects(createKey(deps, { ...bound, tenant: 'b' }), { code: 'not_found' });
  const { key, secret } = await createKey(deps, bound);
  assert.deepEqual([key.tenant, key.streamId], ['a', STREAM_ID]);
  const { clock, access } = await setUp('127.0.0.1', catalog);
  t.after(() => access.close());
  await clock.advance(1000);
  const principal = await access.authenticate(`Bearer ${secret}`);
  requireScopeOn(principal, STREAM_ID, 'ingest');
  const denied = { code: 'permission_denied', message: new RegExp(STREAM_ID) };
  assert.throws(() => requireScopeOn(principal, STREAM_ID, 'read'), { code: 'permission_denied' });
  assert.throws(() => requireScopeOn(principal, randomIds.next('stream'), 'ingest'), denied);
  assert.throws(() => requireScope(principal, 'ingest'), denied);
});

test('a loopback server is open until a key is made, and revoking it does not open it again', async (t) => {
  const { catalog, clock, access } = await setUp();
  t.after(() => access.close());
  assert.ok(access.isOpen());
  assert.equal((await access.authenticate(undefined)).via, 'open');

  const { key, secret } = await createKey({ catalog, ids: randomIds }, { name: 'k', tenant: 'acme', scopes: ['read'] });
  await clock.advance(1000);
  assert.ok(!access.isOpen(), 'noticed within a second, without a request');
  await assert.rejects(access.authenticate(undefined), { code: 'unauthenticated', message: /zoetrope keys create/ });
  const principal = await access.authenticate(`bearer ${secret}`);
  assert.deepEqual(
    [principal.tenant, [...principal.scopes], principal.via, principal.keyId],
    ['acme', ['read'], 'key', key.id],
  );

  await catalog.revokeKey(key.id);
  await clock.advance(1000);
  await assert.rejects(access.authenticate(`Bearer ${secret}`), { code: 'unauthenticated', message: /revoked/ });
  assert.ok(!access.isOpen());
});

test('beyond loopback a server is never open', async (t) => {
  const { access } = await setUp('0.0.0.0');
  t.after(() => access.close());
  assert.ok(!access.isOpen());
  await assert.rejects(access.authenticate(undefined), { code: 'unauthenticated' });
});

test('a key is read from the catalog once a second, however many requests show it; nonsense is not looked up at all', async (t) => {
  const { catalog, clock, access } = await setUp();
  t.after(() => access.close());
  const { secret } = await createKey({ catalog, ids: randomIds }, { name: 'k', tenant: 'acme', scopes: ['read'] });
  await clock.advance(1000);
  for (let i = 0; i < 50; i++) await access.authenticate(`Bearer ${secret}`);
  assert.equal(catalog.reads, 1);
  await clock.advance(1000);
  await access.authenticate(`Bearer ${secret}`);
  assert.equal(catalog.reads, 2);
  for (const header of ['Bearer', 'Basic eA==', 'Bearer x', `Bearer ${secret} ${secret}`, `Bearer zk_'; drop`]) {
    await assert.rejects(access.authenticate(header), { code: 'unauthenticated' });
  }
  assert.equal(catalog.reads, 2);
});

test('a playback token opens its resource until it expires, and nothing else', async (t) => {
  const { clock, access } = await setUp();
  t.after(() => access.close());
  const stream = { kind: 'stream', id: 'str_0000000001' } as const;
  const { token, expiresAtMs } = await access.mintPlaybackToken(stream, 60);
  assert.equal(expiresAtMs, clock.nowMs() + 60_000);
  assert.ok(!access.isKnownPlaybackToken(token, stream));
  await access.verifyPlaybackToken(token, stream);
  assert.ok(access.isKnownPlaybackToken(token, stream));

  for (const other of [{ kind: 'stream', id: 'str_0000000002' } as const, { kind: 'hold', id: stream.id } as const]) {
    await assert.rejects(access.verifyPlaybackToken(token, other), { code: 'unauthenticated' });
    assert.ok(!access.isKnownPlaybackToken(token, other));
  }
  await assert.rejects(access.verifyPlaybackToken(`${token}x`, stream), { code: 'unauthenticated' });
  await assert.rejects(access.verifyPlaybackToken('x'.repeat(5000), stream), { code: 'unauthenticated' });

  await clock.advance(60_000);
  assert.ok(!access.isKnownPlaybackToken(token, stream));
  await assert.rejects(access.verifyPlaybackToken(token, stream), { code: 'unauthenticated', message: /tokens/ });
  await assert.rejects(access.mintPlaybackToken(stream, 0), { code: 'out_of_range' });
  await assert.rejects(access.mintPlaybackToken(stream, Number.NaN), { code: 'out_of_range' });
});

test('a forged token is refused: another secret, no signature, another algorithm', async (t) => {
  const { catalog, clock, access } = await setUp();
  t.after(() => access.close());
  const stream = { kind: 'stream', id: 'str_0000000001' } as const;
  await access.mintPlaybackToken(stream, 60);
  const secret = catalog.secrets.get('playback-tokens') ?? assert.fail('no secret was made');
  const claims = { iss: 'zoetrope', aud: 'stream:str_0000000001', exp: Math.floor(clock.nowMs() / 1000) + 60 };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forged = [
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32)),
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS384' }).sign(new Uint8Array([...secret, ...secret])),
    `${part({ alg: 'none' })}.${part(claims)}.`,
    await new SignJWT({ iss: claims.iss, aud: claims.aud }).setProtectedHeader({ alg: 'HS256' }).sign(secret),
  ];
  for (const token of forged) {
    await assert.rejects(access.verifyPlaybackToken(token, stream), { code: 'unauthenticated' });
  }
});

test('scopes and tenants: admin includes all and crosses tenants, the others include nothing of each other', () => {
  const reader = { tenant: 'acme', scopes: new Set(['read'] as const), via: 'key' } as const;
  const admin = { tenant: 'acme', scopes: new Set(['admin'] as const), via: 'key' } as const;
  requireScope(reader, 'manage', 'read');
  requireScope(admin, 'ingest');
  assert.throws(() => requireScope(reader, 'manage'), { code: 'permission_denied', message: /manage.*has read/ });
  assert.ok(canSee(reader, 'acme'));
  assert.ok(!canSee(reader, 'other'));
  assert.ok(canSee(admin, 'other'));
  assert.throws(() => requireTenant(reader, 'other'), { code: 'permission_denied', message: /"acme".*"other"/ });
});

test('only names and addresses of this machine are loopback', () => {
  for (const host of [
    'localhost',
    'LOCALHOST',
    'a.localhost',
    'localhost.',
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '[::1]',
  ]) {
    assert.ok(isLoopbackHost(host), host);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.evil.example', '127.0.0.1.nip.io', '', 'notlocalhost']) {
    assert.ok(!isLoopbackHost(host), host);
  }
  assertMayListen('127.0.0.1', false);
  assertMayListen('0.0.0.0', true);
  assert.throws(() => assertMayListen('0.0.0.0', false), {
    code: 'invalid_configuration',
    message: /zoetrope keys create --name first --scopes admin/,
  });
});

test('the guard tells rebound names and foreign pages from honest clients', () => {
  const guard = new RequestGuard({
    publicUrl: 'https://cams.example.org/',
    corsOrigins: ['*', 'https://app.example.org'],
  });
  const code = (method: string, headers: Record<string, string>): string | undefined =>
    guard.faultOf({ method, headers: { host: 'localhost:8080', ...headers } })?.code;
  assert.equal(code('GET', {}), undefined);
  assert.equal(code('GET', { host: '[::1]:8080' }), undefined);
  assert.equal(code('GET', { host: 'cams.example.org' }), undefined);
  assert.equal(code('GET', { host: 'evil.example:8080' }), 'misdirected');
  assert.equal(code('GET', { host: '' }), 'misdirected');
  assert.equal(code('GET', { host: 'localhost@evil.example' }), 'misdirected');
  assert.equal(code('GET', { origin: 'https://evil.example' }), undefined, 'CORS keeps it from reading');
  assert.equal(code('POST', {}), undefined, 'curl sends no Origin');
  assert.equal(code('POST', { origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' }), undefined);
  assert.equal(code('POST', { origin: 'https://app.example.org', 'sec-fetch-site': 'cross-site' }), undefined);
  assert.equal(code('POST', { origin: 'https://cams.example.org' }), undefined);
  assert.equal(code('POST', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }), 'permission_denied');
  assert.equal(code('DELETE', { origin: 'https://evil.example' }), 'permission_denied', '* lets read, not change');
  assert.equal(code('POST', { origin: 'null' }), 'permission_denied');
  assert.equal(code('PATCH', { 'sec-fetch-site': 'cross-site' }), 'permission_denied');
});
