import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineStats } from '../engine/engine.ts';
import { engineCheck } from './health-checks.ts';

const stats: EngineStats = { processes: 2, ready: 2, queued: 3, running: 2, stalled: 0, restarts: 0, pids: [] };

function check(change: Partial<EngineStats>): Promise<string> {
  return engineCheck({ stats: () => ({ ...stats, ...change }) }).run(new AbortController().signal);
}

test('the engine is ready as long as one process moves', async () => {
  assert.match(await check({}), /2 of 2 processes are ready; 3 tasks wait/);
  assert.match(await check({ stalled: 1 }), /ready/);
  await assert.rejects(check({ stalled: 2 }), /All 2 engine processes stand still; 3 tasks wait/);
  await assert.rejects(check({ ready: 0 }), /None of 2/);
});
