import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pts90k, type Pts90k } from '../base/time.ts';
import { MAX_PREROLL_90K, type SplitAudio, type SplitVideo } from '../engine/transcoder.ts';
import { planAudioChunks, planVideoChunks, type ChunkRule } from './chunks.ts';

const RULE: ChunkRule = { segmentMs: 4000, chunkMs: 12_000 };
const S = 90_000;

/** A video with keyframes at these seconds, and other pictures every `stepS`. */
function video(keyframesS: readonly number[], endS: number, stepS = 1): SplitVideo {
  return {
    parts: keyframesS.map((from, index) => ({
      key: `part${index}`,
      from90k: pts90k(Math.round(from * S)),
      frames: 50,
      cuts90k: cutsBetween(from, keyframesS[index + 1] ?? endS, stepS),
      hasLeading: false,
    })),
    frames: Math.round(endS * 25),
    end90k: pts90k(Math.round(endS * S)),
    frameRate: 25,
  };
}

function cutsBetween(fromS: number, toS: number, stepS: number): readonly Pts90k[] {
  const count = Math.max(0, Math.ceil((toS - fromS) / stepS) - 1);
  return Array.from({ length: count }, (_, index) => pts90k(Math.round((fromS + (index + 1) * stepS) * S))).filter(
    (cut) => cut - fromS * S <= MAX_PREROLL_90K,
  );
}

const every = (stepS: number, endS: number): readonly number[] =>
  Array.from({ length: Math.ceil(endS / stepS) }, (_, index) => index * stepS);

test('the first chunk is about a segment, the others about a chunk, all at keyframes', () => {
  const chunks = planVideoChunks(video(every(2, 156), 156), RULE);
  assert.deepEqual(
    chunks.map(({ from90k }) => from90k / S),
    [0, 4, 8, 16, 28, 40, 52, 64, 76, 88, 100, 112, 124, 136, 148].slice(0, chunks.length),
  );
  assert.deepEqual(chunks[2]?.segmentStarts90k, [8 * S, 12 * S]);
  assert.equal(chunks.at(-1)?.to90k, null);
  assert.deepEqual(chunks[0]?.parts, ['part0', 'part1', 'part2'], 'with the part that begins where it ends');
});

test('a long group of pictures is cut inside and its chunks read it from its keyframe', () => {
  const chunks = planVideoChunks(video([0, 30, 60, 180], 200), RULE);
  assert.deepEqual(
    chunks.map(({ from90k }) => from90k / S),
    [0, 4, 8, 16, 30, 42, 60, 72, 84, 96, 108, 120, 180, 192],
  );
  assert.deepEqual(chunks[2]?.parts, ['part0', 'part1']);
  assert.deepEqual(chunks[4]?.parts, ['part1', 'part2']);
});

test('a group is cut where a picture begins, however long pictures stay, and not where it would be decoded in vain for over a minute', () => {
  const still = planVideoChunks(video([0, 40], 80, 10), RULE);
  assert.deepEqual(
    still.map(({ from90k }) => from90k / S),
    [0, 10, 20, 30, 40, 50, 60, 70],
  );
  const endless = planVideoChunks(video([0], 600), RULE);
  assert.ok(endless.every(({ from90k }) => from90k <= 60 * S));
});

test('a short video is one chunk of one segment', () => {
  const chunks = planVideoChunks(video([0], 0.04), RULE);
  assert.equal(chunks.length, 1);
  assert.deepEqual(chunks[0]?.segmentStarts90k, [0]);
  assert.equal(chunks[0]?.expectedFrames, 1);
});

