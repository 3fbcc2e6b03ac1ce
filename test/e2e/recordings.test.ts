/** Recording in Chromium against the real server: record, stop, replay, and what is done with it afterwards. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { RecordingJson } from '../../src/api/rest/recording-shapes.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { TimedPictures } from '../fixtures/timed-pictures.ts';
import { ConsoleCamera } from './console-page.ts';

const DESK = { viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB' } as const;
const PHONE = { ...DESK, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;

describe('recordings in the console', () => {
  let server: TestServer;
  let browser: Browser;
  let streamId = '';
  const feeding = new AbortController();
  let fed: Promise<void> = Promise.resolve();

  const recordings = async (): Promise<readonly RecordingJson[]> => {
    const answer = await server.api.get('/v1/recordings');
    return (JSON.parse(answer.bytes.toString()) as { readonly items: readonly RecordingJson[] }).items;
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
      page.setDefaultTimeout(10_000);
      await use(page, new ConsoleCamera(page));
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  };
  const segmentsOf = async (count: number): Promise<void> => {
    await eventually(
      `the newest recording has ${count} segments`,
      async () => ((await recordings())[0]?.segmentCount ?? 0) >= count || undefined,
      { timeoutMs: 20_000 },
    );
  };

  before(async () => {
    server = await TestServer.start({ env: { ZOETROPE_FRAMES_PER_SEGMENT: '2' } });
    using pictures = new TimedPictures();
    const post = async (from: TimedPictures, atMs: number): Promise<void> => {
      const answer = await server.api.postFrame('gate', atMs, from.at(atMs));
      streamId = (JSON.parse(answer.bytes.toString()) as { readonly streamId: string }).streamId;
    };
    const nowMs = Date.now();
    for (let back = 120; back > 0; back--) await post(pictures, nowMs - back * 1000);
    fed = (async () => {
      using live = new TimedPictures();
      while (!feeding.signal.aborted) {
        await post(live, Date.now());
        await delay(500);
      }
    })();
    browser = await launchBrowser();
  });

  after(async () => {
    feeding.abort();
    await fed;
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  it('records from now by a key, shows it running, stops it, and replays it from its first picture', async () => {
    await withPage(DESK, async (page, camera) => {
      await camera.open(`${server.url}/streams/${streamId}`);
      await page.keyboard.press('r');
      const stop = page.getByRole('button', { name: /^Stop the recording, running for 0:0\d/ });
      await stop.waitFor();
      await page.locator('[data-recording][data-running="true"]').waitFor({ state: 'attached' });
      await segmentsOf(3);
      await page.keyboard.press('r');
      await page.getByRole('button', { name: 'Record', exact: true }).waitFor();
      const [made] = await recordings();
      assert.ok(made !== undefined && made.state === 'stopped' && made.gapCount === 0);
      assert.ok(made.title.startsWith('gate, '), made.title);
      await page.locator(`[data-recording="${made.id}"][data-running="false"]`).waitFor({ state: 'attached' });
      await page.locator('.toast').getByRole('button', { name: 'Open' }).click();
      await page.getByRole('heading', { name: made.title }).waitFor();
      const fromMs = Date.parse(made.from);
      const first = await eventually(
        'the first picture of the recording is on screen',
        async () => {
          const shown = await camera.shown();
          return shown.codeMs !== null && shown.codeMs === shown.frameMs ? shown : undefined;
        },
        { timeoutMs: 10_000 },
      );
      assert.ok(Math.abs((first.codeMs ?? 0) - fromMs) < 3000, `${first.codeMs} is not near ${fromMs}`);
      await eventually(
        'it plays to its end and holds there',
        async () => {
          const { codeMs, paused } = await camera.shown();
          return paused && codeMs !== null && Math.abs(codeMs - Date.parse(made.to ?? '')) < 3000 ? true : undefined;
        },
        { timeoutMs: 30_000 },
      );
    });
  });

  it('records from some time ago by its menu, and is played from the start while it runs', async () => {
    await withPage(DESK, async (page, camera) => {
      await camera.open(`${server.url}/streams/${streamId}`);
      const more = page.getByRole('button', { name: 'Record from a time, and running recordings' });
      await more.press('Enter');
      await page.getByRole('menuitem', { name: 'From now' }).press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: /^Stop the recording, running for 1:0\d/ }).waitFor();
      const [made] = await recordings();
      assert.ok(made !== undefined && made.coveredSeconds > 55, JSON.stringify(made));
      const opened = await camera.open(`${server.url}/recordings/${made.id}`);
      assert.ok(Math.abs((opened.codeMs ?? 0) - Date.parse(made.from)) < 4000, String(opened.codeMs));
      const before = (await recordings())[0]?.segmentCount ?? 0;
      await segmentsOf(before + 3);
      // To its end, which was not there when it was opened.
      await page.keyboard.press('End');
      await eventually(
        'what was recorded meanwhile is on screen',
        async () => ((await camera.shown()).codeMs ?? 0) > Date.parse(made.createdAt) || undefined,
        { timeoutMs: 15_000 },
      );
      await page.getByRole('button', { name: `Stop ${made.title}` }).click();
      await page.getByRole('button', { name: `Stop ${made.title}` }).waitFor({ state: 'detached' });
      assert.equal((await recordings())[0]?.state, 'stopped');
    });
  });

  it('plays one on by itself that is too long for one playlist', async () => {
    using pictures = new TimedPictures();
    const hour = 3_600_000;
    const startMs = Date.now() - 14 * hour;
    // Eight pictures at its beginning and eight at its end: what lies between is a gap, and longer than a playlist reaches.
    const times = [0, 13.5 * hour].flatMap((from) =>
      Array.from({ length: 8 }, (_, index) => startMs + from + index * 250),
    );
    let longId = '';
    for (const atMs of times) {
      const answer = await server.api.postFrame('long', atMs, pictures.at(atMs));
      longId = (JSON.parse(answer.bytes.toString()) as { readonly streamId: string }).streamId;
    }
    const iso = (atMs: number): string => new Date(atMs).toISOString();
    const started = await server.api.postJson(`/v1/streams/${longId}/recordings`, { from: iso(startMs) });
    const { id } = JSON.parse(started.bytes.toString()) as RecordingJson;
    await server.api.postJson(`/v1/recordings/${id}/stop`, { at: iso((times.at(-1) ?? 0) + 100) });
    await withPage(DESK, async (_page, camera) => {
      const opened = await camera.open(`${server.url}/recordings/${id}`);
      assert.ok((opened.codeMs ?? 0) < startMs + hour);
      await eventually(
        'it has played on beyond the first window',
        async () => ((await camera.shown()).codeMs ?? 0) >= (times[8] ?? 0) || undefined,
        { timeoutMs: 20_000 },
      );
    });
    await server.api.request(`/v1/recordings/${id}`, { method: 'DELETE' });
  });

  it('lists recordings, renames, shares and deletes them, and says when there are none', async () => {
    await withPage(DESK, async (page) => {
      await page.goto(server.url);
      await page.getByRole('link', { name: 'Recordings' }).click();
      const rows = page.locator('.kept-row');
      await rows.first().locator('img').waitFor();
      const [newest] = await recordings();
      assert.ok(newest !== undefined);
      await page.getByRole('button', { name: `Rename ${newest.title}` }).click();
      await page.getByRole('textbox', { name: 'Title' }).fill('Delivery');
      await page.keyboard.press('Enter');
      await rows.filter({ hasText: 'Delivery' }).waitFor();
      assert.equal((await recordings())[0]?.title, 'Delivery');
      await page.getByRole('button', { name: 'Share Delivery' }).click();
      await page.getByRole('button', { name: '1 hour' }).click();
      await page.getByRole('status').filter({ hasText: 'until' }).waitFor();
      const link = await page.getByRole('textbox', { name: 'HLS address' }).inputValue();
      const shared = await fetch(link);
      assert.equal(shared.status, 200);
      const playlist = await shared.text();
      assert.ok(playlist.includes('#EXT-X-ENDLIST') && playlist.includes('?token='), playlist.slice(0, 300));
      await page.getByRole('button', { name: 'Done' }).click();
      for (let left = (await recordings()).length; left > 0; left--) {
        await rows
          .first()
          .getByRole('button', { name: /^Delete/ })
          .click();
        assert.equal(await page.evaluate<string>('document.activeElement.textContent'), 'Keep it');
        await page.getByRole('button', { name: 'Delete', exact: true }).click();
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      await page.getByText('No recordings yet.').waitFor();
      assert.deepEqual(await recordings(), []);
    });
  });

  it('says why it could not record', async () => {
    await withPage(DESK, async (page, camera) => {
      await camera.open(`${server.url}/streams/${streamId}`);
      await page.route('**/recordings', (route) =>
        route.fulfill({
          status: 507,
          contentType: 'application/problem+json',
          body: JSON.stringify({
            title: 'x',
            status: 507,
            code: 'storage_full',
            detail: 'The disk is full. Free some.',
          }),
        }),
      );
      await page.getByRole('button', { name: 'Record', exact: true }).click();
      await page.getByText('It could not be recorded: The disk is full. Free some.').waitFor();
    });
  });

  it('fits a phone, and is used with a thumb', async () => {
    await withPage(PHONE, async (page, camera) => {
      await camera.open(`${server.url}/streams/${streamId}`);
      await page.getByRole('button', { name: 'Record', exact: true }).tap();
      const stop = page.getByRole('button', { name: /^Stop the recording/ });
      await stop.waitFor();
      await camera.fitsWidth();
      await segmentsOf(1);
      await stop.tap();
      const [made] = await recordings();
      await camera.open(`${server.url}/recordings/${made?.id}`);
      await camera.fitsWidth();
      await page.goto(`${server.url}/recordings`);
      await page.locator('.kept-row').first().waitFor();
      await camera.fitsWidth();
    });
  });
});
