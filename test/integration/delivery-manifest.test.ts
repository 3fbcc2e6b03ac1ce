import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { PlaybackServer } from '../fixtures/playback.ts';
import { PushedMedia } from '../fixtures/pushed-media.ts';
import { PushedStream } from '../fixtures/pushed-stream.ts';
import { samplesOf } from '../fixtures/served-media.ts';
import { faultsOf, readMpd, type MpdElement } from '../fixtures/vod-mpd-rules.ts';

const run = promisify(execFile);

/** A segment as a manifest lists it. */
interface Listed {
  readonly uri: string;
  readonly initUri: string;
  /** On the media clock, in ticks of 1/90,000 s. */
  readonly start90k: number;
  readonly duration90k: number;
  /** Presentation time. */
  readonly atS: number;
}

describe('DASH manifests of streams', () => {
  let server: PlaybackServer;
  let directory: string;
  let media: PushedMedia;
  let small: PushedMedia;
  before(async () => {
    server = await PlaybackServer.open();
    directory = await mkdtemp(join(tmpdir(), 'zoetrope-manifest-'));
    media = new PushedMedia();
    small = new PushedMedia({ size: '160x90' });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const base = (id: string): string => `/play/streams/${id}`;

  /** Fails unless the schema allows it. */
  async function manifest(path: string): Promise<MpdElement> {
    const file = join(directory, 'manifest.mpd');
    await writeFile(file, await server.playlist(path));
    const mpd = await readMpd(file);
    assert.deepEqual(faultsOf(mpd), []);
    return mpd;
  }

  function all(element: MpdElement, name: string): readonly MpdElement[] {
    return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);
  }

  function seconds(duration: string | undefined): number {
    return Number(/^PT([\d.]+)S$/.exec(duration ?? '')?.[1]);
  }

  /** The segments of a representation over all periods. */
  function listed(mpd: MpdElement, id: string): readonly Listed[] {
    return all(mpd, 'Period').flatMap((period) => {
      const representation = all(period, 'Representation').find(({ attributes }) => attributes['id'] === id);
      const [list] = representation === undefined ? [] : all(representation, 'SegmentList');
      if (list === undefined) return [];
      const offset = Number(list.attributes['presentationTimeOffset'] ?? 0);
      const [init] = all(list, 'Initialization');
      let next90k = 0;
      const times = all(list, 'S').map(({ attributes: { t, d } }) => {
        const start90k = t === undefined ? next90k : Number(t);
        next90k = start90k + Number(d);
        return { start90k, duration90k: Number(d) };
      });
      return all(list, 'SegmentURL').map(({ attributes }, index) => {
        const time = times[index] ?? { start90k: Number.NaN, duration90k: Number.NaN };
        return {
          ...time,
          uri: (attributes['media'] ?? '').replaceAll('&amp;', '&'),
          initUri: (init?.attributes['sourceURL'] ?? '').replaceAll('&amp;', '&'),
          atS: seconds(period.attributes['start']) + (time.start90k - offset) / 90_000,
        };
      });
    });
  }

  test('one that goes on is dynamic, and presentation time is wall time', async () => {
    const pushed = await PushedStream.make(server, media, { others: { '90p': small } });
    const made = [
      ...(await pushed.appendMany(3)),
      await pushed.append({ gapMs: 4000 }),
      ...(await pushed.appendMany(2)),
    ];
    const path = `${base(pushed.id)}/manifest.mpd?token=a.b`;
    const mpd = await manifest(path);
    const { attributes } = mpd;
    assert.deepEqual([attributes['type'], attributes['availabilityStartTime']], ['dynamic', '1970-01-01T00:00:00Z']);
    assert.equal(seconds(attributes['minimumUpdatePeriod']), 1);
    assert.ok(seconds(attributes['timeShiftBufferDepth']) >= 10);
    assert.ok(seconds(attributes['suggestedPresentationDelay']) >= 3);
    assert.equal(attributes['mediaPresentationDuration'], undefined);
    assert.deepEqual(
      all(mpd, 'Representation').map((one) => [one.attributes['id'], one.attributes['codecs']]),
      [0, 1].flatMap(() => [
        ['main', media.codecs.split(',')[0]],
        ['90p', small.codecs.split(',')[0]],
        ['main-audio', 'mp4a.40.2'],
      ]),
    );
    for (const [id, track] of [
      ['main', 'video'],
      ['90p', 'video'],
      ['main-audio', 'audio'],
    ] as const) {
      const segments = listed(mpd, id);
      assert.deepEqual(
        segments.map(({ atS }) => Math.round(atS * 1000)),
        made.map(({ segment }) => segment.startMs),
        id,
      );
      for (const { uri, initUri, start90k, duration90k } of segments) {
        const [init, bytes] = [
          await server.get(`${base(pushed.id)}/${initUri}`),
          await server.get(`${base(pushed.id)}/${uri}`),
        ];
        assert.equal(bytes.headers['content-type'], `${track}/mp4`);
        const samples = samplesOf(init.body, bytes.body);
        const first = Math.min(...samples.map((sample) => sample.pts90k));
        const end = Math.max(...samples.map((sample) => sample.pts90k + sample.duration90k));
        // Sound is cut where a packet ends.
        const slack = track === 'audio' ? 1920 : 0;
        assert.ok(
          Math.abs(first - start90k) <= slack && Math.abs(end - start90k - duration90k) <= slack,
          `${id} ${uri}`,
        );
      }
    }
    const sound = all(mpd, 'Representation').find((one) => one.attributes['id'] === 'main-audio');
    const bits = Number(sound?.attributes['bandwidth']);
    assert.ok(bits > 30_000 && bits < 140_000, `${bits} bits/s of sound`);
    await pushed.append();
    assert.equal(listed(await manifest(path), 'main').length, 7);
    const { text } = await server.get('/play/time');
    assert.equal(Date.parse(text), server.clock.nowMs());
    assert.deepEqual(
      all(mpd, 'UTCTiming').map((one) => one.attributes['value']),
      ['../../time'],
    );
  });

  test('segments that leave the window do not move its periods; what came late or was lost is not in it', async () => {
    const pushed = await PushedStream.make(server, media);
    const made = await pushed.appendMany(6);
    const path = `${base(pushed.id)}/manifest.mpd`;
    const periods = async (): Promise<unknown> =>
      all(await manifest(path), 'Period').map(({ attributes }) => [attributes['id'], attributes['start']]);
    const before = await periods();
    await pushed.append({ lateAtMs: pushed.edgeMs - 20_000 });
    await server.catalog.setSegmentLost(made[4]?.segment.id ?? '', true);
    const ids = async (): Promise<readonly string[]> =>
      listed(await manifest(path), 'main').map(({ uri }) => uri.split(/[/.]/)[1] ?? '');
    const idOf = (index: number): string => made[index]?.segment.id ?? '';
    assert.deepEqual(await ids(), [0, 1, 2, 3, 5].map(idOf));
    const beforeMs = made[2]?.segment.startMs ?? 0;
    await server.catalog.retireSegments({ streamId: pushed.id, beforeMs: beforeMs as never, limit: 10, dryRun: false });
    assert.deepEqual(await ids(), [2, 3, 5].map(idOf));
    assert.deepEqual(await periods(), before);
  });

  test('a source that is behind is followed at its distance', async () => {
    const pushed = await PushedStream.make(server, media);
    await pushed.appendMany(2);
    const delayS = async (): Promise<number> =>
      seconds((await manifest(`${base(pushed.id)}/manifest.mpd`)).attributes['suggestedPresentationDelay']);
    assert.equal(await delayS(), 3);
    await server.clock.advance(35_000);
    assert.equal(await delayS(), 43);
  });

  test('one that was ended is static, until it goes on', async () => {
    const pushed = await PushedStream.make(server, media);
    await pushed.appendMany(2);
    const path = `${base(pushed.id)}/manifest.mpd`;
    await pushed.end();
    const { attributes } = await manifest(path);
    assert.equal(attributes['type'], 'static');
    assert.equal(seconds(attributes['mediaPresentationDuration']), pushed.edgeMs / 1000);
    await server.catalog.endStream(pushed.id, null);
    await pushed.append();
    assert.equal((await manifest(path)).attributes['type'], 'dynamic');
  });

  test('a camera has pictures alone, as they are stored', async () => {
    const stream = await server.stream();
    await server.append(stream.id);
    await server.append(stream.id, { gapMs: 60_000 });
    const mpd = await manifest(`${base(stream.id)}/manifest.mpd`);
    assert.equal(all(mpd, 'Period').length, 2);
    for (const { uri, initUri } of listed(mpd, 'main')) assert.doesNotMatch(uri + initUri, /\?/);
    assert.equal(seconds(mpd.attributes['suggestedPresentationDelay']), 90);
  });

  test('a range begins at 0, and an independent player finds all of it', async () => {
    const pushed = await PushedStream.make(server, media);
    const made = await pushed.appendMany(9);
    await pushed.append({ lateAtMs: pushed.edgeMs + 60_000 });
    const at = (index: number): string => new Date(made[index]?.segment.startMs ?? 0).toISOString();
    const path = `${base(pushed.id)}/range.mpd?from=${at(3)}&to=${at(7)}`;
    const mpd = await manifest(path);
    assert.deepEqual([mpd.attributes['type'], seconds(mpd.attributes['mediaPresentationDuration'])], ['static', 4]);
    assert.deepEqual(
      listed(mpd, 'main').map(({ atS }) => atS),
      [0, 1, 2, 3],
    );
    const args = ['-v', 'error', '-show_entries', 'packet=codec_type', '-of', 'csv=p=0', server.url(path)];
    const { stdout } = await run('ffprobe', args);
    const kinds = stdout.split(/\W+/);
    assert.equal(kinds.filter((kind) => kind === 'video').length, 100);
    assert.ok(Math.abs(kinds.filter((kind) => kind === 'audio').length - 187.5) < 2);
    for (const [query, status] of [
      [`from=${at(3)}`, 422],
      [`from=${at(3)}&to=2026-02-01T00:00:00Z`, 422],
      ['from=2020-01-01T00:00:00Z&to=2020-01-01T00:01:00Z', 404],
    ] as const) {
      assert.equal((await server.get(`${base(pushed.id)}/range.mpd?${query}`)).status, status, query);
    }
  });

  test('a late segment within an epoch cuts it in two periods of a range', async () => {
    const pushed = await PushedStream.make(server, media);
    const made = await pushed.appendMany(4);
    const [first] = made;
    await pushed.append({ lateAtMs: (first?.segment.startMs ?? 0) + 1500 });
    const [from, to] = [first?.segment.startMs ?? 0, pushed.edgeMs].map((ms) => new Date(ms).toISOString());
    const mpd = await manifest(`${base(pushed.id)}/range.mpd?from=${from ?? ''}&to=${to ?? ''}`);
    const periods = all(mpd, 'Period').map(({ attributes }) => [attributes['id'], seconds(attributes['start'])]);
    assert.deepEqual(
      periods.map(([, start]) => start),
      [0, 1.5, 2],
    );
    assert.equal(periods[2]?.[0], `${String(periods[0]?.[0])}.1`);
  });

  test('what cannot be had is refused in words', async () => {
    const pushed = await PushedStream.make(server, media);
    const empty = await server.get(`${base(pushed.id)}/manifest.mpd`);
    assert.deepEqual([empty.status, empty.headers['retry-after']], [404, '5']);
    await pushed.append();
    for (const query of ['speed=2', 'container=ts']) {
      const answer = await server.get(`${base(pushed.id)}/manifest.mpd?${query}`);
      assert.equal(answer.status, 400);
      assert.match(answer.text, /no speed and no container/);
    }
    assert.doesNotMatch(await server.playlist(`${base(pushed.id)}/manifest.mpd?track=video`), /audio/);
  });
});
