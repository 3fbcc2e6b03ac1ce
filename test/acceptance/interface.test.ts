import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import type { ArchiveJson, StreamJson } from '../../src/api/rest/shapes.ts';
import { problemOf, type ApiClient } from '../fixtures/api-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist, parseMultivariant } from '../fixtures/strict-hls.ts';
import * as contract from './contract.ts';
import { feed, iso, onlineStream, picture, playlistWith, SHORT, startMs } from './contract.ts';

// What people outside rely on, word for word: a change here is a change of the contract (docs/design/http.md).

describe('one server', () => {
  let server: TestServer;
  let api: ApiClient;
  let id: string;
  const roots = mkdtempSync(join(tmpdir(), 'zoetrope-frame-root-'));

  before(async () => {
    const env = { ...SHORT, ZOETROPE_FRAME_ROOTS: roots, ZOETROPE_CORS_ORIGINS: 'https://app.example' };
    server = await TestServer.start({ env });
    ({ api } = server);
    id = await feed(api, 'camera', 6);
    await playlistWith(api, `/play/streams/${id}/live.m3u8`, 3);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(roots, { recursive: true });
  });

  it('takes frames by device and by stream, and says what is wrong with others', async () => {
    const jpeg = { 'content-type': 'image/jpeg', 'x-captured-at': iso(startMs), 'x-event-id': 'my-own' };
    const post = (path: string, headers: Record<string, string>, body: Buffer = picture(0)) =>
      api.request(path, { method: 'POST', headers, body });
    const device = '/v1/devices/test/camera/frames';
    for (const path of [device, `/v1/streams/${id}/frames`]) {
      const answer = await post(path, jpeg);
      assert.equal(answer.status, 202);
      assert.deepEqual(JSON.parse(answer.bytes.toString()), { eventId: 'my-own', streamId: id });
    }
    const refused = [
      [400, await post(device, { 'content-type': 'image/jpeg' })],
      [400, await post(device, { ...jpeg, 'x-captured-at': '2026-11-20 10:00:00' })],
      [415, await post(device, { ...jpeg, 'content-type': 'image/png' })],
      [415, await post(device, jpeg, Buffer.from('<html>'))],
      [422, await post(device, jpeg, picture(0).subarray(0, 400))],
      [422, await post(device, { ...jpeg, 'x-captured-at': iso(Date.now() + 3_600_000) })],
      [404, await post('/v1/streams/str_06gzppaxkmb168ykt3bdf0g3r8/frames', jpeg)],
    ] as const;
    for (const [status, answer] of refused) assert.equal(problemOf(answer).status, status);
  });

  it('takes frame events in every documented form, one or many, all or none', async () => {
    mkdirSync(join(roots, 'frames'));
    mkdirSync(join(server.dataDir, 'objects', 'frames', 'by-hand'), { recursive: true });
    writeFileSync(join(roots, 'frames', 'a.jpg'), picture(1));
    writeFileSync(join(server.dataDir, 'objects', 'frames', 'by-hand', 'b.jpg'), picture(2));
    const absolute = join(roots, 'frames', 'a.jpg');
    const { event } = contract;
    const first = { ...event(iso(startMs), absolute), requestTimestamp: iso(startMs), unknown: { of: 'ours' } };
    const one = await api.postEvents(first);
    assert.equal(one.status, 202);
    const santiago = iso(startMs + 5000 - 3 * 3_600_000).replace('.000Z', '-03:00');
    const many = [
      event(santiago, absolute),
      event(iso(startMs + 10_000).replace('.000Z', 'Z'), absolute),
      { ...event(iso(startMs + 15_000), 'frames/by-hand/b.jpg'), secondaryKey: null, location: null },
    ];
    const answer = await api.postEvents(many);
    assert.equal(answer.status, 202);
    const { accepted, items } = JSON.parse(answer.bytes.toString()) as {
      readonly accepted: number;
      readonly items: readonly { readonly eventId: string; readonly streamId: string }[];
    };
    assert.equal(accepted, 3);
    assert.deepEqual(
      items.map((item) => item.eventId),
      many.map((item) => item.eventId),
    );
    const outside = event(iso(startMs + 20_000), join(roots, '..', 'secret.jpg'));
    for (const bad of [outside, event('yesterday', absolute), event(iso(startMs), 'a/../b.jpg')]) {
      assert.equal(problemOf(await api.postEvents([event(iso(startMs + 25_000), absolute), bad])).status, 400);
    }
    const streamId = items[0]?.streamId ?? '';
    await playlistWith(api, `/play/streams/${streamId}/live.m3u8`, 2);
    assert.equal(await api.frameCount(streamId, startMs, startMs + 60_000), 4);
    assert.deepEqual(await api.deadLetters(), []);
  });

  it('plays: strict playlists, immutable children, ranges, tags and every query', async () => {
    const base = `/play/streams/${id}`;
    assert.equal(parseMultivariant(await api.text(`${base}/master.m3u8`)).variants.length, 1);
    const range = `range.m3u8?from=${iso(startMs)}&to=${iso(startMs + 12_000)}`;
    for (const [path, factor, ended] of [
      ['live.m3u8', 1, false],
      ['dvr.m3u8', 1, false],
      ['dvr.m3u8?_HLS_skip=YES', 1, false],
      ['live.m3u8?speed=5&container=ts', 5, false],
      [range, 1, true],
      [`${range}&container=ts&speed=0.5`, 0.5, true],
    ] as const) {
      const answer = await api.get(`${base}/${path}`);
      assert.equal(answer.headers.get('content-type'), 'application/vnd.apple.mpegurl');
      const playlist = parseMediaPlaylist(answer.bytes.toString());
      const maxAge = Number(/max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '')?.[1]);
      if (!ended) assert.ok(maxAge <= playlist.targetDuration / 2, `${path} is kept ${maxAge} s`);
      assert.equal(playlist.endlist, ended, path);
      const [first] = playlist.segments;
      assert.equal(first?.programDateTime?.getTime(), startMs);
      assert.equal(first?.duration, 10 / factor);
      const isTs = path.includes('container=ts');
      for (const uri of [first.uri, ...(isTs ? [] : [first.map?.uri ?? ''])]) {
        const child = new URL(uri, new URL(`${base}/${path}`, server.url)).href;
        const whole = await api.get(child);
        assert.equal(whole.headers.get('content-type'), isTs ? 'video/mp2t' : 'video/mp4');
        assert.equal(whole.headers.get('cache-control'), 'public, max-age=31536000, immutable');
        const etag = whole.headers.get('etag') ?? '';
        const head = await api.request(child, { method: 'HEAD' });
        assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(whole.bytes.length)]);
        assert.equal((await api.request(child, { headers: { 'if-none-match': etag } })).status, 304);
        const part = await api.request(child, { headers: { range: 'bytes=4-7' } });
        assert.deepEqual([part.status, part.bytes], [206, whole.bytes.subarray(4, 8)]);
        assert.equal((await api.request(child, { headers: { range: 'bytes=9999999-' } })).status, 416);
      }
    }
    for (const [path, status] of contract.REFUSED_PLAYLISTS) {
      assert.equal(problemOf(await api.request(`${base}/${path}`)).status, status, path);
    }
  });

  it('answers about streams: pictures, clock, timeline', async () => {
    const latest = await api.get(`/v1/streams/${id}/latest.jpg`);
    assert.equal(latest.headers.get('x-captured-at'), iso(startMs + 25_000));
    assert.deepEqual(latest.bytes, picture(5));
    const shown = await api.get(`/v1/streams/${id}/frame.jpg?at=${iso(startMs + 12_345)}&width=80`);
    assert.equal(shown.headers.get('x-captured-at'), iso(startMs + 10_000));
    const clock = await api.json<Record<string, unknown>>(`/v1/streams/${id}/clock?at=${iso(startMs + 7000)}`);
    assert.deepEqual([clock['pts90k'], clock['frameAt'], clock['sequence']], [630_000, iso(startMs + 5000), 0]);
    const back = await api.json<Record<string, unknown>>(`/v1/streams/${id}/clock?pts90k=630000`);
    assert.equal(back['at'], iso(startMs + 7000));
    const { stretches, gaps, sessions } = await api.timeline(id, startMs, startMs + 30_000);
    assert.deepEqual([stretches.length, gaps.length, sessions.length], [1, 0, 1]);
    assert.equal(stretches[0]?.frameCount, 6);
    const stream = await onlineStream(api, id);
    assert.deepEqual([stream.tenant, stream.deviceId, stream.kind], ['test', 'camera', 'frames']);
  });

  it('shows late frames at their place, never in live, and none twice', async () => {
    const live = await api.text(`/play/streams/${id}/live.m3u8`);
    await api.postFrame('camera', startMs + 2500, picture(20));
    await api.postFrame('camera', startMs + 5000, picture(21));
    await playlistWith(api, `/play/streams/${id}/dvr.m3u8`, 4);
    assert.equal(await api.frameCount(id, startMs, startMs + 30_000), 7);
    assert.equal(await api.text(`/play/streams/${id}/live.m3u8`), live);
  });

  it('tells of markers: at once, again from the last known, and in playlists', async () => {
    const mark = async (label: string): Promise<string> => {
      const body = { at: iso(startMs + 21_000), label, type: 'door', data: { side: 'north' } };
      const answer = await api.postJson(`/v1/streams/${id}/markers`, body);
      assert.equal(answer.status, 201);
      return (JSON.parse(answer.bytes.toString()) as { readonly id: string }).id;
    };
    const first = await mark('first');
    const second = await mark('second');
    const headers = { 'last-event-id': first };
    const events = await fetch(`${server.url}/v1/streams/${id}/markers/events`, { headers });
    assert.equal(events.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    let heard = '';
    for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      heard += chunk;
      if (heard.includes(second)) break;
    }
    assert.match(heard, new RegExp(`event: marker\\nid: ${second}\\ndata: \\{"id":"${second}"`));
    assert.doesNotMatch(heard, new RegExp(first));
    const range = `#EXT-X-DATERANGE:ID="${first}",CLASS="zoetrope.door",START-DATE="${iso(startMs + 21_000)}",X-LABEL="first"`;
    for (const kind of ['live', 'dvr']) {
      const text = await api.text(`/play/streams/${id}/${kind}.m3u8`);
      assert.ok(text.includes(range), text);
    }
    assert.equal((await api.request(`/v1/streams/${id}/markers/${first}`, { method: 'DELETE' })).status, 204);
  });

  it('does a POST with one Idempotency-Key once', async () => {
    const make = (name: string) =>
      api.request('/v1/streams', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'key-1' },
        body: JSON.stringify({ name }),
      });
    const [first, again, other] = [await make('Gate'), await make('Gate'), await make('Yard')];
    assert.deepEqual([first.status, again.status, other.status], [201, 201, 409]);
    assert.deepEqual(again.bytes, first.bytes);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
  });

  it('applies a changed setting to the next segment', async () => {
    const change = { settings: { framesPerSegment: 3, overlay: { position: 'top-left', sizePx: 8, timeZone: 'UTC' } } };
    assert.equal((await api.postJson(`/v1/streams/${id}`, change, 'PATCH')).status, 200);
    await feed(api, 'camera', 3, startMs + 30_000);
    const playlist = parseMediaPlaylist(await playlistWith(api, `/play/streams/${id}/live.m3u8`, 4));
    assert.equal(playlist.segments.at(-1)?.duration, 15);
    const drawn = await api.get(`/v1/streams/${id}/frame.jpg?at=${iso(startMs + 31_000)}`);
    const plain = await api.get(`/v1/streams/${id}/frame.jpg?at=${iso(startMs + 1000)}`);
    assert.ok(drawn.bytes.length > plain.bytes.length * 1.2, 'the time is drawn into the picture');
  });

  it('speaks HTTP: problems, methods, CORS, compression, health and metrics on their ports', async () => {
    const missing = await api.request('/v1/nothing', { headers: { 'x-request-id': 'mine' } });
    assert.equal(problemOf(missing).code, 'not_found');
    assert.equal(missing.headers.get('x-request-id'), 'mine');
    const put = await api.request('/v1/streams', { method: 'PUT' });
    assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, HEAD, POST']);
    for (const [origin, allowed] of [
      ['https://app.example', 'https://app.example'],
      ['https://evil.example', null],
    ] as const) {
      for (const path of ['/v1/streams', `/play/streams/${id}/live.m3u8`]) {
        const { headers } = await api.request(path, { headers: { origin } });
        assert.equal(headers.get('access-control-allow-origin'), allowed);
      }
    }
    const packed = await api.request('/openapi.json', { headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual([packed.status, packed.headers.get('content-encoding')], [200, 'gzip']);
    for (const path of ['/healthz', '/readyz']) {
      assert.equal((await api.json<{ readonly status: string }>(path)).status, 'ok');
      assert.equal((await fetch(`${server.metricsUrl}${path}`)).status, 200);
    }
    const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text();
    for (const name of ['frames_received', 'frames_accepted', 'frames_late', 'frames_duplicate']) {
      assert.match(metrics, new RegExp(`^zoetrope_${name}_total [1-9]`, 'm'));
    }
  });

  it('runs every command of the contract, with its exit code', async () => {
    for (const [code, output, ...args] of contract.COMMANDS) {
      const result = await server.command(args);
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
      assert.match(result.stdout + result.stderr, output, args.join(' '));
    }
    const { stdout } = await server.command(['config', '--json']);
    const { settings } = JSON.parse(stdout) as { settings: readonly { env: string; value: unknown; from: string }[] };
    for (const store of ['CATALOG', 'OBJECTS', 'EVENTS']) {
      assert.ok(settings.some((one) => one.env === `ZOETROPE_${store}_URL`));
    }
    for (const [env, value] of Object.entries(contract.SETTINGS)) {
      const setting = settings.find((one) => one.env === env);
      assert.ok(setting !== undefined, `${env} is no setting`);
      if (setting.from === 'default') assert.deepEqual(setting.value ?? null, value, env);
    }
  });
});

