import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Frame } from 'node-av/lib';
import fc from 'fast-check';
import { Watermark } from './watermark.ts';

test('a mark lies within the picture and keeps its shape, whatever is asked for', () => {
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  const side = fc.integer({ min: 16, max: 4096 });
  const position = fc.constantFrom('top-left', 'top-right', 'bottom-left', 'bottom-right', 'center');
  fc.assert(
    fc.property(
      part,
      part,
      position,
      side,
      side,
      side,
      side,
      (size, margin, place, width, height, markWidth, markHeight) => {
        const frame = new Frame();
        frame.alloc();
        frame.width = markWidth;
        frame.height = markHeight;
        const request = { objectKey: 'mark', position: place, size, opacity: 1, margin: margin / 2 } as const;
        using mark = new Watermark(request, frame);
        const at = mark.placeOn({ width, height });
        assert.ok(at.x >= 0 && at.y >= 0 && at.width >= 1 && at.height >= 1, JSON.stringify(at));
        assert.ok(at.x + at.width <= width && at.y + at.height <= height, JSON.stringify(at));
        const wanted = (at.width * markHeight) / markWidth;
        assert.ok(Math.abs(at.height - wanted) <= Math.max(1, markHeight / markWidth), JSON.stringify({ at, wanted }));
      },
    ),
  );
});
