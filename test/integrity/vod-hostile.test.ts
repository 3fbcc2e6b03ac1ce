import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SCRIPTED_CAPTIONS } from '../fixtures/hostile-media-contents.ts';
import { byGrpc, byObject, byPut, byTus, create, type Door } from '../fixtures/hostile-media-doors.ts';
import { mutate } from '../fixtures/hostile-media-mutations.ts';
import { encode, makeSeeds } from '../fixtures/hostile-media-seeds.ts';
import { hostileTexts } from '../fixtures/hostile-media-texts.ts';
import { ALLOWED_ADDRESS, forEachAtOnce, HostileWorld } from '../fixtures/hostile-media-world.ts';
import { hostileMedia, type HostileMedia } from '../fixtures/hostile-media.ts';
import { createRandom, runSeed } from '../fixtures/random.ts';
import { filesOf, type ShownAsset } from '../fixtures/vod-jobs.ts';
import { WebServer } from '../fixtures/web-server.ts';

/** Files of the fuzz part, by the number of hostile inputs asked for. */
const MUTATIONS = Math.ceil(Number(process.env['INTEGRITY_HOSTILE_INPUTS'] ?? 400) / 10);
/** One small rung: what is looked at is what the file does, not how well it is encoded. */
const SMALL = { outputs: { video: [{ heightPx: 64, preset: 'ultrafast' }], poster: false, storyboard: false } };
const FULL = { outputs: { ...SMALL.outputs, poster: true, storyboard: true, download: true } };

const seeds = makeSeeds();

test('hostile files are refused, or end with their cause, by whatever door they come', async (t) => {
  await using world = await HostileWorld.start();
  const { server, canary } = world;
  const files = new Map<string, Uint8Array>();
  await using origin = await WebServer.start(ALLOWED_ADDRESS, (request, response) => {
    response.end(files.get(request.url ?? ''));
  });
  const byUrl: Door = async (_, { name, bytes }, options) => {
    files.set(`/${name}`, bytes);
    return await create(server, { url: `${origin.url}/${name}` }, options);
  };
  const doors: readonly Door[] = [byPut, byTus, byObject, byGrpc, byUrl];
  const media = hostileMedia(seeds, canary);
  const assets: ShownAsset[] = [];
  let refused = 0;
  await forEachAtOnce(media, 3, async (file, index) => {
    const door = doors[index % doors.length] ?? byPut;
    const admission = await door(server, { name: `${index}.${file.extension}`, bytes: file.bytes() }, SMALL);
    world.assertRefused(file.name, admission);
    if (!('id' in admission)) {
      assert.notEqual(file.becomes, 'ready', `${file.name} was refused: ${admission.refused}`);
      refused += 1;
      return;
    }
    const asset = await world.ended(file.name, admission.id);
    assertOutcome(file, asset);
    assets.push(asset);
  });
  t.diagnostic(
    `${media.length} files, ${refused} refused at once; a process held ${world.peakBytes >> 20} MiB at most`,
  );
  await world.assertUnharmed(assets);
});

test('texts and names out of files are plain wherever they are shown', async () => {
  await using world = await HostileWorld.start();
  const { server, canary } = world;
  const media = hostileMedia(seeds, canary).filter(({ name }) => /^a language|^a title|scripts$/.test(name));
  const assets: ShownAsset[] = [];
  for (const file of media) {
    const admission = await byPut(server, { name: '<script>alert(1)</script>.mkv', bytes: file.bytes() }, SMALL);
    assert.ok('id' in admission, file.name);
    const asset = await world.ended(file.name, admission.id);
    assert.equal(asset.state, 'ready', JSON.stringify(asset.cause));
    assets.push(asset);
    const shown = JSON.stringify({ ...asset, name: '', source: null });
    assert.doesNotMatch(shown, /\\[nru]/, `${file.name}: ${shown.slice(0, 2000)}`);
    for (const output of asset.outputs) assert.match(output.name, /^[a-z0-9-]+$/i, file.name);
    assert.ok(shown.length < 20_000, `${file.name} is shown in ${shown.length} characters`);
    await assertPlainPlaylists(world, asset.id, canary.url);
    if (file.name === SCRIPTED_CAPTIONS) await assertPlainCaptions(world, asset);
  }
  await world.assertUnharmed(assets);
});