test('sessions end in archives, and the timeline goes on when the camera comes back', async () => {
  const env = { ...SHORT, ZOETROPE_OFFLINE_AFTER_SECONDS: '0.5', ZOETROPE_MIN_ARCHIVE_DURATION_SECONDS: '5' };
  await using server = await TestServer.start({ env });
  const { api } = server;
  const id = await feed(api, 'camera', 3);
  const live = `/play/streams/${id}/live.m3u8`;
  await playlistWith(api, live, 2);
  const archive = await eventually(
    'an archive',
    async () => {
      assert.equal((await server.command(['offline-checker', '--once'])).code, 0);
      return (await api.json<{ readonly items: readonly ArchiveJson[] }>(`/v1/archives?streamId=${id}`)).items[0];
    },
    { timeoutMs: 10_000 },
  );
  assert.deepEqual([archive.from, archive.to], [iso(startMs), iso(startMs + 15_000)]);
  assert.equal((await api.json<StreamJson>(`/v1/streams/${id}`)).state, 'offline');
  for (const query of ['', '?container=ts&speed=5']) {
    const playlist = parseMediaPlaylist(await api.text(`${archive.url}${query}`));
    assert.deepEqual([playlist.endlist, playlist.segments.length], [true, 2]);
    for (const { uri } of playlist.segments) await api.get(new URL(uri, new URL(archive.url, server.url)).href);
  }
  await feed(api, 'camera', 2, startMs + 60_000);
  const { segments, endlist } = parseMediaPlaylist(await playlistWith(api, live, 3));
  assert.deepEqual([endlist, segments.map((segment) => segment.discontinuity === true)], [false, [false, false, true]]);
  assert.deepEqual((await api.timeline(id, startMs, startMs + 70_000)).gaps, [
    { from: iso(startMs + 15_000), to: iso(startMs + 60_000) },
  ]);
  assert.equal((await server.command(['reset-device', '-c', 'test', '-d', 'camera'])).code, 0);
  await eventually('the reset is noticed', async () => ((await api.request(live)).status === 404 ? true : undefined), {
    timeoutMs: 5000,
  });
});

