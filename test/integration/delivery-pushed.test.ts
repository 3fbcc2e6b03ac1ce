import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { PlaybackServer } from '../fixtures/playback.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';
import { parseMediaPlaylist, parseMultivariant } from '../fixtures/strict-hls.ts';

const run = promisify(execFile);

describe('delivery of pushed streams', () => {
  let server: PlaybackServer;
  let media: PushedMedia;
  let small: PushedMedia;
  before(async () => {
    server = await PlaybackServer.open();
    media = new PushedMedia();
    small = new PushedMedia({ size: '160x90' });
  });
  after(async () => server[Symbol.asyncDispose]());

  const base = ({ id }: PushedStream): string => `/play/streams/${id}`;

  /** How many packets an independent player finds of pictures and of sound, and where the first and the last of each lie. */
  async function probed(path: string): Promise<Readonly<Record<'video' | 'audio', readonly number[]>>> {
    const args = ['-v', 'error', '-show_entries', 'packet=codec_type,pts_time', '-of', 'csv=p=0', server.url(path)];
    const { stdout, stderr } = await run('ffprobe', args, { maxBuffer: 1e8 });
    assert.equal(stderr, '', path);
    const times = { video: [] as number[], audio: [] as number[] };
    for (const line of stdout.split('\n')) {
      const [kind = '', seconds = ''] = line.split(',');
      if (kind === 'video' || kind === 'audio') times[kind].push(Number(seconds));
    }
    return { video: times.video.toSorted((a, b) => a - b), audio: times.audio };
  }

  /** The last seconds of a stream, as a query. */
  function rangeOf(pushed: PushedStream, seconds: number): string {
    const at = (ms: number): string => new Date(ms).toISOString();
    return `from=${at(pushed.edgeMs - seconds * 1000)}&to=${at(pushed.edgeMs)}`;
  }

  test('live, dvr and range have pictures and sound, in either container', async () => {
    const pushed = await PushedStream.make(server, media);
    const from = new Date(server.clock.nowMs()).toISOString();
    await pushed.appendMany(6);
    const to = new Date(server.clock.nowMs()).toISOString();
    await pushed.end();
    for (const name of ['live.m3u8?', 'dvr.m3u8?', `range.m3u8?from=${from}&to=${to}&`]) {
      for (const container of ['', 'container=ts']) {
        const { video, audio } = await probed(`${base(pushed)}/${name}${container}`);
        assert.equal(video.length, 150, `${name}${container}`);
        assert.equal(audio.length, 282, `${name}${container}`);
        const steps = video.slice(1).map((time, index) => Math.round((time - (video[index] ?? 0)) * 1000));
        assert.ok(
          steps.every((step) => step === 40),
          `${name}${container}: ${String(steps)}`,
        );
        const apart = Math.abs((video[0] ?? 0) - (audio[0] ?? 0));
        assert.ok(apart < 0.025, `${name}${container}: sound is ${apart} s away from the pictures`);
      }
    }
  });

  test('renditions are chosen by name, and master offers all of them, the largest first', async () => {
    const pushed = await PushedStream.make(server, media, { others: { '90p': small } });
    const made = await pushed.appendMany(7);
    const master = async (): Promise<ReturnType<typeof parseMultivariant>> =>
      parseMultivariant(await server.playlist(`${base(pushed)}/master.m3u8?token=a.b`));
    const before = await master();
    assert.deepEqual(
      before.variants.map(({ uri, codecs, resolution, frameRate }) => [uri, codecs, resolution?.height, frameRate]),
      [
        ['live.m3u8?speed=1&token=a.b', media.codecs, 180, 25],
        ['live.m3u8?speed=1&rendition=90p&token=a.b', small.codecs, 90, 25],
      ],
    );
    const sizes = made.slice(1).map(({ segment }) => segment.sizeBytes * 8);
    const [main] = before.variants;
    assert.ok(main !== undefined && main.bandwidth >= Math.max(...sizes));
    assert.ok(main.bandwidth <= Math.max(...sizes) * 1.2 + 1);
    assert.ok((main.averageBandwidth ?? 0) * 6 >= sizes.reduce((sum, bits) => sum + bits, 0));
    await pushed.appendMany(3);
    assert.deepEqual((await master()).variants, before.variants, 'its text stays while the rate wavers');
    for (const name of ['live', 'dvr', 'range']) {
      const query = `rendition=90p&from=${new Date(made[0]?.segment.startMs ?? 0).toISOString()}`;
      const playlist = parseMediaPlaylist(await server.playlist(`${base(pushed)}/${name}.m3u8?${query}`));
      const main = parseMediaPlaylist(await server.playlist(`${base(pushed)}/${name}.m3u8?${query.slice(14)}`));
      const shape = (one: typeof playlist): unknown => [
        one.mediaSequenceBase,
        ...one.segments.map((each) => [each.duration, each.programDateTime?.getTime()]),
      ];
      assert.deepEqual(shape(playlist), shape(main), name);
      assert.ok(playlist.segments.every(({ uri }, index) => uri !== main.segments[index]?.uri));
      const init = await server.get(`${base(pushed)}/${playlist.segments[0]?.map?.uri ?? ''}`);
      assert.deepEqual([init.status, init.body.equals(small.init)], [200, true]);
    }
    const unknown = await server.get(`${base(pushed)}/live.m3u8?rendition=4k`);
    assert.equal(unknown.status, 404);
    assert.match(unknown.text, /no rendition \\"4k\\". It has: main, 90p\./);
    assert.equal((await server.get(`${base(pushed)}/live.m3u8`)).status, 200, 'the stream is still known');
  });

  test('a view of one track has URLs of its own; other speeds are views of the pictures', async () => {
    const pushed = await PushedStream.make(server, media);
    await pushed.appendMany(6);
    await pushed.end();
    const cases = [
      ['track=video', 150, 0],
      ['track=audio', 0, 282],
      ['track=video&container=ts', 150, 0],
      ['track=audio&container=ts', 0, 282],
      ['speed=2', 150, 0],
      ['speed=2&container=ts', 150, 0],
    ] as const;
    for (const [query, pictures, sounds] of cases) {
      const path = `${base(pushed)}/dvr.m3u8?${query}`;
      const { video, audio } = await probed(path);
      assert.deepEqual([video.length, audio.length], [pictures, sounds], query);
      const playlist = parseMediaPlaylist(await server.playlist(path));
      for (const { uri } of playlist.segments) assert.match(uri, /[?&]track=/, query);
      const span = Math.max(...video, ...audio) - Math.min(...video, ...audio);
      assert.ok(Math.abs(span - (query.includes('speed') ? 3 : 6)) < 0.1, `${query}: ${span} s`);
    }
    for (const [query, status, words] of [
      ['track=audio&speed=2', 400, /Sound plays at speed 1 alone/],
      ['track=text', 400, /The track must be video or audio/],
    ] as const) {
      const answer = await server.get(`${base(pushed)}/live.m3u8?${query}`);
      assert.equal(answer.status, status, query);
      assert.match(answer.text, words);
    }
    const camera = await server.stream();
    await server.append(camera.id);
    assert.equal((await server.get(`/play/streams/${camera.id}/live.m3u8?track=audio`)).status, 404);
    assert.doesNotMatch(await server.playlist(`/play/streams/${camera.id}/live.m3u8?track=video&speed=5`), /track/);
  });

  test('what the encoder did not send of a track is a gap in its view', async () => {
    const mute = new PushedMedia({ hasAudio: false });
    const pushed = await PushedStream.make(server, media);
    await pushed.appendMany(2);
    await pushed.append({ media: [mute] });
    await pushed.append({ media: [media] });
    const view = async (track: string): Promise<unknown> =>
      parseMediaPlaylist(await server.playlist(`${base(pushed)}/dvr.m3u8?track=${track}`)).segments.map(
        (one) => one.gap === true,
      );
    assert.deepEqual(await view('audio'), [false, false, true, false]);
    assert.deepEqual(await view('video'), [false, false, false, false]);
    const { segment } = await pushed.append({ silent: true });
    assert.deepEqual(await view('audio'), [false, false, true, false, false], 'a moment without sound is none');
    const nothing = await server.get(`${base(pushed)}/segments/${segment.id}.m4s?track=audio`);
    assert.deepEqual([nothing.status, nothing.headers['content-type']], [200, 'audio/mp4']);
    await pushed.append();
    const { audio } = await probed(`${base(pushed)}/range.m3u8?${rangeOf(pushed, 3)}&track=audio`);
    const steps = audio.slice(1).map((time, index) => time - (audio[index] ?? 0));
    assert.ok(Math.max(...steps) > 0.95 && audio.length > 90, 'the sound goes on after it, in its place');
    const radio = await PushedStream.make(server, new PushedMedia({ hasVideo: false }));
    await radio.appendMany(3);
    await radio.end();
    assert.equal((await probed(`${base(radio)}/live.m3u8`)).audio.length, 141);
    assert.equal((await server.get(`${base(radio)}/live.m3u8?track=video`)).status, 404);
    assert.equal((await server.get(`${base(radio)}/live.m3u8?speed=2`)).status, 404);
    const [variant] = parseMultivariant(await server.playlist(`${base(radio)}/master.m3u8`)).variants;
    assert.deepEqual([variant?.codecs, variant?.resolution], ['mp4a.40.2', undefined]);
  });

  test('a stream that was ended has ENDLIST until it goes on', async () => {
    const pushed = await PushedStream.make(server, media, { others: { '90p': small } });
    const made = await pushed.appendMany(8);
    const ends = async (): Promise<readonly boolean[]> => {
      const from = new Date(made[0]?.segment.startMs ?? 0).toISOString();
      const queries = [
        'live.m3u8',
        'dvr.m3u8',
        'dvr.m3u8?_HLS_skip=YES',
        'live.m3u8?rendition=90p',
        `range.m3u8?from=${from}`,
      ];
      const texts = await Promise.all(queries.map((query) => server.playlist(`${base(pushed)}/${query}`)));
      return texts.map((text) => text.endsWith('#EXT-X-ENDLIST\n'));
    };
    assert.deepEqual(await ends(), [false, false, false, false, false]);
    await pushed.end();
    assert.deepEqual(await ends(), [true, true, true, true, true]);
    const answer = await server.get(`${base(pushed)}/live.m3u8`);
    assert.match(String(answer.headers['cache-control']), /max-age=[01]$|no-cache/, 'it may go on any moment');
    await server.catalog.endStream(pushed.id, null);
    await pushed.append({ gapMs: 5000 });
    assert.deepEqual(await ends(), [false, false, false, false, false]);
    const live = parseMediaPlaylist(await server.playlist(`${base(pushed)}/live.m3u8`));
    assert.deepEqual([live.mediaSequenceBase, live.segments.at(-1)?.discontinuity], [3, true]);
  });

  test('wall time is what the encoder said, and the target duration holds for what really came', async () => {
    const pushed = await PushedStream.make(server, media);
    const made = [await pushed.append(), await pushed.append({ skewMs: 120 }), await pushed.append({ skewMs: 240.5 })];
    for (const name of ['live', 'dvr']) {
      const playlist = parseMediaPlaylist(await server.playlist(`${base(pushed)}/${name}.m3u8`));
      assert.deepEqual(
        playlist.segments.map((one) => one.programDateTime?.getTime()),
        made.map(({ segment }) => Math.round(segment.startMs)),
      );
      assert.deepEqual([playlist.targetDuration, ...playlist.segments.map((one) => one.duration)], [1, 1, 1, 1]);
      assert.ok(playlist.segments.every((one) => one.discontinuity !== true));
    }
  });

  test('a thousand viewers cost one read of each segment, whatever they watch of it', async () => {
    const pushed = await PushedStream.make(server, media);
    const [first, second] = await pushed.appendMany(2);
    const paths = ['.m4s', '.m4s?track=video', '.m4s?track=audio', '.ts', '.ts?track=video', '.ts?speed=2'].flatMap(
      (rest) => [first, second].map((one) => `${base(pushed)}/segments/${one?.segment.id ?? ''}${rest}`),
    );
    server.reads.length = 0;
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, viewer) => server.get(paths[viewer % paths.length] ?? '')),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(server.reads.length, 2);
    assert.deepEqual(new Set(server.reads), new Set([first, second].map((one) => one?.segment.objectKey)));
    const tags = new Map(paths.map((path, index) => [path, answers[index]?.headers.etag]));
    assert.equal(new Set(tags.values()).size, paths.length, 'each view has bytes of its own');
    const calls = (name: string): number => server.catalogCalls.get(name) ?? 0;
    const before = ['getStream', 'liveWindow', 'dvrWindow'].map(calls);
    await pushed.append();
    await Promise.all(
      Array.from({ length: 1000 }, (_, viewer) =>
        server.get(`${base(pushed)}/${viewer % 2 === 0 ? 'live' : 'dvr'}.m3u8`),
      ),
    );
    const after = ['getStream', 'liveWindow', 'dvrWindow'].map(calls);
    assert.ok(
      after.every((count, index) => count - (before[index] ?? 0) <= 2),
      `${String(before)} then ${String(after)}`,
    );
  });

  test('files of other streams are not found, and views of them neither', async () => {
    const [mine, other] = [await PushedStream.make(server, media), await PushedStream.make(server, media)];
    const { segment, epoch } = await other.append();
    await mine.append();
    for (const path of [`segments/${segment.id}.m4s`, `segments/${segment.id}.ts`, `init/${epoch.id}.mp4`]) {
      for (const query of ['', '?track=video', '?track=audio', '?speed=2']) {
        assert.equal((await server.get(`${base(mine)}/${path}${query}`)).status, 404, path + query);
        assert.equal((await server.get(`${base(other)}/${path}${query}`)).status, 200, path + query);
      }
    }
  });
});
