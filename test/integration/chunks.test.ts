import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ChunkEncoder, makeChunks } from '../fixtures/chunk-encoder.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';

const execFileAsync = promisify(execFile);
const COUNT = 6;
const ALL = Array.from({ length: COUNT }, (_, index) => index);

describe('encoders announce chunks', () => {
  let server: TestServer;
  let chunks: { readonly ts: readonly Buffer[]; readonly fmp4: readonly Buffer[] };
  before(async () => {
    chunks = { ts: await makeChunks('ts', COUNT), fmp4: await makeChunks('fmp4', COUNT) };
    server = await TestServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  function encoder(name: string, container: 'ts' | 'fmp4' = 'fmp4'): Promise<ChunkEncoder> {
    return ChunkEncoder.make(server.api, name, chunks[container]);
  }

  async function packets(id: string): Promise<Readonly<Record<string, number>>> {
    const { stdout } = await execFileAsync('/usr/bin/ffprobe', [
      ...'-v error -count_packets -show_entries stream=codec_name,nb_read_packets -of csv=p=0'.split(' '),
      `${server.url}/play/streams/${id}/dvr.m3u8`,
    ]);
    const rows = [...new Set(stdout.trim().split('\n'))].filter((row) => row !== '').map((row) => row.split(','));
    return Object.fromEntries(rows.map(([codec, count]) => [codec ?? '', Number(count)]));
  }

  for (const [container, algorithm] of [
    ['fmp4', 'sha256'],
    ['ts', 'md5'],
  ] as const) {
    test(`${container}, ${algorithm}, in any order: each is at its own time, once, and the end is behind them`, async () => {
      const own = await encoder(`${container} shuffled`, container);
      for (const index of ALL) await own.put(index);
      const shuffled = [2, 0, 1, 3, 5, 4].map((index) => own.event(index, algorithm));
      await own.announce(...shuffled);
      await own.announce(own.event(3, algorithm), own.event(0, algorithm));
      const ended = await own.end();
      assert.equal(ended.status, 200, ended.bytes.toString());
      const { timesMs, breaks, isEnded } = await own.playlist('dvr');
      assert.deepEqual([timesMs, breaks, isEnded], [ALL.map((index) => own.timeMs(index)), [], true]);
      await own.untilSource({ container, clock: 'programDateTime', segments: COUNT, duplicates: 2 });
      await own.untilSource({ late: 0, gaps: 0, rejected: 0, epochs: 1 });
      const counts = await packets(own.id);
      assert.equal(counts['h264'], COUNT * 50);
      assert.ok(Math.abs((counts['aac'] ?? 0) - COUNT * 93.75) <= 3, `${counts['aac']} packets of sound`);
    });
  }

  test('one that never comes is a gap; one that comes after all fills it, and takes nothing of the end away', async () => {
    const own = await encoder('gap');
    await own.send(0, 2, 3);
    await own.until('what came later was taken', ({ nextIndex }) => nextIndex === 4);
    const open = await own.playlist('live');
    assert.deepEqual([open.timesMs, open.breaks], [[0, 2, 3].map((index) => own.timeMs(index)), [1]]);
    assert.equal((await own.chunks()).missing, 1);
    await own.untilSource({ gaps: 1 });
    await own.end();
    await own.send(1);
    const filled = await own.until('it was taken', ({ missing }) => missing === 0);
    assert.deepEqual(filled.taken, [{ first: 0, last: 3 }]);
    const dvr = await own.playlist('dvr');
    assert.deepEqual(
      dvr.timesMs,
      [0, 1, 2, 3].map((index) => own.timeMs(index)),
    );
    assert.ok(dvr.isEnded && (await own.playlist('live')).isEnded, 'a late chunk leaves the end where it is');
    await own.untilSource({ late: 1 });
    await own.send(4);
    await own.until('it went on', ({ nextIndex }) => nextIndex === 5);
    assert.ok(!(await own.playlist('dvr')).isEnded, 'a new chunk goes on');
  });

  test('one whose bytes are others is rejected and told of; announced as it is, it is taken', async () => {
    const own = await encoder('mismatch');
    await own.send(0);
    await own.put(1);
    const right = own.event(1);
    await own.announce({ ...right, checksum: `sha256:${'00'.repeat(32)}` });
    const first = await own.until('it was rejected', ({ rejected }) => rejected.length === 1);
    assert.deepEqual(
      first.rejected.map(({ chunkIndex, code }) => [chunkIndex, code]),
      [[1, 'corrupt_media']],
    );
    assert.match(first.rejected[0]?.message ?? '', /sha256 is [0-9a-f]{64}; announced was 0{64}/);
    await own.announce({ ...right, size_bytes: right.size_bytes + 1 });
    await own.until('it was rejected for its size', ({ rejected }) =>
      /bytes; announced/.test(rejected[0]?.message ?? ''),
    );
    await own.announce(right);
    const taken = await own.until('it was taken', ({ nextIndex }) => nextIndex === 2);
    assert.deepEqual([taken.rejected, taken.missing], [[], 0]);
    await own.untilSource({ segments: 2, rejected: 2, late: 0, epochs: 1 });
    const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text();
    assert.match(metrics, /zoetrope_push_rejected_total\{code="corrupt_media"\} [1-9]/);
  });

  test('one that was announced before its bytes were there is waited for, and holds up no other stream', async () => {
    const [own, other] = [await encoder('early'), await encoder('another')];
    await own.target(0);
    await own.announce(own.event(0));
    await other.send(0, 1);
    await other.until('the other went on', ({ nextIndex }) => nextIndex === 2);
    assert.equal((await own.chunks()).nextIndex, 0);
    const [{ object_key: key }] = [own.event(0)];
    const answer = await server.api.postJson(`/v1/streams/${own.id}/chunk-urls`, { count: 1, firstIndex: 0 });
    assert.equal(answer.status, 200);
    assert.doesNotMatch(answer.bytes.toString(), new RegExp(key), 'each place is another');
    await own.send(0);
    await own.until('its second place was taken', ({ nextIndex }) => nextIndex === 1);
    await own.end();
    assert.deepEqual((await own.chunks()).rejected, []);
  });

  test('what is no chunk at all is rejected with its cause', async () => {
    const own = await encoder('nonsense');
    const bytes = Buffer.from('not media at all');
    await own.put(0, bytes);
    await own.announce(own.event(0, 'md5', bytes));
    await own.until('it was rejected', ({ rejected }) => rejected[0]?.code === 'unsupported_media');
    const old = { ...own.event(0), timestamp: '2020-01-01T00:00:00Z' };
    await own.announce(old);
    const { rejected } = await own.until('it is too old', ({ rejected: all }) => all[0]?.code === 'out_of_range');
    assert.match(rejected[0]?.message ?? '', /before the retained window/);
    await own.send(0, 1, 3);
    await own.until('a hole is there', ({ nextIndex }) => nextIndex === 4);
    await own.put(2);
    await own.announce({ ...own.event(2), timestamp: new Date(own.timeMs(1)).toISOString() });
    await own.until('its place is taken', ({ rejected: all }) => all[0]?.code === 'conflict');
    await own.announce({ ...own.event(2), chunk_index: 2 });
    await own.until('it is at its own', ({ missing }) => missing === 0);
  });

  test('its recordings and clips are as those of any stream, and a picture of it is there', async () => {
    const own = await encoder('kept');
    await own.send(0, 1, 2, 3);
    await own.until('all were taken', ({ nextIndex }) => nextIndex === 4);
    const [from, to] = [1, 3].map((index) => new Date(own.timeMs(index)).toISOString());
    const begun = await server.api.postJson(`/v1/streams/${own.id}/recordings`, { from });
    assert.equal(begun.status, 201, begun.bytes.toString());
    const recording = JSON.parse(begun.bytes.toString()) as { readonly id: string; readonly url: string };
    const kept = await server.api.text(recording.url);
    assert.equal(kept.match(/#EXTINF:/g)?.length, 3, kept);
    const made = await server.api.postJson(`/v1/streams/${own.id}/clips`, { from, to });
    assert.equal(made.status, 202, made.bytes.toString());
    const { id } = JSON.parse(made.bytes.toString()) as { readonly id: string };
    const state = await eventually(
      'the clip is cut',
      async () => {
        const clip = await server.api.json<{ readonly state: string }>(`/v1/clips/${id}`);
        return ['ready', 'failed'].includes(clip.state) ? clip.state : undefined;
      },
      { timeoutMs: 60_000, everyMs: 100, describe: () => server.logs },
    );
    assert.equal(state, 'ready');
    const latest = await server.api.get(`/v1/streams/${own.id}/latest.jpg`);
    assert.equal(latest.headers.get('content-type'), 'image/jpeg');
  });

  test('a restart, a kill and announcing all again change nothing; nothing is lost or doubled', async () => {
    const own = await encoder('kill', 'ts');
    for (const index of ALL) await own.put(index);
    await own.announce(...ALL.map((index) => own.event(index)));
    // Its connection breaks, or it is answered just before.
    const ending = own.end().catch(() => undefined);
    await server.kill();
    await ending;
    await server.restart();
    await own.announce(...ALL.map((index) => own.event(index)));
    await own.until('all are there', ({ nextIndex, missing }) => nextIndex === COUNT && missing === 0);
    await server.stop();
    await server.restart();
    for (const index of [0, COUNT - 1]) {
      // Put anew at another place, long after it was taken.
      await own.put(index);
      await own.announce(own.event(index));
    }
    const ended = await own.end();
    assert.ok([200, 202].includes(ended.status));
    await eventually('it has ended', async () => ((await own.playlist('dvr')).isEnded ? true : undefined), {
      timeoutMs: 20_000,
      everyMs: 50,
    });
    const { timesMs, breaks } = await own.playlist('dvr');
    assert.deepEqual([timesMs, breaks], [ALL.map((index) => own.timeMs(index)), []]);
    await assertDoctorClean(server);
  });
});