test('beyond loopback nothing starts without a key; keys open what they say, tokens one stream', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'zoetrope-keys-'));
  const env = { ...SHORT, ZOETROPE_HOST: '0.0.0.0' };
  await assert.rejects(TestServer.start({ dataDir, env }), /no API key exists.*keys create[^]*ended with 2/);
  await using local = await TestServer.start({ dataDir, env: SHORT });
  const keys = await contract.makeKeys(local, ['acme:ingest', 'acme:read', 'acme:manage', 'rival:read', ':admin']);
  await local.stop();
  await using server = await TestServer.start({ dataDir, env });
  const { api } = server;
  const frame = (key: string, device: string, atMs: number) =>
    api.request(`/v1/devices/${device}/frames`, {
      method: 'POST',
      headers: { ...keys[key]?.headers, 'content-type': 'image/jpeg', 'x-captured-at': iso(atMs) },
      body: picture(atMs % 7),
    });
  const accepted = await frame('acme:ingest', 'acme/gate', startMs);
  assert.equal(accepted.status, 202);
  assert.equal((await frame('acme:ingest', 'acme/gate', startMs + 5000)).status, 202);
  assert.equal((await frame('acme:ingest', 'rival/gate', startMs)).status, 403);
  assert.equal((await frame('acme:read', 'acme/gate', startMs)).status, 403);
  const { streamId: id } = JSON.parse(accepted.bytes.toString()) as { readonly streamId: string };
  const live = `/play/streams/${id}/live.m3u8`;
  const statusOf = async (path: string, init?: RequestInit): Promise<number> => (await api.request(path, init)).status;
  await eventually('playable', async () => ((await statusOf(live, keys['acme:read'])) === 200 ? true : undefined), {
    timeoutMs: 10_000,
  });
  for (const path of [live, `/v1/streams/${id}`, `/v1/streams/${id}/latest.jpg`]) {
    const answers: Record<string, number> = {};
    for (const [name, key] of Object.entries(keys)) answers[name] = await statusOf(path, key);
    const forbidden = { 'acme:ingest': 403, 'acme:manage': 403, 'rival:read': 404 };
    assert.deepEqual(answers, { nobody: 401, 'acme:read': 200, ':admin': 200, ...forbidden }, path);
  }
  const made = await api.request(`/v1/streams/${id}/tokens`, { method: 'POST', ...keys['acme:read'] });
  const { token } = JSON.parse(made.bytes.toString()) as { readonly token: string };
  const [segment = ''] = (await api.text(`${live}?token=${token}&speed=5`)).match(/^segments.*/m) ?? [];
  assert.match(segment, new RegExp(`token=${token}`));
  assert.equal(await statusOf(`/play/streams/${id}/${segment}`), 200);
  assert.equal(await statusOf(`/play/streams/${id}/${segment.split('?')[0]}`), 401);
  assert.equal(await statusOf(`/v1/streams/${id}?token=${token}`), 401);
  await server.stop();
  rmSync(dataDir, { recursive: true });
});

test('two processes share the roles: frames posted to one become playable there, whatever becomes of the other', async () => {
  await using front = await TestServer.start({ args: ['--roles', 'api,delivery'], env: SHORT });
  const { api, dataDir } = front;
  const id = await feed(api, 'camera', 2);
  assert.deepEqual((await api.get(`/v1/streams/${id}/latest.jpg`)).bytes, picture(1));
  await using back = await TestServer.start({ dataDir, args: ['--roles', 'ingest,upkeep'], env: SHORT });
  const live = `/play/streams/${id}/live.m3u8`;
  await playlistWith(api, live, 1);
  await onlineStream(api, id);
  await back.kill();
  await feed(api, 'camera', 3, startMs + 10_000);
  await back.restart();
  await playlistWith(api, live, 3);
  assert.equal(await api.frameCount(id, startMs, startMs + 60_000), 5);
  assert.equal((await api.get(`/v1/streams/${id}/latest.jpg`)).headers.get('x-captured-at'), iso(startMs + 20_000));
});
