/** The console's pages for uploaded files, in Chromium against the real server: from the picker to the picture. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../fixtures/browser.ts';
import { eventually } from '../fixtures/processes.ts';
import { problemOf } from '../fixtures/api-client.ts';
import { TestServer } from '../fixtures/server.ts';

const DESK = { viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB' } as const;
const PHONE = { ...DESK, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
const READY_MS = 90_000;
const NO_FILM = 'These are words and no film.\n'.repeat(100);

/** Makes a film with moving pictures and a tone. */
async function makeFilm(path: string, seconds: number, size: string): Promise<void> {
  const picture = `testsrc2=size=${size}:rate=24:duration=${seconds}`;
  const sound = `sine=frequency=440:duration=${seconds}`;
  const inputs = `-v error -y -f lavfi -i ${picture} -f lavfi -i ${sound}`;
  const encoding = '-c:v libx264 -preset ultrafast -g 48 -pix_fmt yuv420p -c:a aac -shortest';
  await promisify(execFile)('ffmpeg', [...inputs.split(' '), ...encoding.split(' '), path]);
}

/** What the player shows at a moment. As text: it runs in the browser. */
const LOOK = `(() => {
  const video = document.querySelector('video');
  return { timeS: video.currentTime, height: video.videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames };
})()`;
interface Look {
  readonly timeS: number;
  readonly height: number;
  readonly frames: number;
}

