import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { wallMs } from '../base/time.ts';
import { sessionStep } from './session-rule.ts';

const segment = fc
  .tuple(fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 1, max: 100_000 }))
  .map(([startMs, lengthMs]) => ({ startMs: wallMs(startMs), endMs: wallMs(startMs + lengthMs) }));

test('without an open session one begins', () => {
  fc.assert(
    fc.property(segment, fc.nat(60_000), (appended, offlineAfterMs) => {
      assert.deepEqual(sessionStep(null, appended, offlineAfterMs), { kind: 'begin', endMs: appended.endMs });
    }),
  );
});

test('a session goes on over silence up to the threshold, and not beyond', () => {
  const open = { endMs: wallMs(10_000) };
  const at = (startMs: number): string =>
    sessionStep(open, { startMs: wallMs(startMs), endMs: wallMs(startMs + 1) }, 60_000).kind;
  assert.equal(at(10_000), 'extend');
  assert.equal(at(70_000), 'extend');
  assert.equal(at(70_001), 'replace');
});

test('the end of a session never falls', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), segment, fc.nat(60_000), (endMs, appended, offlineAfterMs) => {
      const step = sessionStep({ endMs: wallMs(endMs) }, appended, offlineAfterMs);
      assert.ok(step.endMs >= appended.endMs);
      if (step.kind === 'extend') assert.ok(step.endMs >= endMs);
    }),
  );
});