test('chunks cover the whole once, in order, whatever the keyframes', () => {
  const arbitrary = fc
    .tuple(fc.array(fc.double({ min: 0.04, max: 40, noNaN: true }), { minLength: 1, maxLength: 60 }))
    .map(([steps]) => {
      const keyframes = [0];
      for (const step of steps) keyframes.push((keyframes.at(-1) ?? 0) + step);
      return { keyframes: keyframes.slice(0, -1), end: keyframes.at(-1) ?? 1 };
    });
  fc.assert(
    fc.property(arbitrary, ({ keyframes, end }) => {
      const source = video(keyframes, end);
      const chunks = planVideoChunks(source, RULE);
      assert.equal(chunks[0]?.from90k, 0);
      for (const [index, chunk] of chunks.entries()) {
        const to = chunk.to90k ?? source.end90k;
        assert.equal(chunks[index + 1]?.from90k ?? source.end90k, to);
        assert.ok(to > chunk.from90k);
        assert.equal(chunk.segmentStarts90k[0], chunk.from90k);
        const starts = [...chunk.segmentStarts90k, to];
        for (let at = 1; at < starts.length; at++) assert.ok((starts[at] ?? 0) > (starts[at - 1] ?? 0));
        const first = source.parts.find(({ key }) => key === chunk.parts[0]);
        assert.ok(first !== undefined && first.from90k <= chunk.from90k, 'decoding begins at or before the chunk');
        const indexes = chunk.parts.map((key) => source.parts.findIndex((part) => part.key === key));
        assert.deepEqual(
          indexes,
          indexes.map((_, at) => (indexes[0] ?? 0) + at),
          'its parts follow each other',
        );
        const beyond = source.parts[(indexes.at(-1) ?? 0) + 1];
        assert.ok(beyond === undefined || beyond.from90k >= to, 'all of it is read');
      }
    }),
  );
});

function audio(endSample: number, sampleRateHz: number): SplitAudio {
  const step = 10 * sampleRateHz;
  const parts = Array.from({ length: Math.ceil(endSample / step) }, (_, index) => ({
    key: `a${index}`,
    fromSample: index * step - 1024,
  }));
  return { track: 1, sampleRateHz, channels: 2, parts, endSample };
}

test('audio chunks lie on the grid of AAC frames and cover the track once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000_000 }), fc.constantFrom(44_100, 48_000, 96_000), (end, rate) => {
      const target = Math.min(rate, 48_000);
      const chunks = planAudioChunks(audio(end, rate), target, RULE);
      assert.equal(chunks[0]?.fromSample, 0);
      assert.equal(chunks[0]?.segmentStarts.length, 1);
      assert.equal(chunks.at(-1)?.toSample, Math.max(1, Math.round((end * target) / rate)));
      for (const [index, chunk] of chunks.entries()) {
        assert.ok(chunk.toSample > chunk.fromSample);
        assert.equal(chunk.fromSample, index === 0 ? 0 : chunks[index - 1]?.toSample);
        assert.ok(chunk.segmentStarts.every((start) => start % 1024 === 0));
        const [part] = chunk.parts;
        assert.ok(part !== undefined && (part.key === 'a0' || part.fromSample / rate <= chunk.startSeconds - 0.5));
      }
    }),
  );
});

test('a film of many hours is planned without looking at all its parts for each chunk', () => {
  const hoursS = 12 * 3600;
  let looks = 0;
  const counted = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name): unknown {
        looks += 1;
        return Reflect.get(target, name);
      },
    });
  const film = video(every(2, hoursS), hoursS);
  const chunks = planVideoChunks({ ...film, parts: film.parts.map(counted) }, RULE);
  assert.ok(looks < 150 * chunks.length, `${looks} looks for ${chunks.length} chunks`);
  looks = 0;
  const parts = every(2, hoursS).map((from, index) => counted({ key: `a${index}`, fromSample: from * 48_000 }));
  const sound = { track: 1, sampleRateHz: 48_000, channels: 2, parts, endSample: hoursS * 48_000 };
  const stretches = planAudioChunks(sound, 48_000, RULE);
  assert.ok(looks < 150 * stretches.length, `${looks} looks for ${stretches.length} chunks`);
});
