import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { wallMs } from '../../base/time.ts';
import { readTimeCode } from '../time-code/read-time-code.ts';
import { makeFilm } from './simulated-film.ts';

const FILM = { name: 'film-1', index: 2, size: { width: 320, height: 180 }, durationMs: 1500, framesPerS: 10 };
const START = wallMs(Date.UTC(2026, 10, 20, 10, 30));

test('a film has as many pictures and as much sound as asked for', () => {
  const film = makeFilm({ ...FILM, startMs: START });
  const probe = ['-v', 'error', '-count_frames', '-show_streams', '-of', 'json', '-'];
  const { streams } = JSON.parse(execFileSync('ffprobe', probe, { input: film }).toString()) as {
    streams: { codec_name: string; nb_read_frames: string; r_frame_rate: string }[];
  };
  assert.deepEqual(
    streams.map(({ codec_name: codec }) => codec),
    ['mjpeg', 'pcm_s16le'],
  );
  assert.deepEqual([streams[0]?.nb_read_frames, streams[0]?.r_frame_rate], ['15', '10/1']);
  const sound = execFileSync('ffmpeg', ['-v', 'error', '-i', '-', '-f', 's16le', '-'], { input: film });
  assert.equal(sound.length, 1.5 * 48_000 * 2);
});

test('the clock in its pictures can be read', () => {
  const film = makeFilm({ ...FILM, startMs: START });
  const decode = ['-v', 'error', '-i', '-', '-f', 'rawvideo', '-pix_fmt', 'gray', '-'];
  const pixels = execFileSync('ffmpeg', decode, { input: film, maxBuffer: 10_000_000 });
  const { width, height } = FILM.size;
  for (const at of [0, 7, 14]) {
    const luma = pixels.subarray(at * width * height, (at + 1) * width * height);
    assert.equal(readTimeCode(luma, width, height, width), START + at * 100);
  }
});