test('addresses that lead inside are refused with the cause, and never called', async () => {
  await using world = await HostileWorld.start();
  const { server, canary } = world;
  const port = new URL(canary.url).port;
  const inside = [
    `http://127.0.0.1:${port}/`,
    `http://localhost:${port}/`,
    `http://a.localhost:${port}/`,
    `http://${hostname()}:${port}/`,
    `http://2130706433:${port}/`,
    `http://0x7f000001:${port}/`,
    `http://0177.0.0.1:${port}/`,
    `http://127.1:${port}/`,
    `http://0.0.0.0:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://[::ffff:7f00:1]:${port}/`,
    `http://[64:ff9b::7f00:1]:${port}/`,
    `http://①②⑦.0.0.1:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://100.100.100.200/',
  ];
  const schemes = [
    `file://${canary.path}`,
    'gopher://127.0.0.1/',
    'ftp://127.0.0.1/a',
    'data:video/mp4;base64,AAAA',
    `concat:${canary.path}`,
    `subfile,,start,0,end,9,,:${canary.path}`,
    canary.path,
  ];
  const targets = [...inside, ...schemes.slice(0, 4)];
  await using origin = await WebServer.start(ALLOWED_ADDRESS, (request, response) => {
    const hop = /^\/hop\/(\d+)\/(\d+)$/.exec(request.url ?? '');
    const [, left = '0', target = '0'] = hop ?? [];
    const location = Number(left) > 0 ? `/hop/${Number(left) - 1}/${target}` : encodeURI(targets[Number(target)] ?? '');
    response.writeHead(302, { location }).end();
  });
  for (const url of schemes) {
    const admission = await create(server, { url }, SMALL);
    assert.ok('refused' in admission && admission.refused === 'invalid_argument', url);
  }
  const codes = new Set(['permission_denied', 'invalid_argument']);
  const urls = [
    ...inside,
    ...targets.flatMap((_, target) => [`${origin.url}/hop/0/${target}`, `${origin.url}/hop/2/${target}`]),
  ];
  const assets: ShownAsset[] = [];
  await forEachAtOnce(urls, 4, async (url) => {
    const admission = await create(server, { url }, SMALL);
    world.assertRefused(url, admission);
    if (!('id' in admission)) return assert.ok(codes.has(admission.refused), url);
    const asset = await world.ended(url, admission.id, codes);
    assert.equal(asset.state, 'failed', url);
    assets.push(asset);
  });
  await world.assertUnharmed(assets);
});

test('answers without end, at a crawl, in circles or packed are cut short with the cause', async () => {
  await using world = await HostileWorld.start({
    ZOETROPE_MAX_UPLOAD_BYTES: String(4 << 20),
    ZOETROPE_FETCH_TIMEOUT_SECONDS: '2',
  });
  const { server } = world;
  const block = Buffer.alloc(1 << 16, 7);
  const answers: Readonly<Record<string, { readonly answer: RequestListener; readonly code: string }>> = {
    '/endless': {
      code: 'payload_too_large',
      answer: (_, response) => {
        const pour = (): void => {
          while (!response.destroyed && response.write(block));
        };
        response.on('drain', pour);
        pour();
      },
    },
    '/claims-much': {
      code: 'payload_too_large',
      answer: (_, response) => response.writeHead(200, { 'content-length': '99999999999999' }).write(block),
    },
    '/crawls': {
      code: 'deadline_exceeded',
      answer: (_, response) => {
        const timer = setInterval(() => response.write('.'), 100);
        response.on('close', () => clearInterval(timer));
      },
    },
    '/silent': { code: 'deadline_exceeded', answer: () => undefined },
    '/circle': { code: 'any', answer: (_, response) => response.writeHead(302, { location: '/circle' }).end() },
    '/packed': {
      code: 'unsupported_media',
      answer: (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(8 << 20))),
    },
    '/short': {
      code: 'unavailable',
      answer: (_, response) =>
        response.writeHead(200, { 'content-length': '5000' }).write(block.subarray(0, 100), () => response.destroy()),
    },
    '/headers': { code: 'any', answer: (_, response) => response.writeHead(200, { 'x-a': 'a'.repeat(1 << 20) }).end() },
    '/empty': { code: 'any', answer: (_, response) => response.end() },
    '/playlist': {
      code: 'unsupported_media',
      answer: (_, response) =>
        response.writeHead(200, { 'content-type': 'video/mp4' }).end(hostileTexts(world.canary)['an HLS playlist']),
    },
  };
  await using origin = await WebServer.start(ALLOWED_ADDRESS, (request, response) => {
    const known = answers[request.url ?? ''];
    known?.answer(request, response);
  });
  const codes = new Set([
    'payload_too_large',
    'deadline_exceeded',
    'unsupported_media',
    'unavailable',
    'invalid_argument',
    'missing_input',
  ]);
  const assets: ShownAsset[] = [];
  await forEachAtOnce(Object.entries(answers), 4, async ([path, { code }]) => {
    const admission = await create(server, { url: origin.url + path }, SMALL);
    assert.ok('id' in admission, path);
    const asset = await world.ended(path, admission.id, codes);
    assert.equal(asset.state, 'failed', path);
    if (code !== 'any') assert.equal(asset.cause?.code, code, `${path}: ${asset.cause?.message}`);
    assets.push(asset);
  });
  for (const { id } of assets) assert.deepEqual(filesOf(server.dataDir, id), []);
  await world.assertUnharmed(assets);
});

