import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TestServer } from '../fixtures/server.ts';
import { judgePictures } from '../fixtures/video-judge.ts';
import { ended, fetchRenditions, upload } from '../fixtures/vod-assets.ts';
import { AAC, film, X264 } from '../fixtures/vod-films.ts';
import { judgeSound, marksOf } from '../fixtures/vod-judge.ts';

const SECONDS = 12;
const SHORT = { ZOETROPE_VOD_SEGMENT_SECONDS: '1', ZOETROPE_VOD_CHUNK_SECONDS: '2' };
const PACKET_BYTES = 188;

function zeros(bytes: Buffer, from: number, to: number): Buffer {
  return bytes.fill(0, Math.round(bytes.length * from), Math.round(bytes.length * to));
}

/** Files of which a stretch in the middle is lost. What comes before it is whole. */
const DAMAGES: readonly {
  readonly name: string;
  readonly file: string;
  readonly encode: string;
  readonly damage: (bytes: Buffer) => Buffer;
}[] = [
  {
    name: 'an MP4 of one group of pictures, overwritten with zeros',
    file: 'group.mp4',
    encode: `${X264} -g 1000 -bf 2 -sc_threshold 0 -movflags +faststart`,
    damage: (bytes) => zeros(bytes, 0.3, 0.7),
  },
  {
    name: 'an MP4 with many keyframes, overwritten with zeros',
    file: 'keyframes.mp4',
    encode: `${X264} -g 20 -bf 2 -sc_threshold 0 -movflags +faststart`,
    damage: (bytes) => zeros(bytes, 0.3, 0.7),
  },
  {
    name: 'an MP4 whose pictures are lost to the end',
    file: 'end.mp4',
    encode: `${X264} -g 20 -bf 2 -sc_threshold 0 -movflags +faststart`,
    damage: (bytes) => zeros(bytes, 0.5, 1),
  },
  {
    name: 'Matroska, overwritten with zeros',
    file: 'zeros.mkv',
    encode: '-c:v mpeg4 -q:v 3 -g 300',
    damage: (bytes) => zeros(bytes, 0.3, 0.7),
  },
  {
    name: 'a transport stream with a hole',
    file: 'hole.ts',
    encode: `${X264} -g 1000 -bf 2 -sc_threshold 0`,
    damage: (bytes) => {
      const at = (part: number): number => Math.floor((bytes.length * part) / PACKET_BYTES) * PACKET_BYTES;
      return Buffer.concat([bytes.subarray(0, at(0.3)), bytes.subarray(at(0.7))]);
    },
  },
];

describe('files of which a stretch is lost', { concurrency: 2 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-vod-damaged-'));
  let server: TestServer;
  before(async () => {
    server = await TestServer.start({ env: SHORT });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const { name, file, encode, damage } of DAMAGES) {
    test(`${name}: the rest plays, as long as before`, async () => {
      const path = join(directory, file);
      await film({ seconds: SECONDS }, { seconds: SECONDS }, encode, AAC)(path);
      await writeFile(path, damage(await readFile(path)));
      const { id } = await upload(server, path, { filename: file });
      const asset = await ended(server, id, 120_000);
      assert.equal(asset.state, 'ready', JSON.stringify(asset.cause));
      const { rungs, sounds } = await fetchRenditions(server, id, directory);
      const [rung] = rungs;
      assert.ok(rung !== undefined);
      const length = rung.durations.reduce((sum, duration) => sum + duration, 0);
      assert.ok(Math.abs(length - SECONDS) < 0.1, `the pictures last ${length} s`);
      const times = (await judgePictures(rung.path)).map(({ time90k }) => time90k);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      const numbers = (await marksOf(rung.path)).map((mark) => mark.number);
      assert.deepEqual(
        numbers.slice(0, 50),
        Array.from({ length: 50 }, (_, index) => index),
      );
      for (const sound of sounds) {
        const { endS } = await judgeSound(sound.path);
        assert.ok(Math.abs(endS - SECONDS) < 0.2, `the sound lasts ${endS} s`);
      }
    });
  }
});
