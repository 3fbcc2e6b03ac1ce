import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Upload } from 'tus-js-client';
import type { AssetJson } from '../../src/api/rest/asset-shapes.ts';
import { problemOf, type ApiClient } from '../fixtures/api-client.ts';
import { decodeJpegLuma, run } from '../fixtures/media-judge.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist, parseMultivariant } from '../fixtures/strict-hls.ts';
import { ended, upload } from '../fixtures/vod-assets.ts';
import { verified, WebhookReceiver } from '../fixtures/webhook-world.ts';
import * as contract from './assets-contract.ts';

// What people outside rely on where files become assets, word for word: a change here is a change of the contract.

const LEAST = { outputs: { video: [{ heightPx: 90 }], storyboard: false, poster: false } };
const MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'zoetrope-assets-'));
const film = contract.makeFilm(directory);
after(() => rmSync(directory, { recursive: true }));

/** Puts files where requests may name them as objects. */
function giveInputs(server: TestServer): void {
  const inputs = join(server.dataDir, 'objects', 'inputs', 'default');
  mkdirSync(inputs, { recursive: true });
  copyFileSync(film, join(inputs, 'film.mkv'));
  contract.makeMark(join(inputs, 'mark.png'));
}

describe('one server', () => {
  let server: TestServer;
  let api: ApiClient;
  let receiver: WebhookReceiver;
  let asset: AssetJson;
  let base: string;
  let gone: string;
  let endpoint: { readonly id: string; readonly secret: string };

  before(async () => {
    server = await TestServer.start({ env: { ZOETROPE_ALLOWED_NETWORKS: '127.0.0.0/8' } });
    ({ api } = server);
    giveInputs(server);
    receiver = await WebhookReceiver.start();
    receiver.answer = ({ path }) => ({ status: path === '/gone' ? 410 : 204 });
    const made = await api.postJson('/v1/webhooks', { url: `${receiver.url}/all` });
    assert.equal(made.status, 201);
    endpoint = JSON.parse(made.bytes.toString()) as typeof endpoint;
    const unwanted = await api.postJson('/v1/webhooks', { url: `${receiver.url}/gone`, types: ['asset.created'] });
    ({ id: gone } = JSON.parse(unwanted.bytes.toString()) as { readonly id: string });
    const answer = await api.postJson('/v1/assets', {
      source: { objectKey: 'inputs/default/film.mkv' },
      name: 'Film',
      referenceId: 'mine',
      priority: 5,
      webhookUrl: `${receiver.url}/job`,
      outputs: {
        video: [{ heightPx: 180 }, { codec: 'vp9', heightPx: 90, bitrateKbps: 100 }],
        thumbnails: [{ timesSeconds: [0, 2, 99], widthPx: 160 }],
        download: true,
        watermark: {
          objectKey: 'inputs/default/mark.png',
          position: 'bottom-right',
          size: 0.25,
          opacity: 1,
          margin: 0,
        },
      },
    });
    assert.equal(answer.status, 202, answer.bytes.toString());
    asset = await ended(server, (JSON.parse(answer.bytes.toString()) as AssetJson).id, MS);
    base = `/play/assets/${asset.id}`;
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  it('says of an asset and its outputs what the contract lists', () => {
    assert.equal(Object.keys(asset).join(' '), contract.ASSET_FIELDS);
    for (const output of asset.outputs) assert.equal(Object.keys(output).join(' '), contract.OUTPUT_FIELDS);
    assert.deepEqual(
      [asset.state, asset.cause, asset.progress, asset.priority, asset.referenceId],
      ['ready', null, 1, 5, 'mine'],
    );
    assert.deepEqual(
      asset.outputs.map(({ name, state }) => `${name} ${state}`),
      [
        '180p',
        '90p-vp9',
        'audio-eng',
        'audio-deu',
        'captions-eng',
        'poster',
        'thumbnails',
        'storyboard',
        'download',
      ].map((name) => `${name} ready`),
    );
    for (const { cpuSeconds, peakMemoryBytes, kind } of asset.outputs) {
      if (kind !== 'subtitles') assert.ok(cpuSeconds > 0 && peakMemoryBytes > 1_000_000, kind);
    }
    const playback = {
      hls: 'master.m3u8',
      dash: 'manifest.mpd',
      poster: 'poster.jpg',
      storyboardVtt: 'storyboard.vtt',
    };
    const files = { ...playback, storyboardJson: 'storyboard.json', download: 'download.mp4' };
    const paths = Object.entries(files).map(([name, path]) => [name, `${base}/${path}`]);
    assert.deepEqual(asset.playback, Object.fromEntries(paths));
    assert.deepEqual(
      [asset.media?.container, asset.media?.video[0]?.codec, asset.media?.audio.length],
      ['matroska', 'h264', 2],
    );
  });

  it('lists every route in its description', async () => {
    const { paths } = await api.json<{ readonly paths: Record<string, object> }>('/openapi.json');
    for (const [path, methods] of Object.entries(contract.ASSET_ROUTES)) {
      assert.deepEqual(Object.keys(paths[path] ?? {}).toSorted(), methods, path);
    }
  });

  it('plays as HLS in fMP4 and TS, with audio groups, captions and keyframes, and as DASH', async () => {
    const { variants } = parseMultivariant(await api.text(`${base}/master.m3u8`));
    const shown = variants.filter(({ isIFrameOnly }) => isIFrameOnly !== true);
    assert.deepEqual(
      shown.map(({ resolution, codecs }) => [resolution?.width, resolution?.height, codecs?.slice(0, 4)]),
      [
        [320, 180, 'avc1'],
        [160, 90, 'vp09'],
      ],
    );
    for (const { bandwidth, averageBandwidth, frameRate, audio, subtitles } of shown) {
      assert.ok(bandwidth >= (averageBandwidth ?? Number.POSITIVE_INFINITY));
      assert.equal(frameRate, 25);
      assert.deepEqual(
        audio.map(({ language }) => language),
        ['en', 'de'],
      );
      assert.deepEqual(
        subtitles.map(({ language }) => language),
        ['en'],
      );
    }
    assert.equal(variants.filter(({ isIFrameOnly }) => isIFrameOnly === true).length, 2);
    for (const query of ['', '?container=ts']) {
      const [first] = parseMultivariant(await api.text(`${base}/master.m3u8${query}`)).variants;
      const path = `${base}/${first?.uri}`;
      const playlist = parseMediaPlaylist(await api.text(path));
      assert.deepEqual([playlist.playlistType, playlist.endlist, playlist.segments.length], ['VOD', true, 1]);
      for (const { uri } of playlist.segments) {
        const segment = await api.get(new URL(uri, new URL(path, server.url)).href);
        assert.equal(segment.headers.get('content-type'), query === '' ? 'video/mp4' : 'video/mp2t');
        assert.equal(segment.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      }
      const url = new URL(path, server.url).href;
      const probe = ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries', 'stream=nb_read_frames'];
      const counted = await run('ffprobe', [...probe, '-of', 'csv=p=0', url]);
      assert.match(counted.toString(), /^125\b/);
    }
    const manifest = await api.get(`${base}/manifest.mpd`);
    assert.equal(manifest.headers.get('content-type'), 'application/dash+xml');
    assert.match(manifest.bytes.toString(), /type="static"[^]*<SegmentTimeline>/);
  });

  it('gives pictures, a storyboard whose places agree, captions and one MP4', async () => {
    const tall = async (path: string): Promise<number> => {
      const { headers, bytes } = await api.get(path);
      assert.equal(headers.get('content-type'), 'image/jpeg');
      return (await decodeJpegLuma(bytes)).length;
    };
    assert.equal(await tall(`${base}/poster.jpg`), 320 * 180);
    for (const number of [0, 1, 2]) assert.equal(await tall(`${base}/thumbnails/${number}.jpg`), 160 * 90);
    assert.equal((await api.request(`${base}/thumbnails/3.jpg`)).status, 404);
    interface Board {
      readonly columns: number;
      readonly tileWidthPx: number;
      readonly tileHeightPx: number;
      readonly sheets: readonly string[];
      readonly tiles: readonly { readonly startMs: number; readonly x: number; readonly y: number }[];
    }
    const board = await api.json<Board>(`${base}/storyboard.json`);
    const boxes = (await api.text(`${base}/storyboard.vtt`)).matchAll(/(\S+) --> \S+\n(\S+)#xywh=(\d+),(\d+),160,90/g);
    const seconds = (text = ''): number => Number(text.split(':').at(-1)) * 1000;
    assert.deepEqual(
      [...boxes].map(([, from, sheet, x, y]) => [seconds(from), sheet, Number(x), Number(y)]),
      board.tiles.map(({ startMs, x, y }) => [startMs, board.sheets[0], x, y]),
    );
    // Sound ends 1.2 s after the pictures: the last of them is shown so long.
    assert.equal(board.tiles.length, 7);
    const luma = await decodeJpegLuma((await api.get(`${base}/${board.sheets[0]}`)).bytes);
    const width = board.columns * board.tileWidthPx;
    for (const { x, y } of board.tiles) {
      const row = luma.subarray((y + 45) * width + x, (y + 45) * width + x + board.tileWidthPx);
      assert.ok(Math.max(...row) - Math.min(...row) > 50, `nothing is drawn at ${x},${y}`);
    }
    const captions = asset.outputs.find(({ kind }) => kind === 'subtitles');
    const vtt = await api.get(`${base}/captions/${captions?.id}.vtt`);
    assert.equal(vtt.headers.get('content-type'), 'text/vtt; charset=utf-8');
    assert.match(vtt.bytes.toString(), /00:00:01\.000 --> 00:00:02\.500\nHello <i>there<\/i>/);
    const movie = await api.get(`${base}/download.mp4`);
    assert.match(movie.headers.get('content-disposition') ?? '', /^attachment; filename="Film\.mp4"/);
    const part = await api.request(`${base}/download.mp4`, { headers: { range: 'bytes=4-7' } });
    assert.deepEqual([part.status, part.bytes.toString()], [206, 'ftyp']);
    const corner = ['-v', 'error', '-i', 'pipe:0', '-frames:v', '1', '-vf', 'crop=4:4:300:160', '-pix_fmt', 'rgb24'];
    const [red = 0, green = 0] = await run('ffmpeg', [...corner, '-f', 'rawvideo', '-'], movie.bytes);
    assert.ok(red > 200 && green < 60, `the mark is not at its place: ${red}, ${green}`);
  });

  it('takes a file by PUT, by tus and from a URL, and checks what arrives', async () => {
    const put = await upload(server, film, { filename: 'put film.mkv', asset: LEAST });
    assert.deepEqual([put.name, put.source.kind], ['put film.mkv', 'upload']);
    const wrong = await api.request('/v1/uploads/wrong.mkv', {
      method: 'PUT',
      headers: { 'repr-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` },
      body: readFileSync(film),
    });
    assert.equal(problemOf(wrong).code, 'corrupt_media');
    const bytes = readFileSync(film);
    const id = await new Promise<string>((resolve, reject) => {
      new Upload(bytes, {
        endpoint: `${server.url}/v1/uploads`,
        chunkSize: 100_000,
        metadata: { filename: 'tus.mkv', asset: JSON.stringify({ ...LEAST, referenceId: 'by tus' }) },
        onError: reject,
        onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader('Zoetrope-Asset-Id') ?? ''),
      }).start();
    });
    receiver.answer = () => ({ status: 200, headers: { 'content-type': 'video/x-matroska' }, body: '' });
    const url = `${receiver.url}/empty.mkv`;
    const fetched = await api.postJson('/v1/assets', { source: { url }, ...LEAST });
    assert.equal(fetched.status, 202);
    const empty = await ended(server, (JSON.parse(fetched.bytes.toString()) as AssetJson).id, MS);
    assert.deepEqual([empty.state, empty.source], ['failed', { kind: 'url', url }]);
    receiver.answer = () => ({ status: 204 });
    for (const one of [put.id, id]) assert.equal((await ended(server, one, MS)).state, 'ready');
    const found = await api.json<{ readonly items: readonly AssetJson[] }>(
      '/v1/assets?referenceId=by%20tus&state=ready',
    );
    assert.deepEqual(
      found.items.map((one) => one.id),
      [id],
    );
    for (const [status, code, says, body] of contract.REFUSED_ASSETS) {
      const problem = problemOf(await api.postJson('/v1/assets', body));
      assert.deepEqual([problem.status, problem.code], [status, code]);
      assert.match(problem.detail, says);
    }
  });

  it('cancels, retries, changes and removes', async () => {
    const { id, outputs } = asset;
    const post = async (path: string): Promise<number> =>
      (await api.request(`/v1/assets/${path}`, { method: 'POST' })).status;
    assert.deepEqual(
      [await post(`${id}/cancel`), await post(`${id}/retry`), await post(`${id}/outputs/${outputs[0]?.id}/cancel`)],
      [409, 409, 409],
    );
    assert.deepEqual([await post('ast_none00/cancel'), await post(`${id}/outputs/out_none00/cancel`)], [404, 404]);
    const other = await api.postJson('/v1/assets', { source: { objectKey: 'inputs/default/film.mkv' }, ...LEAST });
    const { id: second } = JSON.parse(other.bytes.toString()) as AssetJson;
    assert.equal(await post(`${second}/cancel`), 200);
    assert.equal((await api.json<AssetJson>(`/v1/assets/${second}`)).state, 'cancelled');
    assert.equal(await post(`${second}/retry`), 200);
    const change = await api.postJson(`/v1/assets/${second}`, { name: 'Other', priority: -10 }, 'PATCH');
    assert.equal(change.status, 200);
    const again = await ended(server, second, MS);
    assert.deepEqual([again.state, again.name, again.priority], ['ready', 'Other', -10]);
    assert.equal((await api.request(`/v1/assets/${second}`, { method: 'DELETE' })).status, 204);
    for (const path of [`/v1/assets/${second}`, `/play/assets/${second}/master.m3u8`]) {
      assert.equal((await api.request(path)).status, 404);
    }
  });

  it('tells of assets as they are: followers by events, receivers by signed webhooks', async () => {
    const events = await fetch(`${server.url}/v1/assets/${asset.id}/events`);
    let heard = '';
    for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      heard += chunk;
      if (heard.includes('\n\n')) break;
    }
    assert.match(heard, new RegExp(`event: asset\\n(id: .*\\n)?data: \\{"id":"${asset.id}"`));
    const { secret } = await api.json<{ readonly secret: string }>('/v1/webhooks/job-secret');
    for (const [path, key] of [
      ['/job', secret],
      ['/all', endpoint.secret],
    ] as const) {
      const about = (await receiver.at(path, 3)).filter(({ body }) => body.includes(`"asset":{"id":"${asset.id}"`));
      const types = about.map((webhook) => (verified(webhook, key) as { readonly type: string }).type);
      assert.deepEqual(types.toSorted(), ['asset.created', 'asset.playable', 'asset.ready']);
    }
    assert.equal((await api.json<{ readonly enabled: boolean }>(`/v1/webhooks/${gone}`)).enabled, false);
    const rotated = await api.request(`/v1/webhooks/${endpoint.id}/rotate`, { method: 'POST' });
    const { secret: next } = JSON.parse(rotated.bytes.toString()) as { readonly secret: string };
    const log = `/v1/webhooks/deliveries?endpointId=${endpoint.id}&subjectId=${asset.id}&state=delivered`;
    const { items } = await api.json<{ readonly items: readonly { readonly id: string; readonly eventId: string }[] }>(
      log,
    );
    assert.equal(items.length, 3);
    await api.request(`/v1/webhooks/deliveries/${items[0]?.id}/redeliver`, { method: 'POST' });
    const isAgain = ({ path, headers }: (typeof receiver.received)[number]): boolean =>
      path === '/all' &&
      headers['webhook-id'] === items[0]?.eventId &&
      headers['webhook-signature']?.includes(' ') === true;
    const last = await eventually('the delivery comes again', () => receiver.received.findLast(isAgain), {
      timeoutMs: 10_000,
    });
    for (const key of [endpoint.secret, next]) verified(last, key);
  });

  it('runs every command about assets, with its exit code', async () => {
    const url = ['--url', server.url];
    const sent = await server.command(['upload', film, '--rung', '90', '--watch', '--json', '--checksum', ...url]);
    assert.equal(sent.code, 0, sent.stderr);
    const [told] = JSON.parse(sent.stdout) as readonly { readonly assetId: string; readonly state: string }[];
    assert.equal(told?.state, 'ready');
    for (const [code, output, ...args] of [
      [1, /unsupported_media/, 'upload', join(directory, 'captions.srt'), '--watch', ...url],
      [2, /no such file/, 'upload', join(directory, 'none.mp4'), ...url],
      [
        0,
        /"ready": 1/,
        'simulate',
        'uploads',
        '--count',
        '1',
        '--duration',
        '1',
        '--size',
        '160x120',
        '--json',
        ...url,
      ],
      [0, /--slots/, 'worker', '--help'],
      [0, /--watch/, 'upload', '--help'],
      [0, /"clean": true/, 'doctor', '--deep', '--json'],
    ] as const) {
      const result = await server.command(args);
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
      assert.match(result.stdout + result.stderr, output, args.join(' '));
    }
    const { settings } = JSON.parse((await server.command(['config', '--json'])).stdout) as {
      readonly settings: readonly { readonly env: string; readonly value: unknown; readonly from: string }[];
    };
    for (const [env, value] of Object.entries(contract.ASSET_SETTINGS)) {
      const setting = settings.find((one) => one.env === env);
      assert.deepEqual([setting?.value ?? null, setting?.from], [value, value === null ? 'unset' : 'default'], env);
    }
  });
});
