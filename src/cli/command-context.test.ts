import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { interruptible, interruption } from './command-context.ts';

describe('interruptible', () => {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    it(`aborts its work with "cancelled" on ${name}, and lets go of the signal afterwards`, async () => {
      const listeners = process.listenerCount(name);
      const work = interruptible(async (signal) => {
        process.kill(process.pid, name);
        await once(signal, 'abort');
        signal.throwIfAborted();
      });
      await assert.rejects(work, { code: 'cancelled', message: new RegExp(`Stopped by ${name}`) });
      assert.equal(process.listenerCount(name), listeners);
    });
  }

  it('passes the result of its work on', async () => {
    assert.equal(await interruptible(async () => 7), 7);
  });
});

it('an interruption resolves once the signal aborts', async () => {
  const controller = new AbortController();
  const waiting = interruption(controller.signal);
  controller.abort();
  await waiting;
  await interruption(controller.signal);
});

describe('createLogger', () => {
  function logged(format: string, level: string): string {
    const code = `
      import { createLogger } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
      const logger = createLogger({ level: '${level}', format: '${format}', to: 'stdout' }).child({ component: 'test' });
      logger.debug({}, 'too much');
      logger.info({ port: 8080, path: 'a b', ids: [1] }, 'started');`;
    return execFileSync(process.execPath, ['--input-type=module', '--eval', code]).toString();
  }

  it('writes JSON lines', () => {
    const { level, msg, component, port } = JSON.parse(logged('json', 'info')) as Record<string, unknown>;
    assert.deepEqual({ level, msg, component, port }, { level: 30, msg: 'started', component: 'test', port: 8080 });
  });

  it('writes text lines', () => {
    assert.match(
      logged('text', 'info'),
      /^\d{4}-\S+Z info {2}started component=test port=8080 path="a b" ids=\[1\]\n$/,
    );
  });

  it('writes nothing below its level', () => {
    assert.equal(logged('text', 'error'), '');
  });
});
