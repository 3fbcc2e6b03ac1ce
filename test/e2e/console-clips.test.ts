/** Clips in Chromium against the real server: marked by the picture, previewed, made, downloaded; the file has what was marked, to the picture. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ClipJson } from '../../src/api/rest/clip-shapes.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { judgePictures } from '../fixtures/clip-source.ts';
import { eventually as eventuallyWithin } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { repositoryRoot } from '../fixtures/source-files.ts';
import { TimedPictures } from '../fixtures/timed-pictures.ts';
import { ConsoleCamera } from './console-page.ts';

const DESK = { viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB' } as const;
const PHONE = { ...DESK, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
/** Waits for what must come soon. */
const eventually = <T>(what: string, look: () => Promise<T | undefined>): Promise<T> =>
  eventuallyWithin(what, look, { timeoutMs: 15_000 });

const ENCODER_SIZE = [640, 360] as const;

describe('clips in the console', () => {
  let server: TestServer;
  let browser: Browser;
  let encoder: ChildProcess | undefined;
  let cameraId = '';
  let pushedId = '';
  let frameTimes: readonly number[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'zoetrope-console-clips-'));

  const clips = async (): Promise<readonly ClipJson[]> => {
    const answer = await server.api.get('/v1/clips');
    return (JSON.parse(answer.bytes.toString()) as { readonly items: readonly ClipJson[] }).items;
  };
  const withPage = async (
    options: BrowserContextOptions,
    use: (page: Page, camera: ConsoleCamera) => Promise<void>,
  ): Promise<void> => {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('response', (response) => {
        if (response.status() >= 500) faults.push(`${response.status()} ${response.url()}`);
      });
      page.setDefaultTimeout(15_000);
      await use(page, new ConsoleCamera(page));
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  };
  /** Presses a key and answers which picture was on screen before and after: it is held. */
  const markedAt = async (page: Page, camera: ConsoleCamera, key: string): Promise<number> => {
    await camera.hold();
    const { codeMs } = await eventually('the picture stands', async () => {
      const shown = await camera.shown();
      return shown.codeMs !== null && !shown.seeking && Math.abs(shown.codeMs - (shown.frameMs ?? 0)) <= 1
        ? shown
        : undefined;
    });
    await page.keyboard.press(key);
    return codeMs ?? Number.NaN;
  };
  /** Downloads by the button of that name, and reads the times in the pictures. */
  const download = async (page: Page, width: number, height: number): Promise<readonly (number | null)[]> => {
    const waiting = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    const path = join(directory, `${Date.now()}.mp4`);
    await (await waiting).saveAs(path);
    return judgePictures(path, width, height).map(({ clockMs }) => clockMs);
  };

  before(async () => {
    server = await TestServer.start({ env: { ZOETROPE_FRAMES_PER_SEGMENT: '5' } });
    const made = await server.api.postJson('/v1/streams', { name: 'studio', kind: 'push' });
    pushedId = (JSON.parse(made.bytes.toString()) as { readonly id: string }).id;
    const args = ['bin/zoetrope.js', 'simulate', 'encoder', '--url', server.url, '--stream', pushedId];
    encoder = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: 'ignore' });
    using pictures = new TimedPictures();
    const firstMs = Date.now() - 90_000;
    frameTimes = Array.from({ length: 60 }, (_, index) => firstMs + index * 1000 + ([0, 137, -61][index % 3] ?? 0));
    for (const atMs of frameTimes) {
      const answer = await server.api.postFrame('gate', atMs, pictures.at(atMs));
      cameraId = (JSON.parse(answer.bytes.toString()) as { readonly streamId: string }).streamId;
    }
    await eventually('the encoder’s first segment is there', async () =>
      (await server.api.request(`/play/streams/${pushedId}/dvr.m3u8`)).status === 200 ? true : undefined,
    );
    browser = await launchBrowser();
  });

  after(async () => {
    if (encoder !== undefined && encoder.exitCode === null) {
      encoder.kill('SIGINT');
      await once(encoder, 'exit');
    }
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test('of a pushed stream: I and O mark pictures, the preview loops over them, and the file begins and ends with them', async () => {
    await withPage(DESK, async (page, camera) => {
      await camera.open(`${server.url}/streams/${pushedId}`);
      const first = await markedAt(page, camera, 'i');
      await page.keyboard.press('Space');
      await eventually('it has played on', async () =>
        ((await camera.shown()).codeMs ?? 0) > first + 2500 ? true : undefined,
      );
      const last = await markedAt(page, camera, 'o');
      const selection = page.getByRole('group', { name: 'Selection' });
      await selection.getByRole('button', { name: 'Preview' }).click();
      const seen: number[] = [];
      await eventually('it has begun anew', async () => {
        const { codeMs } = await camera.shown();
        if (codeMs !== null) seen.push(codeMs);
        return seen.some((codeMs, index) => codeMs < (seen[index - 1] ?? 0)) ? true : undefined;
      });
      assert.ok(Math.min(...seen.slice(1)) >= first, `${Math.min(...seen.slice(1))} is before ${first}`);
      await selection.getByRole('button', { name: 'Stop' }).click();
      await page.keyboard.press('c');
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Name' }).fill('Interview');
      await page.keyboard.press('Enter');
      await dialog.getByText(/^Ready: /).waitFor();
      const times = await download(page, ...ENCODER_SIZE);
      assert.deepEqual([times[0], times.at(-1)], [first, last]);
      assert.equal(times.length, Math.round((last - first) / 40) + 1);
      const [made] = await clips();
      assert.deepEqual([made?.name, made?.mode, made?.hasSound], ['Interview', 'exact', true]);
    });
  });

  test('of a camera: handles snap to pictures, and the clip is listed, played, shared and deleted', async () => {
    await withPage(DESK, async (page, camera) => {
      const at = (index: number): number => frameTimes[index] ?? Number.NaN;
      const iso = (ms: number): string => new Date(ms).toISOString();
      // A selection that begins and ends within pictures: its handles are then dragged.
      await page.goto(`${server.url}/streams/${cameraId}?from=${iso(at(10) + 300)}&to=${iso(at(30) + 300)}`);
      await camera.showsFrame(at(10));
      const box = await camera.slider.boundingBox();
      assert.ok(box !== null);
      const range = async (): Promise<readonly number[]> => {
        const query = new URL(page.url()).searchParams;
        return ['from', 'to'].map((name) => Date.parse(query.get(name) ?? ''));
      };
      const [fromMs = 0, toMs = 0] = await range();
      // The view is fitted to the selection with a twentieth of air at each side.
      const span = (toMs - fromMs) * 1.1;
      const xOf = (ms: number): number => box.x + ((ms - fromMs + span / 22) / span) * box.width;
      const drag = async (from: number, to: number): Promise<void> => {
        await page.mouse.move(xOf(from), box.y + 70);
        await page.mouse.down();
        await page.mouse.move(xOf(to), box.y + 70, { steps: 4 });
        await page.mouse.up();
      };
      await drag(fromMs, at(12) + 400);
      await camera.showsFrame(at(12));
      await drag(toMs, at(23) + 400);
      await camera.showsFrame(at(23));
      const [snappedFrom, snappedTo = 0] = await eventually('both ends stand at pictures', async () => {
        const now = await range();
        return now[0] === at(12) ? now : undefined;
      });
      assert.equal(snappedFrom, at(12));
      assert.ok(at(24) - snappedTo >= 0 && at(24) - snappedTo <= 2, `${snappedTo} is not the end of the picture`);
      await page.getByRole('group', { name: 'Selection' }).getByRole('button', { name: 'Clip' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Name' }).fill('Delivery');
      await dialog.getByRole('button', { name: '2×' }).click();
      await dialog.getByRole('button', { name: '7 days' }).click();
      await dialog.getByRole('button', { name: 'Make the clip' }).click();
      await dialog.getByText(/^Ready: /).waitFor();
      assert.deepEqual(await download(page, 320, 240), frameTimes.slice(12, 24));
      await dialog.getByRole('link', { name: 'Its page' }).click();
      await page.getByRole('heading', { name: 'Delivery' }).waitFor();
      await eventually('the clip is on screen', async () =>
        ((await camera.shown()).codeMs ?? 0) === at(12) ? true : undefined,
      );
      await page.getByRole('link', { name: 'Back to the clips' }).click();
      const row = page.locator('.kept-row', { hasText: 'Delivery' });
      await row.getByText('2× as fast').waitFor();
      await row.getByText(/expires in [67] d/).waitFor();
      await row.getByRole('button', { name: 'Share Delivery' }).click();
      await page.getByRole('status').filter({ hasText: 'until' }).waitFor();
      const link = await page.getByRole('textbox', { name: 'MP4 address' }).inputValue();
      assert.match(link, /\/v1\/clips\/clp_[^/]+\/file\?token=/);
      assert.equal((await fetch(link)).headers.get('content-type'), 'video/mp4');
      await page.getByRole('button', { name: 'Done' }).click();
      await row.getByRole('button', { name: 'Delete Delivery' }).click();
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await row.waitFor({ state: 'detached' });
      assert.ok((await clips()).every(({ name }) => name !== 'Delivery'));
    });
  });

  test('of a recording: within it, from its page; on a phone', async () => {
    const at = (index: number): string => new Date(frameTimes[index] ?? 0).toISOString();
    const started = await server.api.postJson(`/v1/streams/${cameraId}/recordings`, {
      title: 'Morning',
      from: at(20),
    });
    const recording = (JSON.parse(started.bytes.toString()) as { readonly id: string }).id;
    await server.api.postJson(`/v1/recordings/${recording}/stop`, { at: at(40) });
    await withPage(PHONE, async (page, camera) => {
      await camera.open(`${server.url}/recordings/${recording}?t=${at(24)}`);
      await camera.showsFrame(frameTimes[24] ?? 0);
      await page.getByRole('button', { name: 'In', exact: true }).tap();
      await page.getByRole('button', { name: 'Next frame' }).tap();
      await page.getByRole('button', { name: 'Next frame' }).tap();
      await camera.showsFrame(frameTimes[26] ?? 0);
      await page.getByRole('button', { name: 'Out', exact: true }).tap();
      await camera.fitsWidth();
      await page.getByRole('button', { name: 'Clip', exact: true }).tap();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Make the clip' }).tap();
      await dialog.getByText(/^Ready: /).waitFor();
      await camera.fitsWidth();
      assert.deepEqual(await download(page, 320, 240), frameTimes.slice(24, 27));
      assert.equal((await clips())[0]?.holdId, recording);
      await dialog.getByRole('link', { name: 'Its page' }).tap();
      await page.getByRole('link', { name: 'a recording' }).waitFor();
      await camera.fitsWidth();
    });
  });
});
