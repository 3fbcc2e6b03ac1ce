import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import type { Problem } from '../fixtures/api-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { hlsArguments, makeHls, makePushStream, push, untilSegment, type HlsWish } from '../fixtures/pushed-hls.ts';
import { TestServer } from '../fixtures/server.ts';

const execFileAsync = promisify(execFile);

/** What a `dvr` playlist lists: durations in seconds, times, and before which segments a discontinuity stands. */
interface Listed {
  readonly durations: readonly number[];
  readonly timesMs: readonly number[];
  readonly breaks: readonly number[];
}

describe('encoders push HLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-push-'));
  let server: TestServer;
  let runs = 0;
  before(async () => {
    server = await TestServer.start();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  async function made(wish: HlsWish): ReturnType<typeof makeHls> {
    const own = join(directory, String(runs++));
    await mkdir(own);
    return makeHls(wish, own);
  }

  async function source(id: string): Promise<NonNullable<StreamJson['source']>> {
    const { source: report } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
    assert.ok(report !== null, 'nothing was taken yet');
    return report;
  }

  function listed(text: string): Listed {
    const lines = text.split('\n');
    const values = (tag: string): readonly string[] =>
      lines.filter((line) => line.startsWith(`#${tag}:`)).map((line) => line.slice(tag.length + 2));
    const breaks: number[] = [];
    let segments = 0;
    for (const line of lines) {
      if (line === '#EXT-X-DISCONTINUITY') breaks.push(segments);
      if (line.startsWith('#EXTINF:')) segments += 1;
    }
    return {
      durations: values('EXTINF').map(Number.parseFloat),
      timesMs: values('EXT-X-PROGRAM-DATE-TIME').map((time) => Date.parse(time)),
      breaks,
    };
  }

  /** The whole window, once it has so many segments. */
  function timeline(id: string, segments: number): Promise<Listed> {
    return eventually(
      `${segments} segments are on the timeline`,
      async () => {
        const answer = await server.api.request(`/play/streams/${id}/dvr.m3u8`);
        const window = listed(answer.status === 200 ? answer.bytes.toString() : '');
        return window.durations.length >= segments ? window : undefined;
      },
      { timeoutMs: 20_000, everyMs: 50, describe: () => server.logs },
    );
  }

  /** Real time in which an encoder could make so many seconds. */
  async function untilMade(seconds: number): Promise<void> {
    const fromMs = performance.now();
    await eventually('time has passed', () => (performance.now() - fromMs >= seconds * 1000 ? true : undefined), {
      timeoutMs: seconds * 2000,
      everyMs: 50,
    });
  }

  async function packets(id: string): Promise<Readonly<Record<string, number>>> {
    await server.api.request(`/v1/streams/${id}/end`, { method: 'POST' });
    const { stdout } = await execFileAsync('/usr/bin/ffprobe', [
      ...'-v error -count_packets -show_entries stream=codec_name,nb_read_packets -of csv=p=0'.split(' '),
      `${server.url}/play/streams/${id}/dvr.m3u8`,
    ]);
    const rows = [...new Set(stdout.trim().split('\n'))].filter((row) => row !== '').map((row) => row.split(','));
    return Object.fromEntries(rows.map(([codec, count]) => [codec ?? '', Number(count)]));
  }

  for (const container of ['ts', 'fmp4'] as const) {
    for (const method of ['PUT', 'POST']) {
      test(`Debian’s ffmpeg, unmodified: ${container} by ${method}`, async () => {
        const id = await makePushStream(server.api, `${container} ${method}`);
        const target = `${server.url}/ingest/hls/${id}/live.m3u8`;
        await execFileAsync(
          '/usr/bin/ffmpeg',
          hlsArguments({ container, seconds: 8, more: ['-method', method] }, target),
        );
        const window = await timeline(id, 4);
        assert.deepEqual(window.durations, [2, 2, 2, 2]);
        assert.deepEqual(window.breaks, []);
        const { clock, codecs, rejected, frameRate } = await source(id);
        assert.deepEqual([clock, rejected, frameRate], ['programDateTime', 0, 25]);
        assert.match(codecs, /^avc1\.[0-9A-F]{6},mp4a\.40\.2$/);
        const counts = await packets(id);
        assert.equal(counts['h264'], 200);
        assert.ok(Math.abs((counts['aac'] ?? 0) - 375) <= 3, `${counts['aac']} packets of sound`);
      });
    }
  }

  test('wall time is the encoder’s, to the millisecond', async () => {
    const id = await makePushStream(server.api, 'times');
    const { playlist, files } = await made({ container: 'ts', seconds: 6 });
    for (const [name, bytes] of files) await push(server.api, id, name, bytes);
    await push(server.api, id, 'live.m3u8', playlist);
    const window = await timeline(id, 3);
    assert.deepEqual(window.timesMs, listed(playlist).timesMs);
  });

  test('an encoder that begins anew with the same names sends new segments', async () => {
    const id = await makePushStream(server.api, 'restart');
    const [first, second] = [
      await made({ container: 'ts', seconds: 4, withTime: false }),
      await made({ container: 'ts', seconds: 4, size: '160x90', withTime: false }),
    ];
    for (const { playlist, files } of [first, second]) {
      for (const [index, [name, bytes]] of [...files].entries()) {
        await push(server.api, id, name, bytes);
        await push(server.api, id, 'live.m3u8', untilSegment(playlist, index + 1));
      }
    }
    const window = await timeline(id, 4);
    assert.deepEqual(window.breaks, [2]);
    const { width, epochs, duplicates, late } = await source(id);
    assert.deepEqual([width, epochs, duplicates, late], [160, 2, 0, 0]);
  });

  for (const withTime of [true, false]) {
    const how = withTime ? 'says what time it is' : 'does not say what time it is';
    test(`an encoder that begins anew with the very same pictures is taken, if it ${how}`, async () => {
      const id = await makePushStream(server.api, 'the same again');
      const { playlist, files } = await made({ container: 'ts', seconds: 4, withTime });
      const later = playlist.replace(/(?<=PROGRAM-DATE-TIME:).*/g, (time) =>
        new Date(Date.parse(time) + 10_000).toISOString(),
      );
      for (const [run, text] of [playlist, later].entries()) {
        // Without a time, the same bytes are the same segment unless they could have been made anew meanwhile.
        if (run > 0 && !withTime) await untilMade(2);
        for (const [index, [name, bytes]] of [...files].entries()) {
          await push(server.api, id, name, bytes);
          await push(server.api, id, 'live.m3u8', untilSegment(text, index + 1));
        }
      }
      const window = await timeline(id, 4);
      assert.deepEqual(window.breaks, [2]);
      assert.equal((await source(id)).duplicates, 0);
    });
  }

  test('two streams with the same names never mix', async () => {
    const ids = [await makePushStream(server.api, 'one'), await makePushStream(server.api, 'two')] as const;
    const media = [
      await made({ container: 'ts', seconds: 4, size: '160x90' }),
      await made({ container: 'ts', seconds: 4, size: '320x180' }),
    ] as const;
    for (const name of media[0].files.keys()) {
      for (const [index, id] of ids.entries()) await push(server.api, id, name, media[index]?.files.get(name) ?? '');
    }
    for (const [index, id] of ids.entries()) await push(server.api, id, 'live.m3u8', media[index]?.playlist ?? '');
    for (const [index, id] of ids.entries()) {
      await timeline(id, 2);
      assert.equal((await source(id)).width, [160, 320][index]);
    }
  });

  test('a segment that never comes is a gap, and viewers go on', async () => {
    const id = await makePushStream(server.api, 'gap');
    const { playlist, files } = await made({ container: 'ts', seconds: 8, withTime: false });
    for (const [index, [name, bytes]] of [...files].entries()) {
      if (index === 1) continue;
      await push(server.api, id, name, bytes);
      await push(server.api, id, 'live.m3u8', untilSegment(playlist, index + 1));
    }
    const window = await timeline(id, 3);
    assert.deepEqual(window.breaks, [1]);
    assert.equal((window.timesMs[1] ?? 0) - (window.timesMs[0] ?? 0), 4000, 'the hole is as long as what is missing');
    const { gaps, clock } = await source(id);
    assert.deepEqual([gaps, clock], [1, 'arrival']);
  });

  test('the very first segment may come after the second', async () => {
    const id = await makePushStream(server.api, 'first comes last');
    const { playlist, files } = await made({ container: 'ts', seconds: 4 });
    const [first, second] = [...files];
    assert.ok(first !== undefined && second !== undefined);
    await push(server.api, id, 'live.m3u8', untilSegment(playlist, 1));
    await push(server.api, id, ...second);
    await push(server.api, id, 'live.m3u8', playlist);
    await push(server.api, id, ...first);
    assert.deepEqual((await timeline(id, 2)).breaks, []);
    assert.equal((await source(id)).late, 0);
  });

  test('what is sent again is known, and what comes out of order is put in order', async () => {
    const id = await makePushStream(server.api, 'again');
    const { playlist, files } = await made({ container: 'fmp4', seconds: 6 });
    for (const [name, bytes] of [...files].toReversed()) await push(server.api, id, name, bytes);
    await push(server.api, id, 'live.m3u8', playlist);
    const window = await timeline(id, 3);
    assert.deepEqual(window.timesMs, listed(playlist).timesMs);
    const [name = '', bytes = ''] = [...files].at(-1) ?? [];
    await push(server.api, id, name, bytes);
    await push(server.api, id, 'live.m3u8', playlist);
    await eventually('it is counted', async () => ((await source(id)).duplicates === 1 ? true : undefined), {
      timeoutMs: 10_000,
      everyMs: 50,
    });
    assert.equal((await timeline(id, 3)).durations.length, 3);
  });

  test('what was acknowledged is on the timeline after a kill', async () => {
    const id = await makePushStream(server.api, 'kill');
    const { playlist, files } = await made({ container: 'fmp4', seconds: 12 });
    const names = [...files.keys()];
    for (const name of names) await push(server.api, id, name, files.get(name) ?? '');
    assert.equal((await push(server.api, id, 'live.m3u8', playlist)).status, 201);
    await server.kill();
    await server.restart();
    const window = await timeline(id, 6);
    assert.deepEqual(window.timesMs, listed(playlist).timesMs);
    assert.deepEqual(window.breaks, []);
    const doctor = await server.command(['doctor', '--deep', '--json']);
    assert.equal(doctor.code, 0, doctor.stdout);
  });

  test('a stream that ended goes on with the next segment', async () => {
    const id = await makePushStream(server.api, 'end');
    const { playlist, files } = await made({ container: 'ts', seconds: 4 });
    const [first, second] = [...files];
    assert.ok(first !== undefined && second !== undefined);
    await push(server.api, id, ...first);
    await push(server.api, id, 'live.m3u8', untilSegment(playlist, 1));
    await timeline(id, 1);
    assert.equal((await server.api.request(`/v1/streams/${id}/end`, { method: 'POST' })).status, 200);
    assert.match(await server.api.text(`/play/streams/${id}/live.m3u8`), /#EXT-X-ENDLIST/);
    await push(server.api, id, ...second);
    await push(server.api, id, 'live.m3u8', playlist);
    await timeline(id, 2);
    assert.doesNotMatch(await server.api.text(`/play/streams/${id}/live.m3u8`), /#EXT-X-ENDLIST/);
  });

  test('an end comes behind all that was pushed before, also what waits for a playlist or for one that lacks', async () => {
    const id = await makePushStream(server.api, 'end behind');
    const { playlist, files } = await made({ container: 'ts', seconds: 8 });
    const [first, , third, fourth] = [...files];
    assert.ok(first !== undefined && third !== undefined && fourth !== undefined);
    await push(server.api, id, ...first);
    await push(server.api, id, ...third);
    await push(server.api, id, 'live.m3u8', untilSegment(playlist, 3));
    await push(server.api, id, ...fourth);
    assert.equal((await server.api.request(`/v1/streams/${id}/end`, { method: 'POST' })).status, 200);
    const { durations } = await timeline(id, 3);
    assert.deepEqual(durations, [2, 2, 2]);
    assert.match(await server.api.text(`/play/streams/${id}/dvr.m3u8`), /#EXT-X-ENDLIST/);
  });

  test('what is no HLS is refused with its cause', async () => {
    const id = await makePushStream(server.api, 'hostile');
    const camera = await makePushStream(server.api, 'camera', { kind: 'frames' });
    const endless = `#EXTM3U\n${'#EXTINF:2,\nseg.ts\n'.repeat(30_000)}`;
    const cases: readonly (readonly [string, string | Uint8Array, number, RegExp, string?])[] = [
      ['seg.ts', 'not media at all', 415, /must be an HLS playlist, an MPEG-TS segment/],
      ['live.m3u8', endless, 413, /20,?000/],
      ['live.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n../../other/seg.ts\n', 400, /outside its stream/],
      ['live.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n', 400, /./],
      ['..%2f..%2fetc%2fpasswd', new Uint8Array(188).fill(0x47), 400, /name of 1 to 512/],
      ['seg.ts', '', 400, /is empty/],
      ['live.m3u8', '#EXTM3U\n', 409, /of kind frames/, camera],
      ['live.m3u8', '#EXTM3U\n', 404, /no stream/, 'str_00000000000000000000000000'],
    ];
    const frame = await server.api.request(`/v1/streams/${id}/frames`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg', 'x-captured-at': new Date().toISOString() },
      body: Buffer.from([0xff, 0xd8, 0xff, 0xd9]),
    });
    assert.equal(frame.status, 409);
    assert.match(frame.bytes.toString(), /is of kind push; frames are sent to streams of kind frames/);
    for (const [name, body, status, message, stream = id] of cases) {
      const answer = await push(server.api, stream, name, body);
      assert.equal(answer.status, status, `${name}: ${answer.bytes.toString()}`);
      assert.match((JSON.parse(answer.bytes.toString()) as Problem).detail, message);
    }
    const liar = Buffer.alloc(188 * 20, 0x47);
    assert.equal((await push(server.api, id, 'liar.ts', liar)).status, 201, 'it begins like a transport stream');
    await push(server.api, id, 'live.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nliar.ts\n');
    await eventually(
      'it is rejected',
      async () => {
        const { source: report } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
        return report?.lastRejection?.name === 'liar.ts' ? true : undefined;
      },
      { timeoutMs: 10_000, everyMs: 50, describe: () => server.logs },
    );
  });
});
