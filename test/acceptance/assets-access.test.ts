import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AssetJson } from '../../src/api/rest/asset-shapes.ts';
import { run } from '../fixtures/media-judge.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMultivariant } from '../fixtures/strict-hls.ts';
import { makeFilm } from './assets-contract.ts';
import { makeKeys } from './contract.ts';

// Who may do what with assets, and who is let in to play them: a change here is a change of the contract.

test('keys open what they say; an encrypted asset plays with its token and not without', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'zoetrope-asset-keys-'));
  const film = makeFilm(dataDir);
  await using server = await TestServer.start({ dataDir });
  const keys = await makeKeys(server, ['acme:ingest', 'acme:read', 'acme:manage', 'rival:read', ':admin']);
  const { api } = server;
  const put = (key: string): Promise<Response> =>
    fetch(`${server.url}/v1/uploads/film.mkv?heights=90&encryption=aes-128&storyboard=false`, {
      ...keys[key],
      method: 'PUT',
      body: readFileSync(film),
    });
  assert.deepEqual([(await put('nobody')).status, (await put('acme:read')).status], [401, 403]);
  const made = await put('acme:ingest');
  assert.equal(made.status, 202);
  const { id, tenant } = (await made.json()) as AssetJson;
  assert.equal(tenant, 'acme');
  const statuses = async (path: string, init: RequestInit = {}): Promise<Readonly<Record<string, number>>> => {
    const answers: Record<string, number> = {};
    for (const [name, key] of Object.entries(keys))
      answers[name] = (await api.request(path, { ...init, ...key })).status;
    return answers;
  };
  const reads = { nobody: 401, 'acme:ingest': 403, 'acme:read': 200, 'rival:read': 404, ':admin': 200 };
  assert.deepEqual(await statuses(`/v1/assets/${id}`), { ...reads, 'acme:manage': 403 });
  const events = await fetch(`${server.url}/v1/assets/${id}/events`, keys['acme:read'] ?? {});
  let heard = '';
  for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    heard += chunk;
    if (heard.includes('"state":"ready","cause":null,"priority"')) break;
  }
  const token = await api.request(`/v1/assets/${id}/tokens`, { method: 'POST', ...keys['acme:read'] });
  const { token: text } = JSON.parse(token.bytes.toString()) as { readonly token: string };
  const master = `/play/assets/${id}/master.m3u8`;
  assert.deepEqual(await statuses(master), { ...reads, 'acme:manage': 403 });
  const [child] = parseMultivariant(await api.text(`${master}?token=${text}`)).variants;
  const path = `/play/assets/${id}/${child?.uri}`;
  const [, keyUri = ''] = /METHOD=AES-128,URI="([^"]+)"/.exec(await api.text(path)) ?? [];
  const keyUrl = new URL(keyUri, new URL(path, server.url));
  assert.equal((await api.get(keyUrl.href)).bytes.length, 16);
  keyUrl.search = '';
  assert.equal((await api.request(keyUrl.href)).status, 401);
  const url = new URL(path, server.url).href;
  const counting = ['-v', 'error', '-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', url];
  assert.match((await run('ffprobe', counting)).toString(), /^125\b/);
  assert.equal((await api.request(`/play/assets/${id}/manifest.mpd?token=${text}`)).status, 409);
  assert.deepEqual(await statuses(`/v1/assets/${id}/retry`, { method: 'POST' }), {
    nobody: 401,
    'acme:ingest': 403,
    'acme:read': 403,
    'acme:manage': 409,
    'rival:read': 403,
    ':admin': 409,
  });
  await server.stop();
  rmSync(dataDir, { recursive: true });
});