describe('console, uploaded files', () => {
  let server: TestServer;
  let browser: Browser;
  let directory = '';
  const file = (name: string): string => join(directory, name);

  /** A page whose every error fails the test. */
  const withPage = async (options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> => {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) faults.push(message.text());
      });
      page.setDefaultTimeout(15_000);
      await use(page);
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  };
  const upload = async (page: Page, path: string): Promise<void> => {
    await page.goto(`${server.url}/assets`);
    await page.locator('input[type="file"][multiple]').setInputFiles(path);
  };
  const rowOf = (page: Page, name: string): Locator => page.locator('.job[data-asset]', { hasText: name });
  const look = (page: Page): Promise<Look> => page.evaluate<Look>(LOOK);
  const seen = (page: Page, what: string, isSo: (shown: Look) => boolean): Promise<Look> => {
    let last: Look | undefined;
    return eventually(
      what,
      async () => {
        last = await look(page);
        return isSo(last) ? last : undefined;
      },
      { timeoutMs: 15_000, describe: () => JSON.stringify(last) },
    );
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'zoetrope-console-vod-'));
    await Promise.all([
      makeFilm(file('short.mp4'), 6, '640x360'),
      makeFilm(file('long.mp4'), 120, '1280x720'),
      writeFile(file('notes.mp4'), NO_FILM),
    ]);
    const whole = await readFile(file('short.mp4'));
    await writeFile(file('cut.mp4'), whole.subarray(0, whole.length / 2));
    server = await TestServer.start({ env: { ZOETROPE_GRPC_PORT: '0', ZOETROPE_ALLOWED_NETWORKS: '127.0.0.0/8' } });
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it('takes a file from the picker, tells its progress, and plays it in every quality', async () => {
    await withPage(DESK, async (page) => {
      await page.goto(`${server.url}/assets`);
      await page.getByRole('button', { name: 'Options' }).click();
      await page.getByLabel('Pictures at').fill('0:01, 0:04');
      await page.getByLabel('MP4 to download').check();
      await page.locator('input[type="file"][multiple]').setInputFiles(file('short.mp4'));
      const row = rowOf(page, 'short.mp4');
      await row.waitFor();
      await row.getByRole('button', { name: 'Outputs of short.mp4' }).click();
      await row.locator('.outputs tbody tr', { hasText: '360p' }).waitFor();
      await page.locator('.job[data-state="ready"]', { hasText: 'short.mp4' }).waitFor({ timeout: READY_MS });
      const states = await row.locator('.outputs .state-badge').allTextContents();
      assert.ok(states.length >= 7 && states.every((state) => state === 'Ready'), states.join(', '));

      await row.getByRole('link', { name: 'short.mp4' }).click();
      await page.getByRole('heading', { name: 'short.mp4' }).waitFor();
      await page.locator('.film-poster img').waitFor();
      await page.getByRole('button', { name: 'Play' }).first().click();
      const start = await seen(page, 'it plays', ({ timeS, frames }) => timeS > 0.5 && frames > 5);
      await seen(page, 'it plays on', ({ timeS }) => timeS > start.timeS + 0.5);

      const quality = page.getByRole('button', { name: 'Quality' });
      await quality.click();
      const offered = await page.getByRole('menuitemradio').allTextContents();
      assert.deepEqual(
        offered.map((text) => /^(Automatic|\d+p)/.exec(text)?.[0]),
        ['Automatic', '360p', '240p', '144p'],
      );
      await page.getByRole('menuitemradio', { name: '144p' }).click();
      await page.keyboard.press('0');
      await seen(page, 'the chosen quality is on screen', ({ height }) => height === 144);
      assert.equal(await quality.getAttribute('aria-label'), 'Quality, 144p');
    });
  });

  it('shows under the pointer what a moment holds, and goes there by pointer, key and picture', async () => {
    await withPage(DESK, async (page) => {
      await page.goto(`${server.url}/assets`);
      await rowOf(page, 'short.mp4').getByRole('link', { name: 'short.mp4' }).click();
      const slider = page.getByRole('slider', { name: 'Position' });
      await page.getByRole('button', { name: 'Quality' }).waitFor();
      const box = await slider.boundingBox();
      assert.ok(box !== null);
      await slider.hover({ position: { x: box.width * 0.75, y: 10 } });
      const tile = page.locator('.film-preview [data-tile]');
      await tile.waitFor();
      const tileS = Number(await tile.getAttribute('data-tile'));
      assert.ok(tileS > 2.5 && tileS <= 4.6, `the tile of ${tileS} s under the pointer at 4.5 s`);
      const sheet = /url\("([^"]+)"\)/.exec((await tile.getAttribute('style')) ?? '')?.[1];
      assert.ok(sheet !== undefined);
      assert.equal((await server.api.get(new URL(sheet).pathname)).headers.get('content-type'), 'image/jpeg');

      await slider.click({ position: { x: box.width * 0.5, y: 10 } });
      await seen(page, 'it went to the middle', ({ timeS }) => Math.abs(timeS - 3) < 0.2);
      await slider.press('Home');
      await seen(page, 'it went to the start', ({ timeS }) => timeS < 0.1);
      assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /of 6 seconds/);
      await page.getByRole('button', { name: 'Go to 0:04' }).click();
      await seen(page, 'it went to the picture', ({ timeS }) => timeS >= 4);
    });
  });

  it('hands out links and files', async () => {
    await withPage(DESK, async (page) => {
      await page.goto(`${server.url}/assets`);
      await rowOf(page, 'short.mp4').getByRole('link', { name: 'short.mp4' }).click();
      await page.getByRole('button', { name: 'Share' }).click();
      const link = await page.getByRole('dialog').getByLabel('HLS address', { exact: true }).inputValue();
      assert.match(link, /\/play\/assets\/ast_[^/]+\/master\.m3u8\?token=/);
      assert.match(await server.api.text(`${new URL(link).pathname}${new URL(link).search}`), /#EXT-X-STREAM-INF/);
      await page.getByRole('button', { name: 'Done' }).click();
      const href = await page.getByRole('link', { name: 'Film as MP4' }).getAttribute('href');
      assert.equal(
        (await server.api.get(new URL(href ?? '', server.url).pathname)).headers.get('content-type'),
        'video/mp4',
      );
    });
  });

  it('tells why a file cannot be taken or made, in the server’s words', async () => {
    await withPage(DESK, async (page) => {
      await upload(page, file('notes.mp4'));
      const refused = page.locator('.job[data-upload="refused"]', { hasText: 'notes.mp4' });
      const words = await server.api.request('/v1/uploads/notes.mp4', { method: 'PUT', body: NO_FILM });
      await refused.getByText(problemOf(words).detail).waitFor();
      await refused.getByRole('button', { name: 'Cancel the upload of notes.mp4' }).click();
      await refused.waitFor({ state: 'detached' });

      await upload(page, file('cut.mp4'));
      const row = rowOf(page, 'cut.mp4');
      const failed = page.locator('.job[data-state="failed"]', { hasText: 'cut.mp4' });
      await failed.waitFor({ timeout: READY_MS });
      const { items } = await server.api.json<{
        readonly items: readonly { readonly name: string; readonly cause: { readonly message: string } | null }[];
      }>('/v1/assets?state=failed');
      const message = items.find(({ name }) => name === 'cut.mp4')?.cause?.message ?? '';
      assert.ok(message.length > 10, message);
      await row.getByText(message).waitFor();
      await row.getByRole('button', { name: 'Try cut.mp4 again' }).click();
      await failed.waitFor({ timeout: READY_MS });
    });
  });

  it('stops a job or one output of it, and removes it for all who look', async () => {
    await withPage(DESK, async (page) => {
      await withPage(DESK, async (other) => {
        await other.goto(`${server.url}/assets`);
        await upload(page, file('long.mp4'));
        const row = rowOf(page, 'long.mp4');
        await row.getByRole('button', { name: 'Outputs of long.mp4' }).click();
        await row.getByRole('button', { name: 'Cancel 240p' }).click({ timeout: 60_000 });
        await row.locator('tr[data-state="cancelled"]', { hasText: '240p' }).waitFor();
        assert.notEqual(await row.getAttribute('data-state'), 'cancelled');
        await row.getByRole('button', { name: 'Cancel long.mp4' }).click();
        await page.locator('.job[data-state="cancelled"]', { hasText: 'long.mp4' }).waitFor();
        await other.locator('.job[data-state="cancelled"]', { hasText: 'long.mp4' }).waitFor();
        await row.getByRole('button', { name: 'Delete long.mp4' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
        await row.waitFor({ state: 'detached' });
        await rowOf(other, 'long.mp4').waitFor({ state: 'detached' });
      });
    });
  });

  it('goes on with an upload after the page was loaded anew', async () => {
    await withPage(DESK, async (page) => {
      const slow = await page.context().newCDPSession(page);
      await slow.send('Network.enable');
      await slow.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: 400_000,
      });
      page.on('dialog', (dialog) => void dialog.accept());
      const name = 'long.mp4';
      await upload(page, file(name));
      const sending = page.locator('.job[data-upload="sending"]', { hasText: name });
      await sending.getByText(/[1-9].* of .*\/s/).waitFor();
      await page.getByRole('button', { name: `Pause ${name}` }).click();
      await page.locator('.job[data-upload="paused"]').waitFor();
      await page.reload();
      const unfinished = page.locator('.job[data-upload="unfinished"]', { hasText: name });
      await unfinished.waitFor();
      const chooser = unfinished.getByLabel(`Choose ${name} again`);
      await chooser.setInputFiles(file('short.mp4'));
      await page.getByText('That is another file.').waitFor();
      await slow.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: -1,
      });
      await chooser.setInputFiles(file(name));
      const row = rowOf(page, name);
      await row.waitFor({ timeout: 30_000 });
      await row.getByRole('button', { name: `Delete ${name}` }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await row.waitFor({ state: 'detached' });
    });
  });

  it('tells an endpoint of what happens, and shows how it was taken', async () => {
    const taken: string[] = [];
    const receiver = createServer((request, response) => {
      taken.push(String(request.headers['webhook-id']));
      request.resume().once('end', () => response.writeHead(204).end());
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const address = receiver.address();
    assert.ok(typeof address === 'object' && address !== null);
    const url = `http://127.0.0.1:${address.port}/hooks`;
    try {
      await withPage(DESK, async (page) => {
        await page.goto(`${server.url}/webhooks`);
        await page.getByRole('button', { name: 'Add endpoint' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('Address').fill('http://10.0.0.1/hooks');
        await dialog.getByRole('button', { name: 'Add endpoint' }).click();
        await dialog.getByRole('alert').getByText('10.0.0.1').waitFor();
        await dialog.getByLabel('Address').fill(url);
        await dialog.getByRole('button', { name: 'Add endpoint' }).click();
        assert.match(await page.getByRole('textbox', { name: 'Secret' }).inputValue(), /^whsec_/);
        await page.getByRole('button', { name: 'Done' }).click();
        await page.getByRole('button', { name: 'Test' }).click();
        await page.getByText('The test was taken: 204').waitFor();

        await server.api.request('/v1/uploads/cut.mp4', { method: 'PUT', body: await readFile(file('cut.mp4')) });
        await page.reload();
        const failed = page.locator('.delivery[data-state="delivered"]', { hasText: 'asset.failed' });
        await failed.waitFor({ timeout: 30_000 });
        await failed.getByRole('button', { name: 'Tries of asset.failed' }).click();
        await failed.getByText('"name": "cut.mp4"').waitFor();
        await failed.getByRole('button', { name: 'Send asset.failed again' }).click();
        await failed.getByText('2 tries').waitFor();
        const repeated = taken.filter((id, index) => taken.indexOf(id) !== index);
        assert.equal(repeated.length, 1, taken.join(' '));

        await page.getByRole('switch', { name: `Deliver to ${url}` }).click();
        await page.locator('.endpoint[data-enabled="false"]').waitFor();
        await page.getByRole('button', { name: `Delete ${url}` }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
        await page.getByRole('heading', { name: 'Nobody is told yet' }).waitFor();
      });
    } finally {
      receiver.close();
    }
  });

  it('fits a phone', async () => {
    await withPage(PHONE, async (page) => {
      await page.goto(`${server.url}/assets`);
      await rowOf(page, 'short.mp4').waitFor();
      const fits = async (): Promise<void> => {
        const [content, window] = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
        assert.ok(content !== undefined && window !== undefined && content <= window, `${content} px in ${window} px`);
      };
      await fits();
      await page.getByRole('button', { name: 'Options' }).click();
      await fits();
      await rowOf(page, 'short.mp4').getByRole('link', { name: 'short.mp4' }).last().click();
      await page.getByRole('button', { name: 'Quality' }).waitFor();
      await fits();
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Webhooks' }).click();
      await page.getByRole('heading', { name: 'Webhooks' }).waitFor();
      await fits();
    });
  });
});

describe('console, uploaded files on a server with keys', () => {
  it('takes, shows and plays a file with the tab’s key', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'zoetrope-console-vod-'));
    await using server = await TestServer.start({ env: { ZOETROPE_GRPC_PORT: '0' } });
    const browser = await launchBrowser();
    try {
      await makeFilm(join(directory, 'mine.mp4'), 4, '320x180');
      const options = ['--name', 'console', '--scopes', 'ingest,read,manage', '--tenant', 'acme'];
      const made = await server.command(['keys', 'create', ...options]);
      const key = /zk_\S+/.exec(made.stdout)?.[0] ?? '';
      await eventually(
        'the server asks for a key',
        async () => ((await server.api.request('/v1/assets')).status === 401 ? true : undefined),
        { timeoutMs: 30_000 },
      );
      const page = await browser.newPage({ ...DESK });
      page.setDefaultTimeout(15_000);
      await page.goto(`${server.url}/assets`);
      await page.getByLabel('Key', { exact: true }).fill(key);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.locator('input[type="file"][multiple]').setInputFiles(join(directory, 'mine.mp4'));
      const row = page.locator('.job[data-state="ready"]', { hasText: 'mine.mp4' });
      await row.waitFor({ timeout: READY_MS });
      await row.locator('.job-poster img').waitFor();
      await row.getByRole('link', { name: 'mine.mp4' }).click();
      await page.locator('.gallery img').waitFor();
      await page.getByRole('button', { name: 'Play' }).first().click();
      await eventually('it plays', async () => ((await page.evaluate<Look>(LOOK)).timeS > 0.5 ? true : undefined), {
        timeoutMs: 15_000,
      });
    } finally {
      await browser.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
