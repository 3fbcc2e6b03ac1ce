import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { readMuxedInit, readMuxedSegment } from '../../src/packager/cmaf/muxed-reader.ts';
import { eventually } from '../fixtures/processes.ts';
import { hlsArguments, makePushStream, push } from '../fixtures/pushed-hls.ts';
import { pushVariants, type VariantsWish } from '../fixtures/pushed-variants.ts';
import { TestServer } from '../fixtures/server.ts';
import { parseMediaPlaylist, parseMultivariant } from '../fixtures/strict-hls.ts';

describe('encoders push several renditions', () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  const base = (id: string): string => `${server.url}/ingest/hls/${id}`;

  async function text(id: string, path: string): Promise<string | undefined> {
    const { status, bytes } = await server.api.request(`/play/streams/${id}/${path}`);
    return status === 200 ? bytes.toString() : undefined;
  }

  /** A rendition's whole window, once it has so many segments. */
  function timeline(id: string, rendition: string, segments: number): Promise<ReturnType<typeof parseMediaPlaylist>> {
    return eventually(
      `${rendition} has ${segments} segments`,
      async () => {
        const found = await text(id, `dvr.m3u8?rendition=${rendition}`);
        const playlist = found === undefined ? undefined : parseMediaPlaylist(found);
        return (playlist?.segments.length ?? 0) >= segments ? playlist : undefined;
      },
      { timeoutMs: 20_000, everyMs: 50, describe: () => server.logs },
    );
  }

  type Playlist = Awaited<ReturnType<typeof timeline>>;
  const times = ({ segments }: Playlist): readonly number[] =>
    segments.map((one) => one.programDateTime?.getTime() ?? Number.NaN);
  const breaks = ({ segments }: Playlist): readonly number[] =>
    segments.flatMap(({ discontinuity }, index) => (discontinuity === true ? [index] : []));

  function assertInStep(one: Playlist, other: Playlist, apartMs = 1): void {
    assert.equal(one.segments.length, other.segments.length);
    for (const [index, time] of times(one).entries()) {
      const apart = Math.abs(time - (times(other)[index] ?? 0));
      assert.ok(apart <= apartMs, `segment ${index} is ${apart} ms apart`);
    }
    assert.deepEqual(breaks(one), breaks(other));
  }

  /** Where media time 0 of a rendition's newest segment lies in wall time, by its own time stamps. */
  async function wallAtMediaZero(id: string, rendition: string): Promise<number> {
    const last = parseMediaPlaylist((await text(id, `live.m3u8?rendition=${rendition}`)) ?? '').segments.at(-1);
    const [init, bytes] = await Promise.all(
      [last?.map?.uri, last?.uri].map(
        async (uri) => (await server.api.request(`/play/streams/${id}/${uri ?? ''}`)).bytes,
      ),
    );
    assert.ok(init !== undefined && bytes !== undefined);
    const { video, audio } = readMuxedSegment(init, bytes);
    const sampleRateHz = readMuxedInit(init).audio?.sampleRateHz ?? 0;
    const seconds =
      video === null ? (audio?.baseMediaDecodeTime ?? 0) / sampleRateHz : video.baseMediaDecodeTime / 90_000;
    return (last?.programDateTime?.getTime() ?? 0) - seconds * 1000;
  }

  async function sizes(id: string): Promise<readonly (number | undefined)[]> {
    const master = parseMultivariant((await text(id, 'master.m3u8')) ?? '');
    return master.variants.map(({ resolution }) => resolution?.height);
  }

  for (const container of ['ts', 'fmp4'] as const) {
    test(`${container}: the best is main, whatever the order, and all are in step over a restart`, async () => {
      const id = await makePushStream(server.api, container);
      const wish: VariantsWish = { container, seconds: 6, sizes: ['160x90', '320x180', '96x54'], sound: 'within' };
      for (const run of [1, 2]) {
        await pushVariants(wish, base(id));
        const [main, second, third] = [
          await timeline(id, 'main', 3 * run),
          await timeline(id, 'v1', 3 * run),
          await timeline(id, 'v2', 3 * run),
        ];
        assertInStep(main, second);
        assertInStep(main, third);
        assert.deepEqual(breaks(main), run === 1 ? [] : [3]);
      }
      assert.deepEqual(await sizes(id), [180, 90, 54]);
      for (const [rendition, height] of [
        ['main', 180],
        ['v1', 90],
        ['v2', 54],
      ] as const) {
        const playlist = parseMediaPlaylist((await text(id, `live.m3u8?rendition=${rendition}`)) ?? '');
        const { status, bytes } = await server.api.request(
          `/play/streams/${id}/${playlist.segments.at(-1)?.map?.uri ?? ''}`,
        );
        assert.equal(status, 200);
        // The height in `tkhd`, the only such number in an init segment of this size.
        assert.ok(bytes.includes(Buffer.from([0, height, 0, 0])), rendition);
      }
      const { source } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
      assert.deepEqual([source?.rejected, source?.duplicates, source?.late], [0, 0, 0]);
    });
  }

  for (const container of ['ts', 'fmp4'] as const) {
    test(`${container}: sound apart from pictures is a group, in step with them`, async () => {
      const id = await makePushStream(server.api, `${container} group`);
      const wish: VariantsWish = { container, seconds: 6, sizes: ['160x90', '320x180'], sound: ['en', 'de'] };
      for (const run of [1, 2]) {
        await pushVariants(wish, base(id));
        const [main, small, english, german] = [
          await timeline(id, 'main', 3 * run),
          await timeline(id, 'v1', 3 * run),
          await timeline(id, 'a1', 4 * run),
          await timeline(id, 'a2', 4 * run),
        ];
        assertInStep(main, small);
        assertInStep(english, german);
        // Packets of sound are no multiples of pictures; what is left of them in the end is a segment.
        for (const index of [0, 1, 2]) {
          const [picture = 0, sound = 0] = [times(main)[3 * (run - 1) + index], times(english)[4 * (run - 1) + index]];
          assert.ok(Math.abs(picture - sound) <= 50, `sound is ${sound - picture} ms behind`);
        }
        assert.deepEqual(breaks(main), run === 1 ? [] : [3]);
        assert.deepEqual(breaks(english), run === 1 ? [] : [4]);
        const numbers = [main, small, english, german].map((one) => one.discontinuitySequenceBase ?? 0);
        assert.deepEqual(numbers, [0, 0, 0, 0]);
      }
      const clocks = await Promise.all(['main', 'v1', 'a1', 'a2'].map((rendition) => wallAtMediaZero(id, rendition)));
      for (const clock of clocks)
        assert.ok(Math.abs(clock - (clocks[0] ?? 0)) <= 1.5, `media is apart: ${clocks.join(' ')}`);
      const master = (await text(id, 'master.m3u8')) ?? '';
      const { variants } = parseMultivariant(master);
      assert.deepEqual(
        variants.map(({ resolution, codecs, audio }) => [
          resolution?.height,
          codecs?.includes('mp4a'),
          audio.map(({ language, isDefault, uri }) => [language, isDefault, uri]),
        ]),
        [180, 90].map((height) => [
          height,
          true,
          [
            ['en', true, 'live.m3u8?speed=1&rendition=a1'],
            ['de', false, 'live.m3u8?speed=1&rendition=a2'],
          ],
        ]),
      );
    });
  }

  test('without a multivariant playlist the first to come is main; the same bytes in two are two', async () => {
    const id = await makePushStream(server.api, 'no master');
    const sizes = ['160x90', '160x90', '320x180'];
    await pushVariants({ container: 'ts', seconds: 6, sizes, sound: 'within', withMaster: false }, base(id));
    const [main, second, third] = [
      await timeline(id, 'main', 3),
      await timeline(id, 'v1', 3),
      await timeline(id, 'v2', 3),
    ];
    assertInStep(main, second);
    assertInStep(main, third);
    const { source } = await server.api.json<StreamJson>(`/v1/streams/${id}`);
    assert.deepEqual([source?.height, source?.duplicates], [90, 0]);
  });

  test('one that breaks off is offered no more, and counts as the others do when it is back', async () => {
    const id = await makePushStream(server.api, 'broken off');
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-variants-'));
    const wish: VariantsWish = { container: 'ts', seconds: 6, sizes: ['320x180', '160x90'], sound: 'within' };
    await pushVariants(wish, directory);
    /** Pushes what these variants are, as if it were made so many seconds ago. */
    const send = async (agoS: number, folders: readonly string[]): Promise<void> => {
      const madeAtMs = Date.now() - agoS * 1000;
      await push(server.api, id, 'master.m3u8', await readFile(join(directory, 'master.m3u8')));
      for (const folder of folders) {
        const playlist = await readFile(join(directory, folder, 'live.m3u8'), 'utf8');
        let segment = 0;
        const timed = playlist.replace(/(?<=PROGRAM-DATE-TIME:).*/g, () =>
          new Date(madeAtMs + 2000 * segment++).toISOString(),
        );
        for (const name of ['seg0.ts', 'seg1.ts', 'seg2.ts']) {
          await push(server.api, id, `${folder}/${name}`, await readFile(join(directory, folder, name)));
        }
        await push(server.api, id, `${folder}/live.m3u8`, timed);
      }
    };
    await send(100, ['v0', 'v1']);
    await timeline(id, 'v1', 3);
    assert.deepEqual(await sizes(id), [180, 90]);
    await send(60, ['v0']);
    await timeline(id, 'main', 6);
    assert.deepEqual(await sizes(id), [180]);
    // Whichever of them is back first.
    await send(20, ['v1', 'v0']);
    const [main, small] = [await timeline(id, 'main', 9), await timeline(id, 'v1', 6)];
    assert.deepEqual([breaks(main), breaks(small)], [[3, 6], [3]]);
    assert.deepEqual(await sizes(id), [180, 90]);
    await rm(directory, { recursive: true });
    const edges = await Promise.all(
      ['main', 'v1'].map(async (rendition) => {
        const playlist = parseMediaPlaylist((await text(id, `live.m3u8?rendition=${rendition}`)) ?? '');
        const last = playlist.segments.at(-1);
        return [last?.programDateTime?.getTime() ?? 0, last?.discontinuitySequence];
      }),
    );
    assert.ok(Math.abs((edges[0]?.[0] ?? 0) - (edges[1]?.[0] ?? 0)) <= 1);
    assert.equal(edges[0]?.[1], 2);
  });

  test('an encoder that names its playlist anew at each start goes on with main', async () => {
    const id = await makePushStream(server.api, 'names');
    for (const run of [1, 2, 3]) {
      const target = `${base(id)}/run${run}.m3u8`;
      await promisify(execFile)('/usr/bin/ffmpeg', [
        ...hlsArguments({ container: 'ts', seconds: 4, more: ['-method', 'PUT'] }, target),
      ]);
      await timeline(id, 'main', 2 * run);
    }
    const main = await timeline(id, 'main', 6);
    assert.deepEqual(breaks(main), [2, 4]);
    const live = (await text(id, 'live.m3u8')) ?? '';
    assert.doesNotMatch(live, /ENDLIST/, 'an encoder’s end is not the stream’s');
    assert.deepEqual(await sizes(id), [180]);
  });
});
