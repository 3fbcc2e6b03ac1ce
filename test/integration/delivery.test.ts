import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { gunzipSync, brotliDecompressSync } from 'node:zlib';
import { parseMediaPlaylist, parseMultivariant } from '../fixtures/strict-hls.ts';
import { PlaybackServer } from '../fixtures/playback.ts';

describe('delivery', () => {
  let server: PlaybackServer;
  before(async () => {
    server = await PlaybackServer.open();
  });
  after(async () => server[Symbol.asyncDispose]());

  /** Packets as an independent player sees them over HTTP. */
  async function probed(path: string): Promise<readonly { readonly seconds: number; readonly isKey: boolean }[]> {
    const child = spawn('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'packet=pts_time,flags',
      '-of',
      'csv=p=0',
      server.url(path),
    ]);
    let out = '';
    child.stdout.on('data', (piece: Buffer) => {
      out += piece.toString();
    });
    await new Promise((resolve) => child.on('close', resolve));
    return out
      .split(/\n+/)
      .filter((line) => line !== '')
      .map((line) => ({ seconds: Number(line.split(',')[0]), isKey: line.includes('K') }));
  }

  test('live shows the newest segments with exact times and numbers', async () => {
    const stream = await server.stream();
    const made = [];
    for (let index = 0; index < 8; index++)
      made.push(await server.append(stream.id, index === 4 ? { gapMs: 60_000 } : {}));
    const playlist = parseMediaPlaylist(await server.playlist(`/play/streams/${stream.id}/live.m3u8`));
    assert.equal(playlist.mediaSequenceBase, 2);
    assert.equal(playlist.discontinuitySequenceBase, 0);
    assert.equal(playlist.endlist, false);
    assert.deepEqual(
      playlist.segments.map((one) => [
        one.uri,
        one.duration,
        one.programDateTime?.getTime(),
        one.discontinuity === true,
      ]),
      made.slice(2).map(({ segment }, index) => [`segments/${segment.id}.m4s`, 30, segment.startMs, index === 2]),
    );
    await server.append(stream.id);
    const next = parseMediaPlaylist(await server.playlist(`/play/streams/${stream.id}/live.m3u8`));
    assert.equal(next.mediaSequenceBase, 3);
    for (let index = 0; index < 6; index++) await server.append(stream.id);
    const later = parseMediaPlaylist(await server.playlist(`/play/streams/${stream.id}/live.m3u8`));
    assert.deepEqual([later.mediaSequenceBase, later.discontinuitySequenceBase], [9, 1]);
  });

  test('an independent player plays every kind over HTTP, at exact times', async () => {
    const stream = await server.stream();
    const first = await server.append(stream.id);
    for (let index = 0; index < 3; index++) await server.append(stream.id);
    const base = `/play/streams/${stream.id}`;
    const from = new Date(first.segment.startMs).toISOString();
    const to = new Date(first.segment.startMs + 60_000).toISOString();
    for (const [path, frames, stepS] of [
      [`${base}/range.m3u8?from=${from}&to=${to}`, 12, 5],
      [`${base}/range.m3u8?from=${from}&to=${to}&speed=5`, 12, 1],
      [`${base}/range.m3u8?from=${from}&to=${to}&container=ts`, 12, 5],
      [`${base}/range.m3u8?from=${from}&to=${to}&container=ts&speed=10`, 12, 0.5],
    ] as const) {
      const seen = await probed(path);
      assert.equal(seen.length, frames, path);
      for (const [index, packet] of seen.entries()) {
        const expected = (seen[0]?.seconds ?? 0) + index * stepS;
        assert.ok(Math.abs(packet.seconds - expected) < 0.001, `${path}: ${packet.seconds} is not ${expected}`);
        assert.equal(packet.isKey, index % 6 === 0, path);
      }
    }
  });

  test('a range ends when the timeline has reached its end, and says what is wrong with it', async () => {
    const stream = await server.stream();
    const { segment } = await server.append(stream.id);
    await server.append(stream.id);
    const base = `/play/streams/${stream.id}/range.m3u8`;
    const at = (offsetMs: number): string => new Date(segment.startMs + offsetMs).toISOString();
    const ended = parseMediaPlaylist(await server.playlist(`${base}?from=${at(1000)}&to=${at(30_000)}`));
    assert.deepEqual([ended.endlist, ended.playlistType, ended.segments.length], [true, 'VOD', 1]);
    const open = parseMediaPlaylist(await server.playlist(`${base}?from=${at(31_000)}&to=${at(90_000)}`));
    assert.deepEqual(
      [open.endlist, open.playlistType, open.mediaSequenceBase, open.segments.length],
      [false, undefined, 1, 1],
    );
    for (const [query, status, says] of [
      ['', 400, /needs a start/],
      ['?from=yesterday', 400, /RFC 3339/],
      [`?from=${at(5)}&to=${at(5)}`, 400, /end after it starts/],
      [`?from=${at(0)}&to=${at(40 * 86_400_000)}`, 422, /32 days/],
      [`?from=${at(-90_000)}&to=${at(-30_000)}`, 404, /no segments from/],
      [`?from=${at(0)}&speed=fast`, 400, /decimal number/],
      [`?from=${at(0)}&speed=1001`, 422, /0.1 to 1000/],
      [`?from=${at(0)}&container=avi`, 400, /must be ts/],
      [`?from=${at(0)}&from=${at(1)}`, 400, /once/],
    ] as const) {
      const answer = await server.get(base + query);
      assert.equal(answer.status, status, query);
      assert.match(answer.text, says);
    }
  });

  test('master names codecs, size and rate, and passes the variant on', async () => {
    const stream = await server.stream({ settings: { displaySpeed: 5 } });
    await server.append(stream.id);
    const master = parseMultivariant(
      await server.playlist(`/play/streams/${stream.id}/master.m3u8?container=ts&token=a.b`),
    );
    const [variant] = master.variants;
    assert.equal(variant?.uri, 'live.m3u8?speed=5&container=ts&token=a.b');
    assert.match(variant?.codecs ?? '', /^avc1\./);
    assert.deepEqual(variant?.resolution, { width: 64, height: 48 });
    const live = parseMediaPlaylist(await server.playlist(`/play/streams/${stream.id}/live.m3u8`));
    assert.equal(live.segments[0]?.duration, 6);
    assert.match(live.segments[0]?.map?.uri ?? '', /^init\/epo_\w+\.mp4\?speed=5$/);
  });

  test('a stream without pictures says when to ask again; an unknown one does not', async () => {
    const stream = await server.stream();
    for (const name of ['master', 'live', 'dvr']) {
      const answer = await server.get(`/play/streams/${stream.id}/${name}.m3u8`);
      assert.deepEqual([answer.status, answer.headers['retry-after']], [404, '5'], name);
      assert.match(answer.text, /"retryable":true/);
    }
    const unknown = await server.get('/play/streams/str_00000000000000000000000000/live.m3u8');
    assert.deepEqual([unknown.status, unknown.headers['retry-after']], [404, undefined]);
    assert.equal((await server.get('/play/streams/..%2f..%2fetc/live.m3u8')).status, 404);
  });

  test('dvr keeps the reload rules through appends, retirement and late segments, and deltas fit', async () => {
    const stream = await server.stream();
    const path = `/play/streams/${stream.id}/dvr.m3u8`;
    const named = new Map<number, string>();
    let sequence = 0;
    let known: readonly string[] = [];
    let knownBase = 0;
    for (let round = 0; round < 24; round++) {
      const { segment } = await server.append(stream.id, round % 7 === 3 ? { gapMs: 120_000 } : {});
      if (round === 13)
        await server.append(stream.id, { late: true, startMs: segment.startMs - 100_000, frames: 2, intervalMs: 1000 });
      if (round % 5 === 4) {
        const [first] = (await server.catalog.dvrWindow(stream.id)).segments;
        const beforeMs = (first?.startMs ?? 0) as typeof segment.startMs;
        await server.catalog.retireSegments({
          streamId: stream.id,
          beforeMs: (beforeMs + 30_000) as typeof beforeMs,
          limit: 10,
          dryRun: false,
        });
      }
      const text = await server.playlist(path);
      const read = parseMediaPlaylist(text);
      const base = read.mediaSequenceBase ?? 0;
      assert.ok(base >= sequence);
      sequence = base;
      const uris = read.segments.map((one) => one.uri);
      for (const [index, uri] of uris.entries()) {
        assert.equal(named.get(base + index) ?? uri, uri);
        named.set(base + index, uri);
      }
      const delta = parseMediaPlaylist(await server.playlist(`${path}?_HLS_skip=YES`));
      assert.equal(delta.mediaSequenceBase, base);
      const skipped = delta.skip;
      const merged = [
        ...known.slice(base - knownBase, base - knownBase + skipped),
        ...delta.segments.map((one) => one.uri),
      ];
      if (skipped > 0)
        assert.ok(base - knownBase >= 0 && base < knownBase + known.length, 'the client has the skipped ones');
      assert.deepEqual(merged, uris);
      if (round === 13) assert.equal(skipped, 0, 'a renumbered window is sent whole');
      [known, knownBase] = [uris, base];
      assert.deepEqual(
        uris,
        (await server.catalog.dvrWindow(stream.id)).segments.map((one) => `segments/${one.id}.m4s`),
      );
    }
    assert.match(await server.playlist(`${path}?_HLS_skip=YES`), /EXT-X-SKIP:SKIPPED-SEGMENTS=\d+/);
  });

  test('an append costs a watched dvr playlist no reading of its window', async () => {
    const stream = await server.stream();
    for (let index = 0; index < 40; index++) await server.append(stream.id);
    const path = `/play/streams/${stream.id}/dvr.m3u8`;
    await server.playlist(path);
    const before = server.catalogCalls.get('dvrWindow');
    for (let index = 0; index < 5; index++) {
      const { segment } = await server.append(stream.id, { frames: 1, intervalMs: 1000 });
      assert.match(await server.playlist(path), new RegExp(segment.id));
    }
    assert.equal(server.catalogCalls.get('dvrWindow'), before);
  });

  test('lost segments become gaps, markers date ranges', async () => {
    const stream = await server.stream();
    const { segment } = await server.append(stream.id);
    await server.append(stream.id);
    const path = `/play/streams/${stream.id}/live.m3u8`;
    assert.doesNotMatch(await server.playlist(path), /EXT-X-GAP/);
    await server.catalog.setSegmentLost(segment.id, true);
    for (const name of ['live', 'dvr']) {
      const text = await server.playlist(`/play/streams/${stream.id}/${name}.m3u8`);
      assert.match(text, new RegExp(`#EXT-X-GAP\\n#EXTINF:30.0,\\nsegments/${segment.id}`));
    }
    await server.catalog.addMarker({
      id: 'mrk_00000000000000000000000001',
      streamId: stream.id,
      label: 'door',
      type: 'motion',
      data: {},
      atMs: segment.startMs,
      untilMs: null,
    });
    for (const name of ['live', 'dvr']) {
      const text = await server.playlist(`/play/streams/${stream.id}/${name}.m3u8`);
      assert.match(text, /#EXT-X-DATERANGE:ID="mrk_0+1",CLASS="zoetrope.motion",START-DATE="2026-.+",X-LABEL="door"/);
    }
  });

  test('conditional, partial, compressed and HEAD requests', async () => {
    const stream = await server.stream();
    const { segment } = await server.append(stream.id);
    for (let index = 0; index < 9; index++) await server.append(stream.id);
    const path = `/play/streams/${stream.id}/segments/${segment.id}.m4s`;
    for (const round of ['routes', 'memory']) {
      const whole = await server.get(path);
      assert.equal(whole.status, 200);
      assert.equal(whole.headers['content-type'], 'video/mp4');
      assert.equal(whole.headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(whole.headers.etag, `"${segment.sha256.slice(0, 32)}"`);
      assert.equal(whole.body.length, segment.sizeBytes);
      const unchanged = await server.get(path, { 'if-none-match': `W/"x", ${whole.headers.etag}` });
      assert.deepEqual([unchanged.status, unchanged.body.length], [304, 0], round);
      const part = await server.get(path, { range: 'bytes=10-19' });
      assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes 10-19/${segment.sizeBytes}`]);
      assert.deepEqual(part.body, whole.body.subarray(10, 20));
      const tail = await server.get(path, { range: 'bytes=-5', 'if-range': whole.headers.etag ?? '' });
      assert.deepEqual(tail.body, whole.body.subarray(-5));
      assert.equal((await server.get(path, { range: 'bytes=0-4', 'if-range': '"other"' })).status, 200);
      const outside = await server.get(path, { range: 'bytes=999999-' });
      assert.deepEqual([outside.status, outside.headers['content-range']], [416, `bytes */${segment.sizeBytes}`]);
      const head = await server.get(path, {}, 'HEAD');
      assert.deepEqual(
        [head.status, head.body.length, head.headers['content-length']],
        [200, 0, String(segment.sizeBytes)],
      );
    }
    const playlist = `/play/streams/${stream.id}/dvr.m3u8`;
    const plain = await server.get(playlist);
    assert.equal(plain.headers['content-type'], 'application/vnd.apple.mpegurl');
    assert.equal(plain.headers['cache-control'], 'public, max-age=2');
    for (const [accept, encoding, decode] of [
      ['gzip', 'gzip', gunzipSync],
      ['gzip, br', 'br', brotliDecompressSync],
      ['gzip;q=0, identity', undefined, (bytes: Buffer) => bytes],
    ] as const) {
      for (const _ of ['routes', 'memory']) {
        const answer = await server.get(playlist, { 'accept-encoding': accept });
        assert.equal(answer.headers['content-encoding'], encoding);
        assert.equal(decode(answer.body).toString(), plain.text);
        assert.match(answer.headers.vary ?? '', /accept-encoding/i);
        const again = await server.get(playlist, {
          'accept-encoding': accept,
          'if-none-match': answer.headers.etag ?? '',
        });
        assert.equal(again.status, 304);
      }
    }
    assert.notEqual((await server.get(playlist, { 'accept-encoding': 'gzip' })).headers.etag, plain.headers.etag);
  });

  test('memory answers only what is still true', async () => {
    const stream = await server.stream();
    const { segment } = await server.append(stream.id);
    const path = `/play/streams/${stream.id}/live.m3u8`;
    const media = `/play/streams/${stream.id}/segments/${segment.id}.m4s`;
    const first = await server.get(path);
    const before = server.hotAnswers;
    assert.deepEqual((await server.get(path)).text, first.text);
    assert.equal(server.hotAnswers, before + 1);
    await server.append(stream.id);
    assert.notEqual((await server.get(path)).text, first.text);
    assert.equal(server.hotAnswers, before + 1);
    await server.get(media);
    await server.get(media);
    assert.equal(server.hotAnswers, before + 2);
    await server.catalog.deleteStream(stream.id);
    assert.equal((await server.get(path)).status, 404);
    assert.equal((await server.get(media)).status, 404);
  });

  test('a thousand viewers of one segment cause one read', async () => {
    const stream = await server.stream();
    const { segment } = await server.append(stream.id);
    await server.playlist(`/play/streams/${stream.id}/live.m3u8`);
    const path = `/play/streams/${stream.id}/segments/${segment.id}`;
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => server.get(index % 2 === 0 ? `${path}.m4s` : `${path}.ts`)),
    );
    assert.ok(answers.every((answer) => answer.status === 200));
    assert.equal(server.reads.filter((key) => key === segment.objectKey).length, 1);
  });

  test('files of other streams and made-up names are not found', async () => {
    const [mine, other] = [await server.stream(), await server.stream()];
    const { segment, epoch } = await server.append(other.id);
    await server.append(mine.id);
    for (const name of [
      `segments/${segment.id}.m4s`,
      `segments/${segment.id}.ts`,
      `init/${epoch.id}.mp4`,
      `segments/${epoch.id}.mp4`,
      `init/${segment.id}.m4s`,
      'segments/seg_00000000000000000000000000.m4s',
      'segments/..%2f..%2fcatalog.db',
    ]) {
      assert.equal((await server.get(`/play/streams/${mine.id}/${name}`)).status, 404, name);
    }
    assert.equal((await server.get(`/play/streams/${other.id}/init/${epoch.id}.mp4?speed=5`)).status, 200);
    assert.equal((await server.get(`/play/streams/${mine.id}/init/${epoch.id}.mp4?speed=5`)).status, 404);
  });

  test('an archive plays its own stretch and nothing else', async () => {
    const stream = await server.stream();
    const made = [];
    for (let index = 0; index < 4; index++) made.push(await server.append(stream.id));
    const [first, second, third, fourth] = made.map((one) => one.segment);
    assert.ok(first && second && third && fourth);
    const id = 'arc_00000000000000000000000001';
    const hold = { id, streamId: stream.id, kind: 'archive', name: 'a', sessionId: null, expiresAtMs: null } as const;
    await server.catalog.createHold({ ...hold, fromMs: second.startMs, toMs: fourth.startMs });
    const base = `/play/archives/${id}`;
    const playlist = parseMediaPlaylist(await server.playlist(`${base}/index.m3u8`));
    assert.equal(playlist.endlist, true);
    assert.deepEqual(
      playlist.segments.map((one) => one.uri),
      [`segments/${second.id}.m4s`, `segments/${third.id}.m4s`],
    );
    assert.equal((await probed(`${base}/index.m3u8?speed=10`)).length, 12);
    assert.equal((await server.get(`${base}/segments/${second.id}.m4s`)).status, 200);
    assert.equal((await server.get(`${base}/segments/${first.id}.m4s`)).status, 404);
    assert.equal((await server.get(`${base}/segments/${fourth.id}.ts`)).status, 404);
    await server.catalog.retireSegments({
      streamId: stream.id,
      beforeMs: server.clock.nowMs(),
      limit: 100,
      dryRun: false,
    });
    const from = new Date(second.startMs).toISOString();
    const to = new Date(fourth.startMs).toISOString();
    const past = parseMediaPlaylist(
      await server.playlist(`/play/streams/${stream.id}/range.m3u8?from=${from}&to=${to}`),
    );
    assert.equal(past.endlist, true, 'what is held is a range of the past, also when nothing newer is retained');
    assert.equal(past.segments.length, 2);
    await server.catalog.releaseHold(id);
    assert.equal((await server.get(`${base}/index.m3u8`)).status, 404);
  });
});
