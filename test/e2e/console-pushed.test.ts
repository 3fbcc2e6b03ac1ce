/** The console in Chromium on a stream that an encoder pushes to the real server. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../fixtures/browser.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { repositoryRoot } from '../fixtures/source-files.ts';
import { ConsoleCamera, type Shown } from './console-page.ts';

/** At 25 pictures a second. */
const FRAME_MS = 40;
const SOUND = "document.querySelector('video').webkitAudioDecodedByteCount";

describe('console on a pushed stream', () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let camera: ConsoleCamera;
  let encoder: ChildProcess | undefined;
  let streamId = '';
  const faults: string[] = [];

  before(async () => {
    server = await TestServer.start({
      env: {
        ZOETROPE_OFFLINE_AFTER_SECONDS: '4',
        ZOETROPE_RECONNECT_WINDOW_SECONDS: '6',
        ZOETROPE_OFFLINE_CHECK_INTERVAL_SECONDS: '1',
      },
    });
    const made = await server.api.postJson('/v1/streams', { name: 'studio', kind: 'push' });
    streamId = (JSON.parse(made.bytes.toString()) as { readonly id: string }).id;
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB' });
    page.on('pageerror', (error) => faults.push(error.message));
    page.setDefaultTimeout(20_000);
    camera = new ConsoleCamera(page);
  });
  after(async () => {
    await stopEncoder();
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  function startEncoder(...more: readonly string[]): void {
    const args = ['bin/zoetrope.js', 'simulate', 'encoder', '--url', server.url, '--stream', streamId, ...more];
    encoder = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: 'ignore' });
  }

  async function stopEncoder(): Promise<void> {
    const child = encoder;
    encoder = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGINT');
    await once(child, 'exit');
  }

  /** Waits until the picture moves on, and answers what is shown then: what it says must be what the picture carries. */
  async function movesOn(afterMs: number): Promise<Shown> {
    const shown = await eventually(
      `pictures after ${new Date(afterMs).toISOString()} are shown`,
      async () => {
        const now = await camera.shown();
        return now.codeMs !== null && now.frameMs !== null && now.codeMs > afterMs ? now : undefined;
      },
      { timeoutMs: 40_000, describe: () => faults.join('\n') },
    );
    const apart = Math.abs((shown.frameMs ?? 0) - (shown.codeMs ?? 0));
    assert.ok(apart <= 2 * FRAME_MS, `the readout and the picture are ${apart} ms apart`);
    return shown;
  }

  test('it plays live with sound when that is asked for, over restarts, to the end, and goes on when the encoder comes back', async () => {
    startEncoder('--restart-every', '14');
    await camera.open(`${server.url}/streams/${streamId}`);
    const first = await movesOn(0);
    const on = page.getByRole('button', { name: 'Sound on' });
    await on.waitFor();
    await on.click();
    await page.getByRole('button', { name: 'Sound off' }).waitFor();
    const heard = Number(await page.evaluate(SOUND));
    const later = await movesOn((first.codeMs ?? 0) + 20_000);
    assert.ok(Number(await page.evaluate(SOUND)) > heard + 100_000, 'the sound goes on over the restart');
    assert.ok(Date.now() - (later.codeMs ?? 0) < 15_000, 'it is live');
    if (process.env['SCREENSHOT'] !== undefined) await page.screenshot({ path: process.env['SCREENSHOT'] });
    await page.keyboard.press('s');
    await page.getByRole('button', { name: 'Sound on' }).waitFor();
    await stopEncoder();
    await eventually(
      'the pictures are played out',
      async () => ((await page.evaluate("document.querySelector('video').ended")) === true ? true : undefined),
      { timeoutMs: 40_000 },
    );
    const end = await camera.shown();
    startEncoder();
    await movesOn((end.codeMs ?? 0) + 3000);
    assert.deepEqual(faults, []);
  });

  test('stepping goes from picture to picture', async () => {
    await camera.hold();
    const held = await camera.shown();
    await page.keyboard.press('ArrowLeft');
    const before = await eventually(
      'the picture before is shown',
      async () => {
        const now = await camera.shown();
        return now.frameMs !== held.frameMs && !now.seeking ? now : undefined;
      },
      { timeoutMs: 10_000 },
    );
    assert.ok(Math.abs((held.frameMs ?? 0) - (before.frameMs ?? 0) - FRAME_MS) <= 2);
  });
});
