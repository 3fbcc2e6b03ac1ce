import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createKey } from '../../src/access/api-keys.ts';
import { randomIds } from '../../src/base/ids.ts';
import type { Scope } from '../../src/catalog/catalog.ts';
import type { AppendedSegment } from '../../src/catalog/catalog.ts';
import type { Stream } from '../../src/timeline/stream.ts';
import { PlaybackServer } from '../fixtures/playback.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const ARCHIVE = 'arc_00000000000000000000000001';

describe('who may watch', () => {
  let server: PlaybackServer;
  let stream: Stream;
  let first: AppendedSegment;
  let live: string;

  before(async () => {
    server = await PlaybackServer.open();
    stream = await server.stream({ tenant: 'acme' });
    first = await server.append(stream.id);
    await server.append(stream.id);
    live = `/play/streams/${stream.id}/live.m3u8`;
    await server.catalog.createHold({
      id: ARCHIVE,
      streamId: stream.id,
      kind: 'archive',
      name: 'a',
      sessionId: null,
      expiresAtMs: null,
      fromMs: first.segment.startMs,
      toMs: server.clock.nowMs(),
    });
  });
  after(async () => server[Symbol.asyncDispose]());

  async function keyFor(tenant: string | null, scope: Scope): Promise<Readonly<Record<string, string>>> {
    const { secret } = await createKey(
      { catalog: server.catalog, ids: randomIds },
      { name: scope, tenant, scopes: [scope] },
    );
    await server.clock.advance(2000);
    return { authorization: `Bearer ${secret}` };
  }

  test('everybody, while no key exists; nobody without a right afterwards, also not from memory', async () => {
    assert.equal((await server.get(live)).status, 200);
    const hot = server.hotAnswers;
    assert.equal((await server.get(live)).status, 200);
    assert.equal(server.hotAnswers, hot + 1);
    const headers = await keyFor('acme', 'read');
    const refused = await server.get(live);
    assert.equal(refused.status, 401);
    assert.equal(server.hotAnswers, hot + 1);
    const allowed = await server.get(live, headers);
    assert.equal(allowed.status, 200);
    assert.match(allowed.headers['cache-control'] ?? '', /^private, /);
    assert.equal((await server.get(live)).status, 401);
  });

  test("another tenant's key finds nothing, a key without the scope is told so, an admin key sees all", async () => {
    const media = `/play/streams/${stream.id}/segments/${first.segment.id}.m4s`;
    const foreign = await keyFor('umbrella', 'read');
    for (const path of [live, media, `/play/archives/${ARCHIVE}/index.m3u8`]) {
      assert.equal((await server.get(path, foreign)).status, 404, path);
      assert.equal((await server.get(path, await keyFor('acme', 'ingest'))).status, 403, path);
      assert.equal((await server.get(path, await keyFor(null, 'admin'))).status, 200, path);
    }
    const unknown = '/play/streams/str_00000000000000000000000000/live.m3u8';
    const answer = await server.get(unknown, foreign);
    const mine = await server.get(live, foreign);
    assert.equal(
      answer.text.replaceAll('str_00000000000000000000000000', stream.id).replace(/"requestId":"[^"]*"/, ''),
      mine.text.replace(/"requestId":"[^"]*"/, ''),
    );
    assert.equal((await server.get(unknown)).status, 401, 'strangers do not learn what exists');
  });

  test('a token opens its stream and is handed on to every child; from memory too, until it expires', async () => {
    const { token } = await server.access.mintPlaybackToken({ kind: 'stream', id: stream.id }, 60);
    const path = `${live}?token=${token}`;
    const playlist = parseMediaPlaylist(await server.playlist(path));
    const base = `/play/streams/${stream.id}/`;
    for (const uri of [playlist.segments[0]?.uri ?? '', playlist.segments[0]?.map?.uri ?? '']) {
      assert.match(uri, /\?token=/);
      assert.equal((await server.get(base + uri)).status, 200);
      assert.equal((await server.get(base + uri.replace(/\?token=.*/, ''))).status, 401);
    }
    const speedy = parseMediaPlaylist(await server.playlist(`${live}?speed=5&container=ts&token=${token}`));
    assert.match(speedy.segments[0]?.uri ?? '', /^segments\/seg_\w+\.ts\?speed=5&token=/);
    const hot = server.hotAnswers;
    const again = await server.get(path);
    assert.equal(server.hotAnswers, hot + 1);
    assert.match(again.headers['cache-control'] ?? '', /^public, /);
    const other = await server.stream();
    await server.append(other.id);
    assert.equal((await server.get(`/play/streams/${other.id}/live.m3u8?token=${token}`)).status, 401);
    assert.equal((await server.get(`/play/archives/${ARCHIVE}/index.m3u8?token=${token}`)).status, 401);
    await server.clock.advance(61_000);
    assert.equal((await server.get(path)).status, 401);
    assert.equal((await server.get(`${live}?token=nonsense`)).status, 401);
  });

  test("an archive's token opens the archive alone", async () => {
    const { token } = await server.access.mintPlaybackToken({ kind: 'hold', id: ARCHIVE }, 60);
    const base = `/play/archives/${ARCHIVE}/`;
    const playlist = parseMediaPlaylist(await server.playlist(`${base}index.m3u8?token=${token}`));
    assert.equal((await server.get(base + (playlist.segments[0]?.uri ?? ''))).status, 200);
    assert.equal((await server.get(`${live}?token=${token}`)).status, 401);
  });

  test("a recording's token opens the recording alone, while it grows and in every child", async () => {
    const { id } = await server.catalog.startRecording({
      id: randomIds.next('recording'),
      streamId: stream.id,
      name: 'x',
      metadata: {},
      fromMs: first.segment.startMs,
      toMs: null,
      isPast: true,
    });
    const { token } = await server.access.mintPlaybackToken({ kind: 'hold', id }, 60);
    const base = `/play/recordings/${id}/`;
    const path = `${base}index.m3u8?token=${token}`;
    const playlist = parseMediaPlaylist(await server.playlist(path));
    for (const uri of [playlist.segments[0]?.uri ?? '', playlist.segments[0]?.map?.uri ?? '']) {
      assert.match(uri, /\?token=/);
      assert.equal((await server.get(base + uri)).status, 200);
      assert.equal((await server.get(base + uri.replace(/\?token=.*/, ''))).status, 401);
    }
    assert.equal((await server.get(`/play/archives/${ARCHIVE}/index.m3u8?token=${token}`)).status, 401);
    assert.equal((await server.get(`/play/archives/${id}/index.m3u8?token=${token}`)).status, 404, 'it is no archive');
    const foreign = await keyFor('umbrella', 'read');
    assert.equal((await server.get(`${base}index.m3u8`, foreign)).status, 404);
    await server.append(stream.id);
    assert.equal(parseMediaPlaylist(await server.playlist(path)).segments.length, playlist.segments.length + 1);
    await server.clock.advance(61_000);
    assert.equal((await server.get(path)).status, 401);
  });
});
