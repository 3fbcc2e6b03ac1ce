import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { renderWebVtt, timestamp } from './write-webvtt.ts';

/** What ffmpeg reads: start and end in milliseconds, and how often the text has a letter x. */
function readByFfmpeg(text: string): readonly (readonly number[])[] {
  const args = ['-v', 'error', '-f', 'webvtt', '-i', '-', '-f', 'webvtt', '-'];
  const { stdout, stderr } = spawnSync('ffmpeg', args, { input: text, encoding: 'utf8' });
  assert.equal(stderr, '');
  const ms = (clock: string): number =>
    clock
      .split(/[:.]/)
      .reduce((sum, part, index, all) => sum * (index === all.length - 1 ? 1000 : 60) + Number(part), 0);
  return stdout
    .split('\n\n')
    .slice(1)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const [times = '', ...lines] = block.trim().split('\n');
      const [start = '', end = ''] = times.split(' --> ');
      return [ms(start), ms(end), lines.join('').split('x').length - 1];
    });
}

describe('WebVTT', () => {
  test('cues come out in order and whole', () => {
    const text = renderWebVtt([
      { startMs: 3_723_004, endMs: 3_724_000, text: '<b>Later</b> &amp; done' },
      { startMs: 0, endMs: 1500.4, text: 'one\r\ntwo' },
    ]);
    assert.equal(
      text,
      'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\none\ntwo\n\n01:02:03.004 --> 01:02:04.000\n<b>Later</b> &amp; done\n',
    );
    assert.equal(renderWebVtt([]), 'WEBVTT\n');
    assert.equal(timestamp(100 * 3_600_000), '100:00:00.000');
  });

  test('what cannot be shown is left out, and time does not run before 0', () => {
    const cues = [
      { startMs: 5, endMs: 5, text: 'a' },
      { startMs: 5, endMs: 9, text: ' \n\n' },
      { startMs: -500, endMs: 1000, text: 'x' },
    ];
    assert.equal(renderWebVtt(cues), 'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nx\n');
  });

  test('no text breaks out of its cue', () => {
    const letters = fc.constantFrom(
      'x',
      '\n',
      '\r',
      '-->',
      ' ',
      '00:01.000 --> 00:02.000',
      'NOTE',
      'WEBVTT',
      '\0',
      'ü',
    );
    const texts = fc.array(fc.array(letters, { maxLength: 8 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(texts, (parts) => {
        const cues = parts.map((part, index) => ({
          startMs: index * 1000,
          endMs: index * 1000 + 900,
          text: `x${part.join('')}`,
        }));
        const blocks = renderWebVtt(cues).trimEnd().split('\n\n').slice(1);
        assert.equal(blocks.length, cues.length);
        for (const block of blocks) assert.equal(block.split('-->').length, 2);
      }),
    );
    const nasty = { startMs: 0, endMs: 900, text: 'x\n\n00:01.000 --> 00:02.000\nx\r\n\rx' };
    assert.deepEqual(readByFfmpeg(renderWebVtt([nasty, { startMs: 1000, endMs: 2000, text: 'xx' }])), [
      [0, 900, 3],
      [1000, 2000, 2],
    ]);
  });
});
