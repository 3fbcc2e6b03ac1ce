/** Sources and edges in Chromium against the real server: one is added and pushed to, its facts are shown, it is ended; edges speak over their protocol. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { StreamJson } from '../../src/api/rest/shapes.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { EdgeClient } from '../fixtures/edge-client.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { repositoryRoot } from '../fixtures/source-files.ts';
import { ConsoleCamera } from './console-page.ts';

const DESK = { viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB' } as const;
const PHONE = { ...DESK, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

describe('sources and edges in the console', () => {
  let server: TestServer;
  let browser: Browser;
  let encoder: ChildProcess | undefined;

  const streams = async (): Promise<readonly StreamJson[]> => {
    const answer = await server.api.get('/v1/streams');
    return (JSON.parse(answer.bytes.toString()) as { readonly items: readonly StreamJson[] }).items;
  };
  const withPage = async (options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> => {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.setDefaultTimeout(15_000);
      await use(page);
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  };
  const stopEncoder = async (): Promise<void> => {
    const child = encoder;
    encoder = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGINT');
    await once(child, 'exit');
  };

  before(async () => {
    server = await TestServer.start({
      env: { ZOETROPE_OFFLINE_AFTER_SECONDS: '3', ZOETROPE_OFFLINE_CHECK_INTERVAL_SECONDS: '1' },
    });
    browser = await launchBrowser();
  });

  after(async () => {
    await stopEncoder();
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test('a source is added by name, its dialog says how to push and when it has come; then its facts are there, and it is ended', async () => {
    await withPage(DESK, async (page) => {
      await page.goto(server.url);
      await page.getByRole('button', { name: 'Add a source' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Name' }).fill('Roof tower');
      await page.keyboard.press('Enter');
      const address = await dialog.getByRole('textbox', { name: 'Push address' }).inputValue();
      const [made] = await streams();
      assert.deepEqual([made?.name, made?.kind], ['Roof tower', 'push']);
      assert.equal(address, `${server.url}/ingest/hls/${made?.id}/live.m3u8`);
      const command = (await dialog.locator('pre').first().textContent()) ?? '';
      assert.ok(command.startsWith('ffmpeg ') && command.endsWith(`-method PUT ${address}`), command);
      await dialog.getByText('Waits for the first segment').waitFor();
      const args = ['bin/zoetrope.js', 'simulate', 'encoder', '--url', server.url, '--stream', made?.id ?? ''];
      encoder = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: 'ignore' });
      await dialog.getByText(/^It is here: H\.264, AAC · 640×360 · 25 fps/).waitFor();
      await dialog.getByRole('link', { name: 'Open it' }).click();
      const camera = new ConsoleCamera(page);
      await eventually('it plays', async () => ((await camera.shown()).codeMs === null ? undefined : true), {
        timeoutMs: 15_000,
      });
      await page.getByText(/^Live · H\.264, AAC · 640×360 · 25 fps · \d+ kbit\/s/).waitFor();
      await page.getByRole('button', { name: 'Source', exact: true }).click();
      const fact = (name: string): Promise<string> =>
        page.locator('.source-panel .facts > div', { hasText: name }).locator('dd').innerText();
      assert.deepEqual(
        [await fact('Picture'), await fact('Sound'), await fact('Sent as'), await fact('Clock')],
        ['H.264, 640×360, 25 fps', 'AAC', 'MPEG-TS', 'the encoder’s own'],
      );
      assert.match(await fact('Drift'), /^in step/);
      await stopEncoder();
      await page
        .locator('.source-panel')
        .getByText(/^\s*Away, ends in \d:\d\d$/)
        .waitFor();
      // What cannot be taken is counted, with its cause.
      const refused = await server.api.request(`/ingest/hls/${made?.id}/x.ts`, { method: 'PUT', body: 'no media' });
      assert.equal(refused.status, 415);
      await page.getByRole('button', { name: 'End this stream' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
      await page.locator('.source-panel').getByText('Ended', { exact: true }).waitFor();
      assert.notEqual((await streams())[0]?.endedAt, null);
    });
  });

  test('the table of sources sorts by what is asked for, and fits a phone', async () => {
    for (const name of ['Attic', 'Zoo']) await server.api.postJson('/v1/streams', { name, kind: 'push' });
    await withPage(DESK, async (page) => {
      await page.goto(server.url);
      await page.getByRole('button', { name: 'A table' }).click();
      const names = (): Promise<readonly string[]> => page.locator('.sources tbody th').allInnerTexts();
      await page.locator('.sources tbody th').nth(2).waitFor();
      assert.deepEqual(await names(), ['Attic', 'Roof tower', 'Zoo']);
      await page.getByRole('button', { name: 'Bit rate' }).click();
      assert.deepEqual(await names(), ['Roof tower', 'Attic', 'Zoo']);
      await page.getByRole('button', { name: 'Name' }).click();
      await page.getByRole('button', { name: 'Name' }).click();
      assert.deepEqual(await names(), ['Zoo', 'Roof tower', 'Attic']);
    });
    await withPage(PHONE, async (page) => {
      await page.goto(server.url);
      await page.getByRole('button', { name: 'A table' }).tap();
      await page.locator('.sources tbody th').nth(2).waitFor();
      await new ConsoleCamera(page).fitsWidth();
    });
  });

  test('edges: how to make one; then its link, clock, disk, backlog and streams; away, and forgotten', async () => {
    await withPage(DESK, async (page) => {
      await page.goto(`${server.url}/edges`);
      const command = page.locator('pre', { hasText: `--control ${server.url}` });
      await command.waitFor();
      const edge = new EdgeClient(server.api);
      await edge.register('North site');
      const streamId = (await streams())[0]?.id.replace(/.$/, 'x') ?? '';
      await edge.putStream(streamId, { name: 'Pump house' });
      const status = {
        uptimeS: 93_600,
        freeBytes: 3e9,
        storedBytes: 1e9,
        backlogRows: 2,
        backlogSegments: 12,
        backlogBytes: 30e6,
        clockOffsetMs: 2400,
        roundTripMs: 9,
      };
      let sentBytes = 1e6;
      await edge.sync({ status: { ...status, sentBytes } });
      const card = page.getByRole('list', { name: 'Edges' }).locator('.edge', { hasText: 'North site' });
      await card.getByText(/^Connected for/).waitFor();
      const fact = (name: string): Promise<string> =>
        card.locator('.facts > div', { hasText: name }).locator('dd').innerText();
      await card.getByText('1.00 GB of segments, 3.00 GB free').waitFor();
      assert.deepEqual([await fact('Round trip'), await fact('Runs for')], ['18 ms', '1 d 2 h']);
      assert.match(await fact('Clock'), /^2\.4 s behind: its pictures stand 2\.4 s too early/);
      assert.match(await fact('To come'), /^2 rows of timelines, 12 segments, 30\.0 MB/);
      // It says that it has sent more: then how long the rest takes can be told.
      await eventually(
        'the rest has a time',
        async () => {
          sentBytes += 1e6;
          await edge.sync({ status: { ...status, sentBytes } });
          return /left at/.test(await fact('To come')) ? true : undefined;
        },
        { timeoutMs: 20_000, everyMs: 1000 },
      );
      await card.getByRole('link', { name: 'Pump house' }).click();
      await page.getByText(/at North site/).waitFor();
      await page.goto(server.url);
      await page.locator('.tile-edge', { hasText: 'North site' }).waitFor();
      await edge.breakOff();
      await page.getByRole('link', { name: 'Edges' }).click();
      await card.getByText(/^Away for/).waitFor();
      await card.getByRole('button', { name: 'Forget North site' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await command.waitFor();
    });
    await withPage(PHONE, async (page) => {
      await page.goto(`${server.url}/edges`);
      await page.getByRole('heading', { name: 'No edges yet' }).waitFor();
      await new ConsoleCamera(page).fitsWidth();
    });
  });
});
