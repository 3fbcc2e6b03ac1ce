import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { createKey } from '../../src/access/api-keys.ts';
import { randomIds } from '../../src/base/ids.ts';
import { FRAME_RATE, makeAssetMedia, type AssetMedia } from '../fixtures/asset-media.ts';
import { FabricatedAsset } from '../fixtures/asset-world.ts';
import { PlaybackServer } from '../fixtures/playback.ts';
import { parseMediaPlaylist, parseMultivariant } from '../fixtures/strict-hls.ts';

/** What Debian's ffmpeg decoded. */
interface Decoded {
  readonly pictures: number;
  readonly seconds: number;
  readonly complaints: string;
}

describe('an independent player', () => {
  let server: PlaybackServer;
  let media: AssetMedia;
  let plain: FabricatedAsset;
  let encrypted: FabricatedAsset;
  before(async () => {
    server = await PlaybackServer.open();
    media = makeAssetMedia({ seconds: 6 });
    plain = await FabricatedAsset.ready(server, media);
    encrypted = await FabricatedAsset.ready(server, media, { encryption: 'aes-128' });
  });
  after(async () => server[Symbol.asyncDispose]());

  const base = (asset: FabricatedAsset): string => `/play/assets/${asset.id}`;

  /** Fetches and decodes everything that is mapped, as fast as it can. */
  async function decode(path: string, map: readonly string[]): Promise<Decoded> {
    const options = ['-v', 'warning', '-xerror', '-i', server.url(path), ...map.flatMap((one) => ['-map', one])];
    const child = spawn('ffmpeg', [...options, '-fps_mode', 'passthrough', '-f', 'null', '-progress', 'pipe:1', '-']);
    const [out, said]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (piece: Buffer) => out.push(piece));
    child.stderr.on('data', (piece: Buffer) => said.push(piece));
    const [code] = (await once(child, 'close')) as [number];
    const complaints = Buffer.concat(said)
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !line.includes("Can't support the subtitle")) // of HLS, which it does not know
      .join('\n');
    assert.equal(code, 0, `${path}: ${complaints}`);
    const progress = Buffer.concat(out).toString();
    const last = (name: string): number =>
      Number([...progress.matchAll(new RegExp(`${name}=(\\d+)`, 'g'))].at(-1)?.[1]);
    return { pictures: last('frame'), seconds: last('out_time_us') / 1e6, complaints };
  }

  for (const [name, path, asset] of [
    ['HLS with CMAF', 'master.m3u8', () => plain],
    ['HLS with MPEG-TS', 'master.m3u8?container=ts', () => plain],
    ['encrypted HLS with CMAF', 'master.m3u8', () => encrypted],
    ['encrypted HLS with MPEG-TS', 'master.m3u8?container=ts', () => encrypted],
    ['DASH', 'manifest.mpd', () => plain],
  ] as const) {
    test(`plays ${name} whole, with pictures and sound`, async () => {
      const seen = await decode(`${base(asset())}/${path}`, ['0:v:0', '0:a:0']);
      assert.equal(seen.pictures, media.seconds * FRAME_RATE);
      assert.ok(Math.abs(seen.seconds - media.seconds) < 0.15, String(seen.seconds));
      assert.equal(seen.complaints, '');
    });
  }

  test('plays every variant, and four times as fast', async () => {
    for (const name of ['video-0', 'video-1']) {
      const seen = await decode(`${base(plain)}/${plain.output(name)}/index.m3u8`, ['0:v']);
      assert.equal(seen.pictures, media.seconds * FRAME_RATE, name);
    }
    for (const query of ['speed=4', 'speed=4&container=ts']) {
      const fast = await decode(`${base(plain)}/master.m3u8?${query}`, ['0:v:0']);
      assert.equal(fast.pictures, media.seconds * FRAME_RATE, query);
      assert.ok(Math.abs(fast.seconds - media.seconds / 4) < 0.1, `${query}: ${fast.seconds}`);
    }
  });

  test('plays the download', async () => {
    const seen = await decode(`${base(plain)}/download.mp4`, ['0:v']);
    assert.equal(seen.pictures, media.seconds * FRAME_RATE);
  });

  test('encryption: nothing of the media leaves in the clear, DASH and keyframes are refused', async () => {
    const folder = `${base(encrypted)}/${encrypted.output('video-0')}/`;
    const text = await server.playlist(`${folder}index.m3u8`);
    const [segment] = parseMediaPlaylist(text).segments;
    assert.equal(segment?.key?.method, 'AES-128');
    assert.match(text, /^#EXT-X-MAP:URI="[^"]+"\n#EXT-X-KEY:METHOD=AES-128,URI="\.\.\/key\/0"\n#EXTINF/m);
    const uri = new URL(segment?.uri ?? '', server.url(folder)).pathname;
    const sent = (await server.get(uri)).body;
    assert.equal(sent.length % 16, 0);
    assert.ok(!sent.includes('moof'));
    for (const other of [uri.replace('.m4s', '.vtt'), uri.replace(encrypted.id, plain.id)]) {
      assert.equal((await server.get(other)).status, 404, other);
    }
    const again = await server.get(uri);
    assert.deepEqual(again.body, sent, 'another asset asking for it changes nothing');
    const key = await server.get(`${base(encrypted)}/key/0`);
    assert.deepEqual([key.body.length, key.headers['cache-control']], [16, 'no-store']);
    assert.equal((await server.get(`${base(encrypted)}/key/1`)).status, 404);
    for (const path of ['manifest.mpd', `${encrypted.output('video-0')}/iframes.m3u8`]) {
      const refused = await server.get(`${base(encrypted)}/${path}`);
      assert.equal(refused.status, 409, path);
      assert.match(refused.text, /encrypted/);
    }
    const master = parseMultivariant(await server.playlist(`${base(encrypted)}/master.m3u8`));
    assert.ok(master.variants.every((one) => !one.isIFrameOnly));
  });

  test('a token opens one asset and everything that its playlists name; keys of other tenants find nothing', async () => {
    const { secret } = await createKey(
      { catalog: server.catalog, ids: randomIds },
      { name: 'viewer', tenant: 'umbrella', scopes: ['read'] },
    );
    await server.clock.advance(2000);
    const foreign = { authorization: `Bearer ${secret}` };
    const { token } = await server.access.mintPlaybackToken({ kind: 'stream', id: encrypted.id }, 3600);
    const video = encrypted.output('video-0');
    for (const path of [
      'master.m3u8',
      `${video}/index.m3u8`,
      'key/0',
      'poster.jpg',
      'storyboard.vtt',
      'storyboard.json',
      'storyboard/0.jpg',
      'thumbnails/0.jpg',
      `captions/${encrypted.output('captions-0')}.vtt`,
      'download.mp4',
    ]) {
      const at = `${base(encrypted)}/${path}`;
      assert.equal((await server.get(at)).status, 401, path);
      assert.equal((await server.get(at, foreign)).status, 404, path);
      assert.equal((await server.get(`${at}?token=${token}`)).status, 200, path);
      assert.equal((await server.get(`${base(plain)}/${path}?token=${token}`)).status, 401, path);
    }
    const seen = await decode(`${base(encrypted)}/master.m3u8?token=${token}`, ['0:v:0', '0:a:0']);
    assert.equal(seen.pictures, media.seconds * FRAME_RATE);
    const own = await server.access.mintPlaybackToken({ kind: 'stream', id: plain.id }, 3600);
    const dash = await decode(`${base(plain)}/manifest.mpd?token=${own.token}`, ['0:v:0', '0:a:0']);
    assert.equal(dash.pictures, media.seconds * FRAME_RATE);
    const sheet = /storyboard\/0\.jpg\?token=[\w.-]+/.exec(
      (await server.get(`${base(plain)}/storyboard.vtt?token=${own.token}`)).text,
    );
    assert.equal((await server.get(`${base(plain)}/${sheet?.[0]}`)).status, 200);
  });
});
