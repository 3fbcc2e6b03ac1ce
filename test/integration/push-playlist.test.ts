import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { problemOf, type Answer } from '../fixtures/api-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { makeHls, makePushStream } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

const execFileAsync = promisify(execFile);

describe('playlists whose segments lie on the server’s machine', () => {
  const place = mkdtempSync(join(tmpdir(), 'zoetrope-playlist-'));
  const [root, outside] = [join(place, 'root'), join(place, 'outside')];
  let server: TestServer;
  let playlist = '';
  before(async () => {
    await mkdir(root);
    await mkdir(outside);
    await mkdir(join(place, 'data'));
    server = await TestServer.start({ env: { ZOETROPE_PUSH_ROOTS: root }, dataDir: join(place, 'data') });
    for (const directory of [join(root, 'four'), join(outside, 'four')]) {
      await mkdir(directory);
      ({ playlist } = await makeHls({ container: 'ts', seconds: 4, withTime: false }, directory));
    }
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(place, { recursive: true, force: true });
  });

  function post(
    name: string,
    prefix: string,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const all = { 'video-source-name': name, 'mpeg-ts-uri-prefix': prefix, ...headers };
    return server.api.request('/v1/playlist', { method: 'POST', headers: all, body: text });
  }

  const uri = (directory: string): string => `file://${directory}`;

  async function streamOf(name: string): Promise<StreamJson> {
    const found = (await server.api.streams()).filter((stream) => stream.name === name);
    assert.equal(found.length, 1, `${found.length} streams named ${name}`);
    return found[0] ?? assert.fail();
  }

  async function timeline(id: string, segments: number): Promise<readonly boolean[]> {
    return eventually(
      `${segments} segments are on the timeline`,
      async () => {
        const answer = await server.api.request(`/play/streams/${id}/dvr.m3u8`);
        if (answer.status !== 200) return undefined;
        const list = parseMediaPlaylist(answer.bytes.toString()).segments;
        return list.length === segments ? list.map(({ discontinuity }) => discontinuity === true) : undefined;
      },
      { timeoutMs: 20_000, describe: () => server.logs },
    );
  }

  test('Debian’s ffmpeg posts its playlists alone; every segment is there, once, also after a restart', async () => {
    const directory = join(root, 'camera-0');
    await mkdir(directory);
    const headers = `Video-Source-Name: camera-0\r\nMPEG-TS-URI-Prefix: ${uri(directory)}\r\n`;
    await execFileAsync('ffmpeg', [
      ...'-v error -nostdin -re -f lavfi -i testsrc2=size=160x90:rate=25 -t 4'.split(' '),
      ...'-c:v libx264 -preset ultrafast -g 25 -sc_threshold 0 -pix_fmt yuv420p -an'.split(' '),
      ...'-strftime 1 -f hls -hls_time 1 -hls_list_size 5 -hls_flags delete_segments+independent_segments'.split(' '),
      '-hls_segment_filename',
      join(directory, 'test-video-%s.ts'),
      '-headers',
      headers,
      '-method',
      'POST',
      `${server.url}/v1/playlist`,
    ]);
    const { id, kind } = await streamOf('camera-0');
    assert.equal(kind, 'push');
    assert.deepEqual(await timeline(id, 4), [false, false, false, false]);
    const { source } = await streamOf('camera-0');
    assert.deepEqual([source?.duplicates, source?.rejected, source?.gaps], [0, 0, 0]);
    await server.restart();
    const names = execFileSync('ls', [directory]).toString().trim().split('\n');
    const again = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${names.map((name) => `#EXTINF:1,\n${name}\n`).join('')}`;
    const answer = await post('camera-0', uri(directory), again);
    assert.equal(answer.status, 200, answer.bytes.toString());
    // What was read again is judged before this new one.
    await writeFile(join(directory, 'last.ts'), await readFile(join(root, 'four', 'live0.ts')));
    await post('camera-0', uri(directory), `${again}#EXTINF:2,\nlast.ts\n`);
    const listed = await eventually(
      'the new one is there',
      async () => {
        const { segments } = parseMediaPlaylist(await server.api.text(`/play/streams/${id}/dvr.m3u8`));
        return segments.at(-1)?.duration === 2 ? segments.length : undefined;
      },
      { timeoutMs: 20_000, describe: () => server.logs },
    );
    assert.equal(listed, 5, 'what was read again is there once');
  });

  test('a file that is not there yet is told, the rest is taken, and the next playlist heals it', async () => {
    const directory = join(root, 'late');
    await mkdir(directory);
    await writeFile(join(directory, 'live1.ts'), await readFile(join(root, 'four', 'live1.ts')));
    const first = await post('late', uri(directory), playlist);
    const problem = problemOf(first) as { status: number; detail: string; code: string; retryable?: boolean };
    assert.deepEqual([problem.status, problem.code, problem.retryable], [404, 'missing_input', true]);
    assert.match(problem.detail, /live0\.ts.*1 new/);
    await writeFile(join(directory, 'part'), await readFile(join(root, 'four', 'live0.ts')));
    await rename(join(directory, 'part'), join(directory, 'live0.ts'));
    const second = await post('late', uri(directory), playlist);
    assert.equal(second.status, 200, second.bytes.toString());
    const { streamId, taken, known } = JSON.parse(second.bytes.toString()) as {
      streamId: string;
      taken: string[];
      known: number;
    };
    assert.deepEqual([taken, known], [['live0.ts'], 1]);
    assert.deepEqual(await timeline(streamId, 2), [false, false]);
  });

  test('a name that is used again for other bytes is a new segment', async () => {
    const directory = join(root, 'again');
    await mkdir(directory);
    const one = playlist
      .split('\n')
      .slice(0, -2)
      .join('\n')
      .replace(/live1\.ts[^]*/, '');
    const only = (text: string): string => `${text.slice(0, text.indexOf('live0.ts'))}live0.ts\n`;
    await writeFile(join(directory, 'live0.ts'), await readFile(join(root, 'four', 'live0.ts')));
    assert.equal((await post('again', uri(directory), only(one))).status, 200);
    const { id } = await streamOf('again');
    await timeline(id, 1);
    await writeFile(join(directory, 'new'), await readFile(join(root, 'four', 'live1.ts')));
    await rename(join(directory, 'new'), join(directory, 'live0.ts'));
    assert.equal((await post('again', uri(directory), only(one))).status, 200);
    await timeline(id, 2);
  });

  test('nothing is read but plain files below the roots', async () => {
    const directory = join(root, 'mixed');
    await mkdir(directory);
    await symlink(join(outside, 'four', 'live0.ts'), join(directory, 'link.ts'));
    await symlink(join(outside, 'four'), join(root, 'folder'));
    execFileSync('mkfifo', [join(directory, 'pipe.ts')]);
    await mkdir(join(directory, 'folder.ts'));
    const naming = (name: string): string => `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${name}\n`;
    for (const [prefix, text, why] of [
      [uri(join(outside, 'four')), playlist, /none of the push roots.*ZOETROPE_PUSH_ROOTS/],
      [uri(`${root}/../outside/four`), playlist, /none of the push roots/],
      [`${uri(root)}/%2e%2e/outside/four`, playlist, /none of the push roots/],
      [uri(join(root, 'folder')), playlist, /a link in it leads out/],
      [uri(`${root}-not`), playlist, /none of the push roots/],
      ['file:///', playlist, /none of the push roots/],
      ['http://127.0.0.1:1/', playlist, /nothing is fetched from elsewhere/],
      ['file://elsewhere/srv', playlist, /nothing is fetched from elsewhere/],
      [`${uri(root)}?x=1`, playlist, /nothing is fetched from elsewhere/],
      [root, playlist, /nothing is fetched from elsewhere/],
      [`${uri(root)}/%00`, playlist, /NUL/],
      ['', playlist, /MPEG-TS-URI-Prefix must have/],
      [uri(directory), naming('../four/live0.ts'), /neither empty/],
      [uri(directory), naming('..%2f..%2foutside%2ffour%2flive0.ts'), /neither empty/],
      [uri(directory), naming('/etc/passwd'), /neither empty/],
      [uri(directory), naming('http://127.0.0.1:1/x.ts'), /file names below the prefix/],
      [uri(directory), naming(`file://${outside}/four/live0.ts`), /file names below the prefix/],
      [uri(directory), naming('link.ts'), /is a link/],
      [uri(directory), naming('pipe.ts'), /no plain file/],
      [uri(directory), naming('folder.ts'), /no plain file/],
      [uri(directory), 'nonsense', /EXTM3U/],
      [uri(directory), '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n', /multivariant/],
    ] as const) {
      const { status, detail } = problemOf(await post('mixed', prefix, text));
      assert.equal(status, 400, `${prefix}: ${detail}`);
      assert.match(detail, why);
    }
    assert.equal((await streamOf('mixed')).source, null, 'nothing came of it');
    const bare = await TestServer.start();
    await using _ = bare;
    const answer = await bare.api.request('/v1/playlist', {
      method: 'POST',
      headers: { 'video-source-name': 'x', 'mpeg-ts-uri-prefix': uri(join(root, 'four')) },
      body: playlist,
    });
    assert.match(problemOf(answer).detail, /no push roots are set; the operator sets them with ZOETROPE_PUSH_ROOTS/);
  });

  test('first playlists that come at once make one stream; two streams of one name are a conflict that names both', async () => {
    const directory = uri(join(root, 'four'));
    const answers = await Promise.all(Array.from({ length: 6 }, () => post('many', directory, playlist)));
    const ids = new Set(answers.map(({ bytes }) => (JSON.parse(bytes.toString()) as { streamId: string }).streamId));
    assert.equal(ids.size, 1);
    const { id } = await streamOf('many');
    await timeline(id, 2);
    const other = await makePushStream(server.api, 'many');
    const { status, detail } = problemOf(await post('many', directory, playlist));
    assert.equal(status, 409);
    assert.ok(detail.includes(id) && detail.includes(other), detail);
  });

  test('whose key may not make streams needs one that is there; a bound key finds its own', async () => {
    const create = async (...args: readonly string[]): Promise<Readonly<Record<string, string>>> => {
      const made = await server.command(['keys', 'create', '--json', '--name', 'k', ...args]);
      assert.equal(made.code, 0, made.stderr);
      return { authorization: `Bearer ${(JSON.parse(made.stdout) as { readonly secret: string }).secret}` };
    };
    const [own, other] = [await makePushStream(server.api, 'bound'), await makePushStream(server.api, 'bound')];
    const ingest = await create('--scopes', 'ingest', '--tenant', 'default');
    const manage = await create('--scopes', 'ingest,manage', '--tenant', 'acme');
    const bound = await create('--scopes', 'ingest', '--stream', own);
    const directory = uri(join(root, 'four'));
    await eventually(
      'the keys count',
      async () => ((await post('keyed', directory, playlist)).status === 401 ? true : undefined),
      { timeoutMs: 10_000 },
    );
    const refused = problemOf(await post('keyed', directory, playlist, ingest));
    assert.equal(refused.status, 403);
    assert.match(refused.detail, /Make it first.*ingest and manage/);
    assert.equal((await post('keyed', directory, playlist, manage)).status, 200);
    assert.equal((await post('keyed', directory, playlist, ingest)).status, 403, 'another tenant’s is not found');
    assert.equal((await post('many-such', directory, playlist, bound)).status, 403);
    const found = await post('bound', directory, playlist, bound);
    assert.equal((JSON.parse(found.bytes.toString()) as { streamId: string }).streamId, own);
    const denied = problemOf(await post('late', directory, playlist, bound));
    assert.equal(denied.status, 403);
    assert.ok(!denied.detail.includes(other));
  });
});
