import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TestServer } from '../fixtures/server.ts';
import { likeness, judgePictures } from '../fixtures/video-judge.ts';
import { ended, fetchRenditions, upload, type FoundAsset, type FoundRung } from '../fixtures/vod-assets.ts';
import {
  countDecoded,
  flashesOf,
  judgeSound,
  judgeSource,
  marksOf,
  type CountedTrack,
  type JudgedSource,
} from '../fixtures/vod-judge.ts';
import { VOD_SHAPES, type VodShape } from '../fixtures/vod-shapes.ts';

const AAC_FRAME = 1024;
const LEAST_DB = 25;
const TIMEOUT_MS = 280_000;
/** Short enough that files of a few seconds become several chunks of several segments. */
const SHORT = { ZOETROPE_VOD_SEGMENT_SECONDS: '1', ZOETROPE_VOD_CHUNK_SECONDS: '2' };

/** A source as Debian's ffmpeg sees it. */
interface Expected extends JudgedSource {
  readonly path: string;
}

describe('files of many shapes', { concurrency: 3 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-vod-'));
  const made = new Map<string, PromiseWithResolvers<string>>();
  let server: TestServer;
  let making: Promise<void> | undefined;

  before(async () => {
    server = await TestServer.start({ env: SHORT });
    const only = process.env['VOD_ONLY']?.split(',');
    const shapes = VOD_SHAPES.filter(({ file }) => only === undefined || only.includes(file));
    for (const { file } of shapes) made.set(file, Promise.withResolvers<string>());
    making = sendAll(shapes);
  });
  after(async () => {
    await making;
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  async function sendAll(shapes: readonly VodShape[]): Promise<void> {
    for (const { file, make, asset } of shapes) {
      const path = join(directory, file);
      const sent = made.get(file);
      try {
        await make(path);
        const { id } = await upload(server, path, { filename: file, ...(asset === undefined ? {} : { asset }) });
        sent?.resolve(id);
      } catch (error) {
        sent?.reject(error);
      }
    }
  }

  for (const shape of VOD_SHAPES) {
    test(shape.name, async (t) => {
      const sent = made.get(shape.file);
      if (sent === undefined) return t.skip('not asked for');
      const id = await sent.promise;
      const asset = await ended(server, id, TIMEOUT_MS);
      assert.equal(asset.state, 'ready', JSON.stringify(asset.cause));
      assert.deepEqual(
        asset.outputs.filter(({ state }) => state !== 'ready').map(({ name, cause }) => [name, cause]),
        [],
        'every output is ready',
      );
      const path = join(directory, shape.file);
      const expected: Expected = { path, ...(await judgeSource(path)) };
      const found = await fetchRenditions(server, id, directory);
      await judgeRungs(shape, found, expected);
      await judgeSounds(shape, found, expected);
      judgeCaptions(shape, found);
      await judgeOnline(shape, `${server.url}/play/assets/${id}`, found, expected);
      if (shape.size !== null) assert.equal(await server.api.get(`/play/assets/${id}/poster.jpg`).then(isJpeg), true);
    });
  }
});

function isJpeg({ bytes }: { readonly bytes: Buffer }): boolean {
  return bytes.readUInt16BE() === 0xff_d8;
}

async function judgeRungs(shape: VodShape, { rungs, sounds }: FoundAsset, expected: Expected): Promise<void> {
  const { size } = shape;
  if (size === null) return assert.equal(rungs.length, 0);
  assert.deepEqual([rungs[0]?.width, rungs[0]?.height], size, 'the largest rung has the size of the source');
  const [width, height] = size;
  if (shape.asset === undefined) assert.equal(rungs.length, Math.min(width, height) > 144 ? 2 : 1);
  for (const rung of rungs) {
    assert.deepEqual(rung.durations, rungs[0]?.durations, 'segments begin at the same times in every rung');
    await judgeRung(shape, rung, sounds, expected);
  }
}

async function judgeRung(
  shape: VodShape,
  rung: FoundRung,
  sounds: FoundAsset['sounds'],
  { path, timesS }: Expected,
): Promise<void> {
  const what = `${rung.width}×${rung.height} ${rung.codecs}`;
  const { mayLack = 0, times, numbers = (index) => index } = shape;
  const seen = await judgePictures(rung.path);
  assert.ok(
    seen.length <= timesS.length && seen.length >= timesS.length - mayLack,
    `${what}: ${seen.length} pictures of ${timesS.length}`,
  );
  assert.deepEqual(
    [...new Set(seen.map((one) => [one.width, one.height, one.pixelFormat].join()))],
    [[rung.width, rung.height, 'yuv420p'].join()],
  );
  const seenS = seen.map(({ time90k }) => time90k / 90_000);
  for (const [index, time] of seenS.entries()) {
    const due = times?.of(index) ?? timesS[index] ?? Number.NaN;
    const offMs = Math.abs(time - due) * 1000;
    assert.ok(offMs <= (times?.withinMs ?? 1), `${what}: picture ${index} is at ${time} s, not at ${due} s`);
  }
  const marks = await marksOf(rung.path);
  // Where the file is damaged, one of the last may be missing before others that are there.
  const sure = mayLack > 0 ? marks.slice(0, -3) : marks;
  const due =
    numbers === 'source' ? (await marksOf(path)).map(({ number }) => number) : sure.map((_, at) => numbers(at));
  assert.deepEqual(
    sure.map(({ number }) => number),
    due,
    `${what}: every picture in its place`,
  );
  if (shape.changesColour !== true) {
    for (const { leftV, rightU } of marks) {
      assert.ok(
        leftV > 190 && rightU > 190,
        `${what}: red is at the top left, blue at the top right: ${leftV}, ${rightU}`,
      );
    }
    const prepare = `${shape.prepare ?? 'null'},scale=${rung.width}:${rung.height}:flags=bicubic,format=yuv420p`;
    const alike = await likeness(rung.path, path, prepare);
    const least = Math.min(...alike.slice(0, seen.length));
    assert.ok(least > (shape.leastDb ?? LEAST_DB), `${what}: the least alike picture has ${least} dB`);
  }
  await judgeSync(shape, flashesOf(marks, seenS), sounds);
}

/** Each flash is seen when its tone is heard. */
async function judgeSync(shape: VodShape, flashesS: readonly number[], sounds: FoundAsset['sounds']): Promise<void> {
  for (const { path } of sounds) {
    const { beepsS } = await judgeSound(path);
    const offs = flashesS.map((flash) =>
      beepsS.reduce((off, beep) => least(off, beep - flash), Number.POSITIVE_INFINITY),
    );
    const heard = offs.filter((off) => Math.abs(off) < 0.02);
    assert.ok(
      flashesS.length > 0 && heard.length >= flashesS.length - (shape.silentFlashes ?? 0),
      `off by ${offs.join(', ')} s`,
    );
  }
}

function least(one: number, other: number): number {
  return Math.abs(one) <= Math.abs(other) ? one : other;
}

async function judgeSounds(shape: VodShape, { sounds }: FoundAsset, { soundEndsS }: Expected): Promise<void> {
  const { tones = [1000], soundEndMs = 0, soundEndS } = shape;
  const judged = await Promise.all(sounds.map(({ path }) => judgeSound(path)));
  assert.equal(judged.length, tones.length, 'every language is there');
  for (const [index, { rateHz, startS, endS, toneHz }] of judged.entries()) {
    const tone = tones[index] ?? 0;
    assert.ok(Math.abs(toneHz - tone) < tone * 0.05, `rendition ${index} has ${toneHz} Hz, not ${tone}`);
    assert.ok(startS <= 0.0005 && startS >= -AAC_FRAME / rateHz - 0.0005, `sound begins at ${startS} s`);
    const offS = endS - (soundEndS ?? soundEndsS[index] ?? 0);
    assert.ok(
      Math.abs(offS) <= AAC_FRAME / rateHz + soundEndMs / 1000 + 0.001,
      `sound ends ${offS} s after the source's`,
    );
  }
}

function judgeCaptions({ captions = [] }: VodShape, found: FoundAsset): void {
  assert.equal(found.captions.length, captions.length);
  for (const { text } of found.captions)
    assert.match(text, /^WEBVTT[\s\S]*00:00.500 --> 00:00:01.500[\s\S]*one[\s\S]*two/);
}

/** What players find at the addresses: both containers of HLS, and DASH. */
async function judgeOnline(
  shape: VodShape,
  url: string,
  { rungs, sounds }: FoundAsset,
  expected: Expected,
): Promise<void> {
  const canBeTs = rungs.every(({ codecs }) => codecs.startsWith('avc1'));
  const all = ['0:v?', '0:a?'];
  // FFmpeg's DASH demuxer ends all tracks when one ends: it is asked for each alone.
  const each = [...rungs.map((_, index) => `0:v:${index}`), ...sounds.map((_, index) => `0:a:${index}`)];
  for (const [path, selections] of [
    ['master.m3u8', [all]],
    ['manifest.mpd', each.map((map) => [map])],
    ...(canBeTs ? [['master.m3u8?container=ts', [all]] as const] : []),
  ] as const) {
    const tracks: CountedTrack[] = [];
    for (const selection of selections) tracks.push(...(await countDecoded(`${url}/${path}`, selection)));
    const video = tracks.filter(({ kind }) => kind === 'video');
    for (const { size, frames } of video) {
      const lacks = expected.timesS.length - frames;
      assert.ok(
        lacks >= 0 && lacks <= (shape.mayLack ?? 0),
        `${path}: ${frames} pictures of ${size}, ${lacks} too few`,
      );
    }
    assert.equal(video.length, rungs.length, `${path} has all rungs`);
    assert.deepEqual(
      new Set(video.map(({ size }) => size)),
      new Set(rungs.map(({ width, height }) => `${width}x${height}`)),
    );
    const audio = tracks.filter(({ kind }) => kind === 'audio');
    // Of sound alone, the playlist is both a variant and a rendition.
    const isTwice = rungs.length === 0 && path.startsWith('master');
    assert.equal(audio.length, sounds.length * (isTwice ? 2 : 1), `${path} has all tracks of sound`);
    assert.ok(audio.every(({ frames }) => frames > 0));
  }
}