test('watermarks that are no pictures, or huge ones, fail their asset with the cause', async () => {
  await using world = await HostileWorld.start();
  const { server, canary } = world;
  const texts = hostileTexts(canary);
  const huge = encode('-f lavfi -i color=gray:size=15000x15000:rate=1 -frames:v 1 -q:v 31', 'jpg');
  const marks: Readonly<Record<string, Uint8Array | undefined>> = {
    svg: texts['an SVG'],
    mvg: texts['an MVG script'],
    playlist: texts['an HLS playlist'],
    html: texts['an HTML page'],
    film: seeds.mp4,
    huge,
    large: Buffer.alloc(17 << 20, 0xff),
    cut: encode('-f lavfi -i testsrc2=size=64x64:rate=1 -frames:v 1', 'png').subarray(0, 60),
    empty: Buffer.alloc(0),
  };
  const folder = join(server.dataDir, 'objects', 'inputs', 'default');
  mkdirSync(folder, { recursive: true });
  const assets: ShownAsset[] = [];
  await forEachAtOnce(Object.entries(marks), 2, async ([name, bytes]) => {
    writeFileSync(join(folder, `${name}.png`), bytes ?? Buffer.alloc(0));
    const outputs = { ...SMALL.outputs, watermark: { objectKey: `inputs/default/${name}.png` } };
    const admission = await byPut(server, { name: 'film.mp4', bytes: seeds.mp4 }, { outputs });
    assert.ok('id' in admission, name);
    const asset = await world.ended(name, admission.id);
    assert.equal(asset.state, 'failed', name);
    assets.push(asset);
  });
  const keys = [
    '../../catalog.db',
    'inputs/default/../../assets/x',
    '/etc/passwd',
    'inputs/other/a.png',
    'assets/ast_1/source',
  ];
  for (const objectKey of keys) {
    for (const source of [{ objectKey }, { url: 'http://127.0.0.2/' }]) {
      const options = 'url' in source ? { outputs: { ...SMALL.outputs, watermark: { objectKey } } } : SMALL;
      const admission = await create(server, source, options);
      assert.ok('refused' in admission && admission.status === 400, objectKey);
    }
  }
  await world.assertUnharmed(assets);
});

test('what is said of a file is bounded: paths in names, depths of JSON, lengths', async () => {
  await using world = await HostileWorld.start();
  const { server } = world;
  const deep = '['.repeat(7000) + ']'.repeat(7000);
  const assets: ShownAsset[] = [];
  for (const name of [
    '../../../../tmp/pwned.mp4',
    '..\\..\\pwned.mp4',
    '/etc/passwd',
    '\u0000\u0007\n.mp4',
    '..',
    '.',
    'a'.repeat(3000),
  ]) {
    for (const door of [byPut, byTus, byGrpc]) {
      const admission = await door(server, { name, bytes: seeds.mp4 }, SMALL);
      world.assertRefused(name, admission);
      if (!('id' in admission)) continue;
      const asset = await world.ended(name, admission.id);
      assert.equal(asset.state, 'ready', name);
      assert.doesNotMatch(JSON.stringify(asset), /\.\.[/\\]|\/etc\/|\\u00|\\n/);
      assets.push(asset);
    }
  }
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  for (const options of [
    deep,
    `{"outputs":${deep}}`,
    '{"__proto__":{"a":1}}',
    '{',
    'null',
    '"x"',
    `{"name":"${'n'.repeat(9000)}"}`,
    '{"outputs":{"video":{"length":1e9}}}',
  ]) {
    const put = await server.api.request(`/v1/uploads/a.mp4?asset=${encodeURIComponent(options)}`, {
      method: 'PUT',
      body: seeds.mp4,
    });
    const tus = await server.api.request('/v1/uploads', {
      method: 'POST',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': '9',
        'upload-metadata': `filename YQ==,asset ${base64(options)}`,
      },
    });
    const post = await server.api.request('/v1/assets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: options,
    });
    for (const { status } of [put, tus, post])
      assert.ok(status >= 400 && status < 500, `${status} for ${options.slice(0, 40)}`);
  }
  for (const length of ['99999999999999', '-1', '1e9', 'x', '']) {
    const { status } = await server.api.request('/v1/uploads', {
      method: 'POST',
      headers: { 'tus-resumable': '1.0.0', 'upload-length': length },
    });
    assert.ok(status >= 400 && status < 500, `${status} for a length of ${length}`);
  }
  await world.assertUnharmed(assets);
});

