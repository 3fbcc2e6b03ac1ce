import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cueText } from './cue-text.ts';

const CASES: readonly (readonly [string, string, string])[] = [
  ['subrip', '<i>a</i> <font color="red">b</font>', '<i>a</i> b'],
  ['subrip', '{\\an8}up there', 'up there'],
  ['subrip', 'R&D, 1 < 2 > 0 &amp; &bogus;', 'R&amp;D, 1 &lt; 2 &gt; 0 &amp; &amp;bogus;'],
  ['subrip', '<b>open', '<b>open</b>'],
  ['subrip', '</i>closed <b><i>wrong</b></i>', 'closed <b><i>wrong</i></b>'],
  ['subrip', 'one\r\n\r\ntwo\n', 'one\ntwo'],
  ['subrip', '<i> </i>', ''],
  ['subrip', '<script>alert(1)</script>', 'alert(1)'],
  ['ass', '0,0,Default,,0,0,0,,Hi, {\\i1}you{\\i0}\\Nthere\\hnow', 'Hi, <i>you</i>\nthere now'],
  ['ass', '0,0,Default,,0,0,0,,{\\p1}m 0 0 l 10 10{\\p0}', ''],
  ['ass', '0,0,Default,,0,0,0,,{\\b1}{\\an8\\p2}m 0 0', ''],
  ['subrip', `${'{\\'.repeat(100_000)}end`, `${'{\\'.repeat(100_000)}end`],
  ['ass', `0,0,Default,,0,0,0,,${'{\\p1'.repeat(100_000)}`, '{\\p1'.repeat(100_000)],
  ['webvtt', '<v Mary>Hello <c.red>you</c>', 'Hello you'],
  ['text', 'plain', 'plain'],
];

for (const [codec, given, expected] of CASES) {
  test(`${codec}: ${JSON.stringify(given).slice(0, 80)}`, () =>
    assert.equal(cueText(codec, Buffer.from(given)), expected));
}

test('3GPP timed text has a length and styles around it', () => {
  const text = Buffer.from('Hé\n<x>');
  const packet = Buffer.concat([
    Buffer.from([0, text.length]),
    text,
    Buffer.from([0, 0, 0, 8, 0x73, 0x74, 0x79, 0x6c]),
  ]);
  assert.equal(cueText('mov_text', packet), 'Hé');
  assert.equal(cueText('mov_text', Buffer.from([0, 0])), '');
  assert.equal(cueText('mov_text', Buffer.from([9])), '');
});

test('WebVTT in MP4 is read from its boxes', () => {
  const payload = Buffer.from('Hello');
  const box = (type: string, body: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(8 + body.length);
    return Buffer.concat([size, Buffer.from(type), body]);
  };
  assert.equal(
    cueText('webvtt', box('vttc', Buffer.concat([box('iden', Buffer.from('7')), box('payl', payload)]))),
    'Hello',
  );
  assert.equal(cueText('webvtt', box('vtte', Buffer.alloc(0))), '');
});

test('whatever comes in, what goes out is a cue and no more', () => {
  const codec = fc.constantFrom('subrip', 'ass', 'mov_text', 'webvtt', 'text');
  fc.assert(
    fc.property(codec, fc.stringMatching(/^[<>/&;biux{}\\N ,\n0]{0,60}$/), (name, text) => {
      const out = cueText(name, Buffer.from(text));
      assert.doesNotMatch(out, /\n\s*\n|-->/);
      assert.doesNotMatch(out.replaceAll(/<\/?[biu]>/g, ''), /[<>]/);
    }),
    { numRuns: 3000 },
  );
});
