import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { randomIds } from '../../src/base/ids.ts';
import { makeAssetMedia, type AssetMedia } from '../fixtures/asset-media.ts';
import { FabricatedAsset } from '../fixtures/asset-world.ts';
import { PlaybackServer } from '../fixtures/playback.ts';
import { sha256 } from '../fixtures/served-media.ts';
import { parseMediaPlaylist, parseMultivariant } from '../fixtures/strict-hls.ts';

describe('delivery of assets', () => {
  let server: PlaybackServer;
  let media: AssetMedia;
  before(async () => {
    server = await PlaybackServer.open();
    media = makeAssetMedia({ audioTracks: 2, captionTracks: 2 });
  });
  after(async () => server[Symbol.asyncDispose]());

  /** The path of a URI in a playlist. */
  const child = (playlist: string, uri = ''): string => {
    const url = new URL(uri, server.url(playlist));
    return url.pathname + url.search;
  };
  const base = (asset: FabricatedAsset): string => `/play/assets/${asset.id}`;

  test('master offers every rendition with its groups, and what plays from it is there', async () => {
    const asset = await FabricatedAsset.ready(server, media);
    const text = await server.playlist(`${base(asset)}/master.m3u8`);
    const master = parseMultivariant(text);
    const variants = master.variants.filter((one) => !one.isIFrameOnly);
    assert.deepEqual(
      variants.map((one) => [one.uri, one.resolution?.height, one.frameRate, one.codecs]),
      ['video-1', 'video-0'].map((name, index) => [
        `${asset.output(name)}/index.m3u8`,
        [180, 90][index],
        25,
        `${media.video[1 - index]?.codecs},mp4a.40.2`,
      ]),
    );
    assert.ok(variants.every((one) => one.bandwidth > 0 && (one.averageBandwidth ?? 0) <= one.bandwidth));
    const [first] = variants;
    assert.deepEqual(
      first?.audio.map((one) => [one.uri, one.name, one.language, one.isDefault, one.channels]),
      [
        [`${asset.output('audio-0')}/index.m3u8`, 'English', 'en', true, '2'],
        [`${asset.output('audio-1')}/index.m3u8`, 'German', 'de', false, '2'],
      ],
    );
    assert.deepEqual(
      first?.subtitles.map((one) => [one.uri, one.language, one.isDefault]),
      [
        [`${asset.output('captions-0')}/index.m3u8`, 'en', true],
        [`${asset.output('captions-1')}/index.m3u8`, 'de', false],
      ],
    );
    const keyframes = master.variants.filter((one) => one.isIFrameOnly);
    assert.deepEqual(
      keyframes.map((one) => [one.uri, one.resolution?.height, one.codecs]),
      ['video-0', 'video-1'].map((name, index) => [
        `${asset.output(name)}/iframes.m3u8`,
        [90, 180][index],
        media.video[index]?.codecs,
      ]),
    );
    for (const uri of [...text.matchAll(/URI="([^"]+)"|^(out_\S+)$/gm)].map((match) => match[1] ?? match[2] ?? '')) {
      assert.equal((await server.get(`${base(asset)}/${uri}`)).status, 200, uri);
    }
  });

  test('a rendition lists its segments exactly, without wall time; captions and init segments too', async () => {
    const asset = await FabricatedAsset.ready(server, media);
    for (const [name, rendition, extension] of [
      ['video-1', media.video[1], 'm4s'],
      ['audio-1', media.audio[1], 'm4s'],
      ['captions-1', media.captions[1], 'vtt'],
    ] as const) {
      const folder = `${base(asset)}/${asset.output(name)}`;
      const path = `${folder}/index.m3u8`;
      const playlist = parseMediaPlaylist(await server.playlist(path));
      assert.deepEqual(
        [playlist.playlistType, playlist.endlist, playlist.mediaSequenceBase, playlist.discontinuitySequenceBase],
        ['VOD', true, 0, 0],
      );
      assert.deepEqual(
        playlist.segments.map((one) => one.duration.toFixed(5)),
        rendition?.parts.map((part) => (part.duration90k / 90_000).toFixed(5)),
      );
      for (const [index, segment] of playlist.segments.entries()) {
        assert.match(segment.uri, new RegExp(`^\\.\\./segments/seg_\\w+\\.${extension}$`));
        assert.ok(segment.programDateTime === undefined || segment.programDateTime === null);
        const answer = await server.get(child(path, segment.uri));
        assert.equal(sha256(answer.body), sha256(rendition?.parts[index]?.bytes ?? new Uint8Array()), name);
        assert.match(answer.headers['cache-control'] ?? '', /^public, max-age=31536000, immutable$/);
      }
      const map = playlist.segments[0]?.map?.uri;
      if (extension === 'vtt') assert.ok(map === undefined);
      else assert.deepEqual((await server.get(child(path, map))).body, Buffer.from(rendition?.init ?? []));
    }
    assert.match(
      (await server.get(`${base(asset)}/captions/${asset.output('captions-0')}.vtt`)).text,
      /Track 0, cue 0/,
    );
  });

  test('keyframes are byte ranges of segments, and ranges are answered', async () => {
    const asset = await FabricatedAsset.ready(server, media);
    const folder = `${base(asset)}/${asset.output('video-0')}`;
    const playlist = parseMediaPlaylist(await server.playlist(`${folder}/iframes.m3u8`));
    assert.equal(playlist.isIFrame, true);
    assert.deepEqual(
      playlist.segments.map((one) => one.byterange),
      media.video[0]?.parts.map((part) => ({ offset: 0, length: part.keyframeBytes })),
    );
    const [first] = playlist.segments;
    const path = child(`${folder}/iframes.m3u8`, first?.uri);
    const end = (first?.byterange?.length ?? 0) - 1;
    // From memory, too: the hot path leaves ranges to the routes.
    await server.get(path);
    const part = await server.get(path, { range: `bytes=0-${end}` });
    assert.deepEqual([part.status, part.body.length], [206, end + 1]);
    assert.equal(part.headers['content-range'], `bytes 0-${end}/${media.video[0]?.parts[0]?.bytes.length}`);
    const beyond = await server.get(path, { range: 'bytes=99999999-' });
    assert.equal(beyond.status, 416);
    const sound = await server.get(`${base(asset)}/${asset.output('audio-0')}/iframes.m3u8`);
    assert.deepEqual([sound.status, sound.headers['retry-after']], [404, undefined]);
  });

  test('it grows as EVENT at a fixed target duration, ends as VOD, and says when to ask again before', async () => {
    const asset = await FabricatedAsset.make(server, media);
    const master = `${base(asset)}/master.m3u8`;
    const index = `${base(asset)}/${asset.output('video-0')}/index.m3u8`;
    for (const path of [master, index, `${base(asset)}/poster.jpg`, `${base(asset)}/storyboard.vtt`]) {
      const answer = await server.get(path);
      assert.deepEqual([answer.status, answer.headers['retry-after']], [404, '5'], path);
      assert.match(answer.text, /"retryable":true/);
    }
    await asset.publish(2, ['video-0']);
    assert.equal((await server.get(master)).status, 404, 'pictures without their sound are not offered');
    await asset.publish(2, ['audio-0']);
    const early = parseMultivariant(await server.playlist(master));
    assert.deepEqual(
      early.variants.filter((one) => !one.isIFrameOnly).map((one) => one.uri),
      [`${asset.output('video-0')}/index.m3u8`],
    );
    let known: readonly string[] = [];
    for (const seconds of [2, 4, 6]) {
      await asset.publish(seconds);
      const answer = await server.get(index);
      assert.match(answer.headers['cache-control'] ?? '', /^public, max-age=1$/);
      const playlist = parseMediaPlaylist(answer.text);
      assert.deepEqual(
        [playlist.playlistType, playlist.endlist, playlist.targetDuration, playlist.start?.offset],
        ['EVENT', false, 3, 0],
      );
      const uris = playlist.segments.map((one) => one.uri);
      assert.equal(uris.length, seconds / 2);
      assert.deepEqual(uris.slice(0, known.length), known);
      known = uris;
    }
    await asset.finish();
    const ended = parseMediaPlaylist(await server.playlist(index));
    assert.deepEqual([ended.playlistType, ended.endlist, ended.targetDuration], ['VOD', true, 3]);
    assert.deepEqual(
      ended.segments.slice(0, known.length).map((one) => one.uri),
      known,
    );
    assert.equal(
      parseMultivariant(await server.playlist(master)).variants.filter((one) => !one.isIFrameOnly).length,
      2,
    );
  });

  test('what failed or was cancelled leaves master; what is published of it plays on', async () => {
    const asset = await FabricatedAsset.make(server, media);
    await asset.publish(4);
    await asset.settle({
      outputs: [
        { id: asset.output('video-0'), state: 'cancelled' },
        { id: asset.output('audio-1'), state: 'failed', cause: { code: 'engine_failed', message: 'It broke.' } },
      ],
    });
    const master = parseMultivariant(await server.playlist(`${base(asset)}/master.m3u8`));
    assert.deepEqual(
      master.variants.map((one) => one.uri),
      [`${asset.output('video-1')}/index.m3u8`, `${asset.output('video-1')}/iframes.m3u8`],
    );
    assert.equal(master.variants[0]?.audio.length, 1);
    const cut = parseMediaPlaylist(await server.playlist(`${base(asset)}/${asset.output('video-0')}/index.m3u8`));
    assert.deepEqual([cut.segments.length, cut.endlist], [2, true]);
    await asset.settle({ removeRenditions: [asset.output('video-0')] });
    const gone = await server.get(`${base(asset)}/${asset.output('video-0')}/index.m3u8`);
    assert.deepEqual([gone.status, gone.headers['retry-after']], [404, undefined]);
  });

  test('an asset that failed says why, and not to ask again', async () => {
    const asset = await FabricatedAsset.make(server, media);
    const cause = { code: 'corrupt_media', message: 'The file ends in the middle.' } as const;
    await asset.settle({ asset: { state: 'failed', cause } });
    const answer = await server.get(`${base(asset)}/master.m3u8`);
    assert.deepEqual([answer.status, answer.headers['retry-after']], [404, undefined]);
    assert.match(answer.text, /The file ends in the middle\./);
  });

  test("one asset's files are not another's, and asking for them there does no harm", async () => {
    const [mine, other] = [await FabricatedAsset.ready(server, media), await FabricatedAsset.ready(server, media)];
    const path = `${base(mine)}/${mine.output('video-0')}/index.m3u8`;
    const [segment] = parseMediaPlaylist(await server.playlist(path)).segments;
    for (const uri of [segment?.uri, segment?.map?.uri]) {
      const own = child(path, uri);
      assert.equal((await server.get(own.replace(mine.id, other.id))).status, 404);
      assert.equal((await server.get(own)).status, 200);
      assert.equal((await server.get(own.replace(mine.id, other.id))).status, 404);
    }
  });

  test('growth costs reading what is new; a lost segment is seen all the same', async () => {
    const asset = await FabricatedAsset.make(server, media);
    await asset.publish(4);
    const path = `${base(asset)}/${asset.output('video-0')}/index.m3u8`;
    await server.playlist(path);
    const [segment] = (await server.catalog.renditionWindow(asset.id, asset.output('video-0'), 0)).segments;
    const calls = server.catalogCalls.get('renditionWindow') ?? 0;
    await asset.publish(6, ['video-0']);
    await server.playlist(path);
    assert.ok((server.catalogCalls.get('renditionWindow') ?? 0) - calls <= 6, 'one short read a rendition');
    await server.catalog.setSegmentLost(segment?.id ?? '', true);
    assert.match(await server.playlist(path), /#EXT-X-GAP\n#EXTINF:2\.0,\n/);
  });

  test('what running tasks tell of their progress costs no look at segments', async () => {
    const asset = await FabricatedAsset.make(server, media);
    await asset.publish(4);
    const { catalog } = server;
    const output = asset.output('video-0');
    const task = { id: randomIds.next('task'), kind: 'video', rank: 0, ordinal: 0 } as const;
    const made = { ...task, outputIds: [output], weight: 100, input: null, maxAttempts: 1 };
    const { version } = await catalog.getAsset(asset.id);
    assert.ok((await catalog.settleAsset(asset.id, version, { newTasks: [made] })) !== null);
    const lease = await catalog.claimTask({ workerId: 'w', leaseMs: 60_000 });
    assert.equal(lease?.task.id, task.id);
    const path = `${base(asset)}/${output}/index.m3u8`;
    await server.playlist(path);
    const calls = server.catalogCalls.get('renditionWindow');
    for (const progress of [0.1, 0.2, 0.3]) {
      await catalog.renewTask({ taskId: task.id, attempt: 1 }, { leaseMs: 60_000, progress });
      await server.playlist(path);
    }
    assert.equal(server.catalogCalls.get('renditionWindow'), calls);
  });

  test('pictures, the storyboard and the download, with their types and tags', async () => {
    const asset = await FabricatedAsset.ready(server, media, { name: 'Grüße "aus" Oslo.mov' });
    for (const [name, type] of [
      ['poster.jpg', 'image/jpeg'],
      ['thumbnails/0.jpg', 'image/jpeg'],
      ['thumbnails/1.jpg', 'image/jpeg'],
      ['storyboard/0.jpg', 'image/jpeg'],
      ['storyboard.vtt', 'text/vtt; charset=utf-8'],
      ['storyboard.json', 'application/json; charset=utf-8'],
      ['download.mp4', 'video/mp4'],
    ] as const) {
      const path = `${base(asset)}/${name}`;
      const answer = await server.get(path);
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, type], name);
      assert.match(answer.headers['cache-control'] ?? '', /^public, max-age=(300|60)$/, name);
      const again = await server.get(path, { 'if-none-match': answer.headers.etag ?? '' });
      assert.deepEqual([again.status, again.body.length], [304, 0], name);
      const head = await server.get(path, {}, 'HEAD');
      assert.deepEqual([head.status, head.headers['content-length']], [200, String(answer.body.length)], name);
    }
    const cues = (await server.get(`${base(asset)}/storyboard.vtt`)).text.match(/-->/g);
    assert.equal(cues?.length, 8);
    assert.equal((await server.get(`${base(asset)}/thumbnails/2.jpg`)).status, 404);
    assert.equal((await server.get(`${base(asset)}/storyboard/9.jpg`)).status, 404);
    const download = `${base(asset)}/download.mp4`;
    const whole = await server.get(download);
    assert.equal(sha256(whole.body), sha256(media.movie));
    assert.match(
      whole.headers['content-disposition'] ?? '',
      /^attachment; filename="Gr__e _aus_ Oslo\.mp4"; filename\*=/,
    );
    const part = await server.get(download, { range: 'bytes=10-19' });
    assert.deepEqual([part.status, part.headers['content-length']], [206, '10']);
    assert.deepEqual(part.body, Buffer.from(media.movie.subarray(10, 20)));
    const tail = await server.get(download, { range: 'bytes=-7', 'if-range': whole.headers.etag ?? '' });
    assert.deepEqual(tail.body, Buffer.from(media.movie.subarray(-7)));
    assert.equal((await server.get(download, { range: 'bytes=99999999-' })).status, 416);
  });

  test('the hot path answers what the routes answered, until the asset changes', async () => {
    const asset = await FabricatedAsset.make(server, media);
    await asset.publish(4);
    const path = `${base(asset)}/${asset.output('video-0')}/index.m3u8`;
    const first = await server.get(path, { 'accept-encoding': 'gzip' });
    const hot = server.hotAnswers;
    const again = await server.get(path, { 'accept-encoding': 'gzip' });
    assert.equal(server.hotAnswers, hot + 1);
    const text = (answer: typeof first): string =>
      answer.headers['content-encoding'] === 'gzip' ? gunzipSync(answer.body).toString() : answer.text;
    assert.equal(text(again), text(first));
    await asset.publish(6);
    assert.equal(parseMediaPlaylist(await server.playlist(path)).segments.length, 3);
    assert.equal(server.hotAnswers, hot + 1);
  });

  test('speed plays pictures alone, and what cannot be had is refused in words', async () => {
    const asset = await FabricatedAsset.ready(server, media);
    const fast = parseMultivariant(await server.playlist(`${base(asset)}/master.m3u8?speed=4`));
    assert.deepEqual([fast.variants[0]?.audio.length, fast.variants[0]?.frameRate], [0, 100]);
    const uri = fast.variants[0]?.uri ?? '';
    assert.match(uri, /\?speed=4$/);
    const playlist = parseMediaPlaylist(await server.playlist(`${base(asset)}/${uri}`));
    assert.equal(playlist.segments[0]?.duration, 0.5);
    for (const [path, status, says] of [
      [`${asset.output('audio-0')}/index.m3u8?speed=2`, 400, /speed 1 alone/],
      ['manifest.mpd?speed=2', 400, /no speed and no container/],
      [`${asset.output('poster')}/index.m3u8`, 404, /no rendition/],
      ['out_00000000000000000000000000/index.m3u8', 404, /has no output/],
      ['master.m3u8?container=avi', 400, /must be ts/],
      ['key/0', 404, /no file/],
      ['segments/seg_00000000000000000000000000.m4s', 404, /no segment|not found|no such/i],
    ] as const) {
      const answer = await server.get(`${base(asset)}/${path}`);
      assert.equal(answer.status, status, path);
      assert.match(answer.text, says, path);
    }
    assert.equal((await server.get('/play/assets/ast_00000000000000000000000000/master.m3u8')).status, 404);
    assert.equal((await server.get('/play/assets/str_00000000000000000000000000/master.m3u8')).status, 404);
  });
});