test('valid files that chance went over end ready or with a cause', async (t) => {
  const random = createRandom(runSeed());
  t.diagnostic(`INTEGRITY_SEED=${random.seed} repeats this run`);
  await using world = await HostileWorld.start({
    // A damaged time makes hours of silence out of a second, and they are encoded: only the duration bounds that.
    ZOETROPE_MAX_DURATION_HOURS: '0.05',
  });
  const media = Array.from({ length: MUTATIONS }, () => mutate(seeds, random));
  const assets: ShownAsset[] = [];
  await forEachAtOnce(media, 3, async ({ name, extension, bytes }, index) => {
    const what = `mutation ${index} (${name})`;
    const admission = await byPut(world.server, { name: `${index}.${extension}`, bytes }, FULL);
    world.assertRefused(what, admission);
    if ('id' in admission) assets.push(await world.ended(what, admission.id));
  });
  const ready = assets.filter(({ state }) => state === 'ready').length;
  t.diagnostic(`${MUTATIONS} files: ${ready} ready, ${assets.length - ready} failed, the rest refused at once`);
  await world.assertUnharmed(assets);
});

function assertOutcome({ name, becomes, code }: HostileMedia, { state, cause }: ShownAsset): void {
  const said = `${name} is ${state}: ${JSON.stringify(cause)}`;
  if (becomes !== 'any') assert.equal(state, becomes, said);
  if (code !== undefined) assert.equal(cause?.code, code, said);
}

/** Every line of every playlist is one that we write, and every address our own. */
async function assertPlainPlaylists({ server }: HostileWorld, id: string, canaryUrl: string): Promise<void> {
  const base = `/play/assets/${id}/`;
  const master = await server.api.text(`${base}master.m3u8`);
  const uris = master
    .split('\n')
    .flatMap((line) => /URI="([^"]*)"/.exec(line)?.[1] ?? (/^[^#]/.test(line) ? [line] : []));
  const texts = await Promise.all(uris.map((uri) => server.api.text(new URL(uri, new URL(base, server.url)).pathname)));
  const manifest = await server.api.text(`${base}manifest.mpd`);
  assert.doesNotMatch(manifest, /<(script|img)/, manifest);
  for (const text of [master, ...texts, manifest]) assert.ok(!text.includes(canaryUrl), text);
  for (const line of [master, ...texts].flatMap((text) => text.split('\n')))
    assert.match(line, /^(#EXT|[\w./-]*(\?.*)?$)/, line);
  assert.equal(master.includes('#EXT-X-ENDLIST'), false);
}

/** Captions hold no tag but those of WebVTT that do no harm, and no cue but those of the file. */
async function assertPlainCaptions({ server }: HostileWorld, asset: ShownAsset): Promise<void> {
  const [track] = asset.outputs.filter(({ kind }) => kind === 'subtitles');
  const { bytes, headers } = await server.api.get(`/play/assets/${asset.id}/captions/${track?.id}.vtt`);
  assert.match(headers.get('content-type') ?? '', /^text\/vtt/);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  const text = bytes.toString();
  assert.doesNotMatch(text.replaceAll(/<\/?[biu]>/g, ''), /<|onclick/, text);
  const timings = text.split('\n').filter((line) => line.includes('-->'));
  for (const line of timings) assert.match(line, /^[\d:.]+ --> [\d:.]+$/);
  assert.ok(timings.length <= 7, text);
}
