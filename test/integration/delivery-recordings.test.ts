import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomIds } from '../../src/base/ids.ts';
import { wallMs } from '../../src/base/time.ts';
import type { AppendedSegment } from '../../src/catalog/catalog.ts';
import type { Hold } from '../../src/timeline/hold.ts';
import { PlaybackServer } from '../fixtures/playback.ts';
import { parseMediaPlaylist } from '../fixtures/strict-hls.ts';

describe('playing recordings', () => {
  let server: PlaybackServer;
  before(async () => {
    server = await PlaybackServer.open();
  });
  after(async () => server[Symbol.asyncDispose]());

  function start(streamId: string, fromMs: number = server.clock.nowMs(), toMs: number | null = null): Promise<Hold> {
    return server.catalog.startRecording({
      id: randomIds.next('recording'),
      streamId,
      name: 'x',
      metadata: {},
      fromMs: wallMs(fromMs),
      toMs: toMs === null ? null : wallMs(toMs),
      isPast: false,
    });
  }

  /** A frame arrives that is in no segment yet. */
  async function touch(streamId: string): Promise<void> {
    const nowMs = server.clock.nowMs();
    await server.catalog.touchStreams([{ streamId, lastReceivedAtMs: nowMs, lastCapturedAtMs: nowMs }]);
  }

  const pathOf = ({ id }: Hold, query = ''): string => `/play/recordings/${id}/index.m3u8${query}`;
  const listed = async (hold: Hold, query = ''): Promise<ReturnType<typeof parseMediaPlaylist>> =>
    parseMediaPlaylist(await server.playlist(pathOf(hold, query)));
  const uris = (made: readonly AppendedSegment[]): readonly string[] =>
    made.map(({ segment }) => `segments/${segment.id}.m4s`);
  const urisOf = (playlist: ReturnType<typeof parseMediaPlaylist>): readonly string[] =>
    playlist.segments.map(({ uri }) => uri);

  test('while it runs its playlist only grows; after it has ended it is complete', async () => {
    const stream = await server.stream();
    const hold = await start(stream.id);
    const early = await server.get(pathOf(hold));
    assert.deepEqual([early.status, early.headers['retry-after']], [404, '5']);
    const made: AppendedSegment[] = [];
    let before = '';
    for (let index = 0; index < 5; index++) {
      made.push(await server.append(stream.id, index === 3 ? { gapMs: 60_000 } : {}));
      const text = await server.playlist(pathOf(hold));
      assert.ok(text.startsWith(before), 'nothing that was listed changes');
      before = text;
      const playlist = parseMediaPlaylist(text);
      assert.deepEqual(
        [playlist.playlistType, playlist.endlist, playlist.mediaSequenceBase, playlist.start?.offset],
        ['EVENT', false, 0, 0],
      );
      assert.deepEqual(urisOf(playlist), uris(made));
      assert.deepEqual(
        playlist.segments.map(({ discontinuity }) => discontinuity === true),
        made.map((_, at) => at === 3),
      );
    }
    await server.clock.advance(12_000);
    await touch(stream.id);
    const stopped = await server.catalog.stopRecording(hold.id, server.clock.nowMs());
    const pending = await server.playlist(pathOf(hold));
    assert.equal(pending, before, 'what was captured before the stop may still be on its way');
    made.push(await server.append(stream.id));
    const complete = await listed(hold);
    assert.deepEqual(
      [complete.playlistType, complete.endlist, complete.mediaSequenceBase, complete.start],
      ['VOD', true, 0, undefined],
    );
    assert.deepEqual(urisOf(complete), uris(made));
    await server.append(stream.id);
    assert.deepEqual(urisOf(await listed(stopped)), uris(made), 'what comes after its end is not its own');
    for (const { uri } of complete.segments) {
      assert.equal((await server.get(`/play/recordings/${hold.id}/${uri}`)).status, 200);
    }
    const [map] = complete.segments.map((segment) => segment.map?.uri);
    assert.equal((await server.get(`/play/recordings/${hold.id}/${map}`)).status, 200);
  });

  test('it ends by itself where nothing more comes', async () => {
    const stream = await server.stream();
    const hold = await start(stream.id);
    const made = [await server.append(stream.id)];
    await server.clock.advance(10_000);
    await touch(stream.id);
    await server.catalog.stopRecording(hold.id, server.clock.nowMs());
    const running = await server.get(pathOf(hold));
    assert.ok(!running.text.includes('ENDLIST'));
    await server.clock.advance(70_000);
    const playlist = await listed(hold);
    assert.deepEqual([playlist.endlist, urisOf(playlist)], [true, uris(made)]);
  });

  test('what comes late is not put into a playlist that grows, and is in its place afterwards, under new numbers', async () => {
    const stream = await server.stream();
    const a = await server.append(stream.id);
    const b = await server.append(stream.id, { gapMs: 120_000 });
    const early = await server.append(stream.id, { startMs: a.segment.startMs + 40_000, late: true, frames: 2 });
    await server.clock.advance(1);
    const hold = await start(stream.id, a.segment.startMs + 5000);
    const c = await server.append(stream.id);
    assert.deepEqual(
      urisOf(await listed(hold)),
      uris([a, early, b, c]),
      'what was there when it was started is in its place',
    );
    const before = await server.playlist(pathOf(hold));
    assert.match(before, /EXT-X-START:TIME-OFFSET=5\b/);
    const late = await server.append(stream.id, { startMs: a.segment.startMs + 70_000, late: true, frames: 2 });
    assert.equal(await server.playlist(pathOf(hold)), before);
    const d = await server.append(stream.id);
    assert.deepEqual(urisOf(await listed(hold)), uris([a, early, b, c, d]));
    await server.catalog.stopRecording(hold.id, server.clock.nowMs());
    const playlist = await listed(hold);
    assert.deepEqual(urisOf(playlist), uris([a, early, late, b, c, d]));
    assert.deepEqual([playlist.mediaSequenceBase, playlist.discontinuitySequenceBase], [5, 2]);
    assert.deepEqual(
      playlist.segments.map(({ discontinuity }) => discontinuity === true),
      [false, true, true, true, false, false],
    );
  });

  test('retention takes nothing from it, and what is lost is shown as a gap', async () => {
    const stream = await server.stream();
    const hold = await start(stream.id);
    const made: AppendedSegment[] = [];
    for (let index = 0; index < 4; index++) made.push(await server.append(stream.id));
    const before = await server.playlist(pathOf(hold));
    const request = { streamId: stream.id, beforeMs: wallMs(server.clock.nowMs() - 30_000), limit: 9, dryRun: false };
    assert.equal((await server.catalog.retireSegments(request)).length, 3);
    assert.equal(await server.playlist(pathOf(hold)), before);
    assert.equal(parseMediaPlaylist(await server.playlist(`/play/streams/${stream.id}/dvr.m3u8`)).segments.length, 1);
    await server.catalog.setSegmentLost(String(made[1]?.segment.id), true);
    const playlist = await listed(hold);
    assert.deepEqual(urisOf(playlist), uris(made));
    assert.deepEqual(
      playlist.segments.map(({ gap }) => gap === true),
      [false, true, false, false],
    );
  });

  test('a delta update leaves out what is old', async () => {
    const stream = await server.stream();
    const hold = await start(stream.id);
    const made: AppendedSegment[] = [];
    for (let index = 0; index < 20; index++) made.push(await server.append(stream.id));
    const full = await server.playlist(pathOf(hold));
    const skipUntilS = Number(/CAN-SKIP-UNTIL=(\d+)/.exec(full)?.[1]);
    const kept = skipUntilS / 30;
    const delta = await server.playlist(pathOf(hold, '?_HLS_skip=YES'));
    assert.match(delta, new RegExp(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${20 - Math.ceil(kept)}\n`));
    assert.ok(full.endsWith(delta.slice(delta.indexOf('SEGMENTS=') + 'SEGMENTS='.length + 3)));
    await server.catalog.stopRecording(hold.id, server.clock.nowMs());
    assert.ok((await server.playlist(pathOf(hold, '?_HLS_skip=YES'))).includes('#EXT-X-ENDLIST'));
  });

  test('a part of it, another speed and MPEG-TS are queries', async () => {
    const stream = await server.stream();
    const hold = await start(stream.id);
    const made: AppendedSegment[] = [];
    for (let index = 0; index < 6; index++) made.push(await server.append(stream.id));
    const at = (ms: number): string => new Date(hold.fromMs + ms).toISOString();
    const part = await listed(hold, `?from=${at(31_000)}&to=${at(61_000)}`);
    assert.deepEqual([part.endlist, urisOf(part)], [true, uris(made.slice(1, 3))]);
    const open = await listed(hold, `?from=${at(121_000)}`);
    assert.deepEqual([open.endlist, open.playlistType, urisOf(open)], [false, 'EVENT', uris(made.slice(4))]);
    const fast = await listed(hold, '?speed=5&container=ts');
    assert.deepEqual(
      fast.segments.map(({ uri, duration }) => [uri, duration]),
      made.map(({ segment }) => [`segments/${segment.id}.ts?speed=5`, 6]),
    );
    assert.equal((await server.get(pathOf(hold, `?from=${at(61_000)}&to=${at(31_000)}`))).status, 422);
    assert.equal((await server.get(pathOf(hold, '?from=yesterday'))).status, 400);
  });

  test('who plays it when it is removed may finish what is listed', async () => {
    const stream = await server.stream();
    const hold = await start(stream.id);
    const { segment } = await server.append(stream.id);
    const other = await server.append(stream.id, { gapMs: 600_000 });
    await server.catalog.stopRecording(hold.id, wallMs(segment.startMs + 30_000));
    const file = `/play/recordings/${hold.id}/segments/${segment.id}.m4s`;
    assert.equal((await server.get(file)).status, 200);
    assert.equal((await server.get(file.replace(segment.id, other.segment.id))).status, 404, 'it is not its own');
    await server.catalog.releaseHold(hold.id);
    assert.equal((await server.get(pathOf(hold))).status, 404);
    assert.equal((await server.get(file)).status, 200);
    await server.clock.advance(60_000);
    await server.catalog.sweepableSegments({ retiredByMs: server.clock.nowMs(), limit: 9 });
    assert.equal((await server.get(file)).status, 404);
  });

  test('one that grows costs what came to it, and a finished one nothing while its stream goes on', async () => {
    const stream = await server.stream();
    const [running, finished] = [await start(stream.id), await start(stream.id)];
    for (let index = 0; index < 20; index++) await server.append(stream.id);
    await server.catalog.stopRecording(finished.id, server.clock.nowMs());
    for (const hold of [running, finished]) await server.playlist(pathOf(hold));
    const hot = server.hotAnswers;
    const reads = server.catalogCalls.get('segmentsBetween') ?? 0;
    for (let index = 0; index < 5; index++) {
      await server.append(stream.id);
      await server.playlist(pathOf(finished));
    }
    assert.equal(server.hotAnswers - hot, 5);
    assert.equal(server.catalogCalls.get('segmentsBetween'), reads);
    assert.equal((await listed(running)).segments.length, 25);
    assert.equal(server.catalogCalls.get('segmentsBetween'), reads + 1);
  });
});
