import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock, type Clock } from './clock.ts';
import { ZoetropeError } from './errors.ts';
import { FakeClock } from './fake-clock.ts';

const clocks: readonly (readonly [string, Clock])[] = [
  ['the machine’s own clock', systemClock],
  ['the clock of tests', new FakeClock()],
];

for (const [name, clock] of clocks) {
  describe(name, () => {
    const reason = new ZoetropeError('cancelled', 'The server is ending.');

    test('a wait that is called off throws the signal’s own reason', async () => {
      const called = new AbortController();
      const waiting = clock.wait(60_000, called.signal);
      called.abort(reason);
      await assert.rejects(waiting, (error) => error === reason);
    });

    test('a wait that was called off before it began does too', async () => {
      await assert.rejects(clock.wait(60_000, AbortSignal.abort(reason)), (error) => error === reason);
    });
  });
}
