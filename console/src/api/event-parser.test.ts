import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { EventParser, type ServerEvent } from './event-parser.ts';

const text = 'id: 7\nevent: marker\ndata: {"a":1}\n\n: comment\r\n\r\ndata: one\rdata:two\r\rdata\n\nevent: x\n\n';
const expected: readonly ServerEvent[] = [
  { type: 'marker', data: '{"a":1}', lastId: '7' },
  { type: 'message', data: 'one\ntwo', lastId: '7' },
  { type: 'message', data: '', lastId: '7' },
];

it('reads the same events however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
      const parser = new EventParser();
      const ends = [...cuts.toSorted((a, b) => a - b), text.length];
      let from = 0;
      const events = ends.flatMap((end) => {
        const piece = text.slice(from, end);
        from = end;
        return parser.push(piece);
      });
      assert.deepEqual(events, expected);
    }),
  );
});
