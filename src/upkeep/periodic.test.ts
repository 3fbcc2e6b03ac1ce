import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/logger.ts';
import { Periodic, type PeriodicOptions } from './periodic.ts';

describe('Periodic', () => {
  function make(run: PeriodicOptions['run'], more: Partial<PeriodicOptions> = {}): [Periodic, FakeClock] {
    const clock = new FakeClock();
    return [new Periodic({ name: 'test', intervalMs: 1000, run, clock, logger: silentLogger, ...more }), clock];
  }

  it('runs at once and then at its interval', async () => {
    let runs = 0;
    const [periodic, clock] = make(async () => void runs++);
    await periodic.start();
    await clock.advance(0);
    assert.equal(runs, 1);
    await clock.advance(2999);
    assert.equal(runs, 3);
    await clock.advance(1);
    assert.equal(runs, 4);
    await periodic.close();
    await clock.advance(10_000);
    assert.equal(runs, 4);
  });

  it('never runs twice at once, and starts late runs at once', async () => {
    let running = 0;
    const starts: number[] = [];
    const [periodic, clock] = make(async () => {
      assert.equal(running++, 0);
      starts.push(clock.monotonicMs());
      await clock.wait(starts.length === 1 ? 2500 : 100);
      running--;
    });
    await periodic.start();
    await clock.advance(6000);
    assert.deepEqual(starts, [0, 2500, 3500, 4500, 5500]);
    const closing = periodic.close();
    await clock.advance(1000);
    await closing;
  });

  it('goes on after a failure, which it counts and tells', async () => {
    let runs = 0;
    const outcomes: boolean[] = [];
    const [periodic, clock] = make(
      async () => {
        if (++runs === 1) throw new Error('no such luck');
      },
      { onRun: ({ ok }) => void outcomes.push(ok) },
    );
    await periodic.start();
    await clock.advance(0);
    assert.deepEqual(periodic.stats(), { runs: 1, failures: 1, lastError: 'no such luck' });
    await clock.advance(1000);
    assert.deepEqual(periodic.stats(), { runs: 2, failures: 1, lastError: null });
    assert.deepEqual(outcomes, [false, true]);
    await periodic.close();
  });

  it('aborts a run under way when it is closed, and waits for its end', async () => {
    let ended = false;
    const [periodic, clock] = make(async (signal) => {
      try {
        await clock.wait(60_000, signal);
      } finally {
        ended = true;
      }
    });
    await periodic.start();
    await clock.advance(0);
    await periodic.close();
    assert.equal(ended, true);
    assert.equal(periodic.stats().failures, 0);
    await periodic.close();
  });

  it('may be closed before it was started', async () => {
    const [periodic] = make(async () => undefined);
    await periodic.close();
  });
});
