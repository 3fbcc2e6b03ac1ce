import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import type { LiveSummary } from '../../src/simulator/encoder/live-tally.ts';
import type { ChunksJson } from '../fixtures/chunk-encoder.ts';
import { assertDoctorClean } from '../fixtures/doctor-report.ts';
import { judgeSegment } from '../fixtures/live-judge.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';

/** What a `dvr` playlist lists, with what is needed to read each segment alone. */
interface Listed {
  readonly init: string;
  readonly uri: string;
  readonly timeMs: number;
}

describe('simulated encoders of chunks', () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  async function simulate(...faults: readonly string[]): Promise<LiveSummary & { readonly id: string }> {
    const shape = ['--size', '160x120', '--fps', '10', '--segment-seconds', '0.5', '--duration', '5', '--json'];
    const { code, stdout, stderr } = await server.command([
      'simulate',
      'chunks',
      '--url',
      server.url,
      ...shape,
      ...faults,
    ]);
    assert.equal(code, 0, stderr);
    const summary = JSON.parse(stdout) as LiveSummary;
    return { ...summary, id: summary.streams[0] ?? '' };
  }

  async function ended(id: string): Promise<ChunksJson> {
    await eventually(
      'the stream has ended',
      async () => ((await server.api.json<StreamJson>(`/v1/streams/${id}`)).endedAt === null ? undefined : true),
      { timeoutMs: 20_000, everyMs: 50, describe: () => server.logs },
    );
    return server.api.json<ChunksJson>(`/v1/streams/${id}/chunks`);
  }

  async function listed(id: string): Promise<readonly Listed[]> {
    const text = await server.api.text(`/play/streams/${id}/dvr.m3u8`);
    assert.match(text, /#EXT-X-ENDLIST/);
    const segments: Listed[] = [];
    let [init, timeMs] = ['', 0];
    for (const line of text.split('\n')) {
      if (line.startsWith('#EXT-X-MAP:')) init = /URI="([^"]+)"/.exec(line)?.[1] ?? '';
      if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) timeMs = Date.parse(line.slice(line.indexOf(':') + 1));
      if (line !== '' && !line.startsWith('#')) segments.push({ init, uri: line, timeMs });
    }
    return segments;
  }

  /** Each picture shows the time at which the playlist says that it was taken. */
  async function assertTrueTimes(id: string): Promise<void> {
    for (const { init, uri, timeMs } of await listed(id)) {
      const [head, media] = [init, uri].map((path) => server.api.get(`/play/streams/${id}/${path}`));
      const { clocksMs } = await judgeSegment((await head)?.bytes ?? Buffer.of(), (await media)?.bytes ?? Buffer.of());
      assert.deepEqual(
        clocksMs,
        clocksMs.map((_, index) => timeMs + index * 100),
      );
    }
  }

  for (const [container, checksum] of [
    ['fmp4', 'sha256'],
    ['ts', 'md5'],
  ] as const) {
    test(`${container}: late, shuffled and doubled chunks all get to their places`, async () => {
      const shape = ['--container', container, '--checksum', checksum];
      const faults = ['--gap-every', '4', '--duplicate-every', '3', '--shuffle'];
      const { id, segments, late, duplicates } = await simulate(...shape, ...faults);
      assert.ok(late > 0 && duplicates > 0);
      const chunks = await ended(id);
      assert.deepEqual(chunks.taken, [{ first: 0, last: segments - 1 }]);
      assert.deepEqual([chunks.rejected, (await listed(id)).length], [[], segments]);
      await assertTrueTimes(id);
    });
  }

  test('lost chunks are holes, and bad checksums keep theirs out', async () => {
    const { id, segments, dropped } = await simulate('--gap-every', '4', '--gap-lost', '--bad-checksum-every', '3');
    const chunks = await ended(id);
    const indexes = Array.from({ length: segments }, (_, index) => index);
    const isLost = (index: number): boolean => (index + 1) % 4 === 0;
    const isBad = (index: number): boolean => (index + 1) % 3 === 0 && !isLost(index);
    assert.equal(dropped, indexes.filter(isLost).length);
    assert.deepEqual(
      chunks.rejected.map(({ chunkIndex, code }) => [chunkIndex, code]),
      indexes.filter(isBad).map((index) => [index, 'corrupt_media']),
    );
    const expected = indexes.filter((index) => !isLost(index) && !isBad(index));
    const taken = chunks.taken.flatMap(({ first, last }) => indexes.slice(first, last + 1));
    assert.deepEqual(taken, expected);
    assert.equal((await listed(id)).length, expected.length);
    await assertTrueTimes(id);
    await assertDoctorClean(server);
  });
});
