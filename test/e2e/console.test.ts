/** The console in Chromium against the real server: what the screen says must be what the picture carries. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { launchBrowser } from '../fixtures/browser.ts';
import { eventually } from '../fixtures/processes.ts';
import { TestServer } from '../fixtures/server.ts';
import { TimedPictures } from '../fixtures/timed-pictures.ts';
import { ConsoleCamera } from './console-page.ts';

const DESK = { viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', locale: 'en-GB' } as const;
const PHONE = { ...DESK, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
const STRETCH = 24;

/** Two irregular stretches of 24 frames, a minute and a half apart, the second ending about now. */
function captureTimes(nowMs: number): readonly number[] {
  const times = (startMs: number): number[] =>
    Array.from(
      { length: STRETCH },
      (_, index) => startMs + index * 1000 + ([0, 137, -61, 203, 9, -112][index % 6] ?? 0),
    );
  return [...times(nowMs - 140_000), ...times(nowMs - 26_000)];
}

describe('console', () => {
  let server: TestServer;
  let browser: Browser;
  let streamId = '';
  let times: readonly number[] = [];
  const feeding = new AbortController();
  let fed: Promise<void> = Promise.resolve();

  const timeOf = (index: number): number => {
    const atMs = times[index];
    assert.ok(atMs !== undefined);
    return atMs;
  };
  const post = async (pictures: TimedPictures, device: string, atMs: number): Promise<string> => {
    const answer = await server.api.postFrame(device, atMs, pictures.at(atMs));
    assert.equal(answer.status, 202, answer.bytes.toString());
    return (JSON.parse(answer.bytes.toString()) as { readonly streamId: string }).streamId;
  };
  const mark = async (atMs: number, label: string): Promise<void> => {
    const body = { at: new Date(atMs).toISOString(), label, type: 'motion' };
    const answer = await server.api.postJson(`/v1/streams/${streamId}/markers`, body);
    assert.equal(answer.status, 201, answer.bytes.toString());
  };
  /** A page whose every error fails the test. */
  const withPage = async (
    options: BrowserContextOptions,
    use: (camera: ConsoleCamera) => Promise<void>,
  ): Promise<void> => {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.setDefaultTimeout(10_000);
      await use(new ConsoleCamera(page));
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  };
  const cameraUrl = (query = ''): string => `${server.url}/streams/${streamId}${query}`;
  const at = (atMs: number): string => `?t=${new Date(atMs).toISOString()}`;

  before(async () => {
    server = await TestServer.start({ env: { ZOETROPE_OFFLINE_AFTER_SECONDS: '20' } });
    using pictures = new TimedPictures();
    times = captureTimes(Date.now());
    for (const atMs of times) streamId = await post(pictures, 'gate', atMs);
    await post(pictures, 'yard', Date.now() - 3_600_000);
    await eventually(
      'both stretches are on the timeline',
      async () =>
        (await server.api.frameCount(streamId, timeOf(0) - 1, Date.now())) >= times.length - 1 ? true : undefined,
      { timeoutMs: 30_000 },
    );
    await mark(timeOf(7), 'First visitor');
    await mark(timeOf(STRETCH), 'Back again');
    const feed = async (): Promise<void> => {
      using live = new TimedPictures();
      while (!feeding.signal.aborted) {
        await post(live, 'gate', Date.now());
        await delay(1000);
      }
    };
    fed = feed();
    browser = await launchBrowser();
  });

  after(async () => {
    feeding.abort();
    await fed;
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  it('shows the cameras on a wall that stays current, and opens one by a click', async () => {
    await withPage(DESK, async (camera) => {
      const { page } = camera;
      await page.goto(server.url);
      const gate = page.locator('.tile', { hasText: 'gate' });
      await gate.locator('img').waitFor();
      assert.equal(await gate.getAttribute('data-state'), 'online');
      const first = await gate.locator('img').getAttribute('src');
      await eventually(
        'a newer picture is on the wall',
        async () => ((await gate.locator('img').getAttribute('src')) === first ? undefined : true),
        { timeoutMs: 10_000 },
      );
      await page.locator('.tile[data-state="offline"]', { hasText: 'yard' }).waitFor({ timeout: 40_000 });
      await page.getByRole('searchbox').fill('ya');
      await gate.waitFor({ state: 'detached' });
      await page.getByRole('searchbox').fill('');
      await gate.getByRole('link').click();
      await page.getByRole('heading', { name: 'gate' }).waitFor();
    });
  });

  it('plays at the live edge without standing still', async () => {
    await withPage(DESK, async (camera) => {
      const start = await camera.open(cameraUrl());
      await camera.page.locator('.live-button[data-live="true"]').waitFor();
      const later = await eventually(
        'twelve seconds were played',
        async () => {
          const shown = await camera.shown();
          return shown.currentTimeS > start.currentTimeS + 12 ? shown : undefined;
        },
        { timeoutMs: 25_000 },
      );
      assert.ok(
        later.decodedFrames >= start.decodedFrames + 8,
        `${start.decodedFrames} … ${later.decodedFrames} frames`,
      );
      assert.equal(await camera.page.locator('.live-button').getAttribute('data-live'), 'true');
    });
  });

  it('lands on the exact frame of a marker, from the live edge and from a link', async () => {
    await withPage(DESK, async (camera) => {
      await camera.open(cameraUrl());
      await camera.hold();
      for (const [label, index] of [
        ['First visitor', 7],
        ['Back again', STRETCH],
      ] as const) {
        await camera.marker(label).getByRole('button', { name: label }).first().click();
        const shown = await camera.showsFrame(timeOf(index));
        const time = new Date(timeOf(index));
        const words = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
        assert.ok(
          shown.spoken.startsWith(`${words(time.getUTCHours(), 'hour')} ${words(time.getUTCMinutes(), 'minute')}`),
          shown.spoken,
        );
      }
    });
    await withPage(DESK, async (camera) => {
      await camera.open(cameraUrl(at(timeOf(7))));
      await camera.showsFrame(timeOf(7));
    });
  });

  it('steps from frame to frame, over segments and over the gap', async () => {
    await withPage(DESK, async (camera) => {
      await camera.open(cameraUrl(at(timeOf(4))));
      await camera.showsFrame(timeOf(4));
      for (const index of [5, 6, 7]) {
        await camera.page.keyboard.press('ArrowRight');
        await camera.showsFrame(timeOf(index));
      }
      for (const index of [6, 5, 4]) {
        await camera.page.keyboard.press(',');
        await camera.showsFrame(timeOf(index));
      }
      await camera.open(cameraUrl(at(timeOf(STRETCH))));
      await camera.showsFrame(timeOf(STRETCH));
      await camera.page.keyboard.press('ArrowLeft');
      await camera.showsFrame(timeOf(STRETCH - 1));
      await camera.page.keyboard.press('ArrowRight');
      await camera.showsFrame(timeOf(STRETCH));
    });
  });

  it('tells the gap, and goes to its end when somebody wants a time inside', async () => {
    await withPage(DESK, async (camera) => {
      await camera.open(cameraUrl(at(timeOf(3))));
      const gap = camera.page.locator('[data-gap-from]').first();
      await gap.waitFor({ state: 'attached' });
      const [fromMs, toMs] = [await gap.getAttribute('data-gap-from'), await gap.getAttribute('data-gap-to')].map(
        (text) => Date.parse(text ?? ''),
      );
      assert.ok(fromMs !== undefined && toMs === timeOf(STRETCH) && fromMs > timeOf(STRETCH - 1) && fromMs < toMs);
      await camera.page.keyboard.press('g');
      await camera.page.keyboard.type(new Date(timeOf(STRETCH) - 40_000).toISOString().slice(11, 19));
      await camera.page.keyboard.press('Enter');
      await camera.showsFrame(timeOf(STRETCH));
    });
  });

  it('jumps to a typed time and keeps it in the address', async () => {
    await withPage(DESK, async (camera) => {
      await camera.open(cameraUrl(at(timeOf(20))));
      await camera.showsFrame(timeOf(20));
      await camera.page.getByRole('textbox', { name: 'Jump to time' }).fill(new Date(timeOf(9)).toISOString());
      await camera.page.keyboard.press('Enter');
      await camera.showsFrame(timeOf(9));
      await eventually(
        'the address names the frame',
        () =>
          new URL(camera.page.url()).searchParams.get('t') === new Date(timeOf(9)).toISOString() ? true : undefined,
        { timeoutMs: 3000 },
      );
    });
  });

  it('adds a marker on the frame that is shown, for all who look, and takes it away again', async () => {
    await withPage(DESK, async (camera) => {
      await withPage(DESK, async (other) => {
        await other.open(cameraUrl(at(timeOf(2))));
        await camera.open(cameraUrl(at(timeOf(11))));
        await camera.showsFrame(timeOf(11));
        await camera.page.keyboard.press('m');
        await camera.page.getByLabel('Label').fill('Left a parcel');
        await camera.page.keyboard.press('Enter');
        await other.marker('Left a parcel').waitFor();
        await other.marker('Left a parcel').getByRole('button').first().click();
        await other.showsFrame(timeOf(11));
        await camera.page.keyboard.press('p');
        await camera.showsFrame(timeOf(7));
        await camera.page.getByRole('button', { name: 'Delete Left a parcel' }).click({ force: true });
        await camera.page.getByRole('button', { name: 'Undo' }).click();
        await camera.marker('Left a parcel').waitFor();
        await camera.page.getByRole('button', { name: 'Delete Left a parcel' }).click({ force: true });
        await other.marker('Left a parcel').waitFor({ state: 'detached', timeout: 15_000 });
      });
    });
  });

  it('is worked by keys: slider, selection, help', async () => {
    await withPage(DESK, async (camera) => {
      const { page } = camera;
      await camera.open(cameraUrl(at(timeOf(10))));
      await camera.showsFrame(timeOf(10));
      await page.keyboard.press('[');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await camera.showsFrame(timeOf(12));
      await page.keyboard.press(']');
      await page.getByRole('group', { name: 'Selection' }).waitFor();
      assert.equal(new URL(page.url()).searchParams.get('from'), new Date(timeOf(10)).toISOString());
      // The picture on screen is the last one in it, and the next is not.
      const toMs = Date.parse(new URL(page.url()).searchParams.get('to') ?? '');
      assert.ok(toMs > timeOf(12) && toMs <= timeOf(13), `${toMs} is not between ${timeOf(12)} and ${timeOf(13)}`);
      await page.keyboard.press('Escape');
      await page.getByRole('group', { name: 'Selection' }).waitFor({ state: 'detached' });
      await camera.slider.focus();
      await page.keyboard.press('Home');
      await camera.showsFrame(timeOf(0));
      assert.match(
        (await camera.slider.getAttribute('aria-valuetext')) ?? '',
        /^\d+ hours? \d+ minutes? \d+ seconds?, \d+ [A-Z][a-z]+$/,
      );
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('End');
      await page.locator('.live-button[data-live="true"]').waitFor();
    });
  });

  it('shows every frame in a timelapse', async () => {
    await withPage(DESK, async (camera) => {
      await camera.open(cameraUrl(at(timeOf(0))));
      await camera.page.getByRole('button', { name: /^Speed/ }).click();
      await camera.page.getByRole('menuitemradio', { name: /^5×/ }).click();
      await eventually(
        'the first stretch is over',
        async () => (((await camera.shown()).frameMs ?? 0) > timeOf(STRETCH) ? true : undefined),
        { timeoutMs: 20_000 },
      );
      await camera.hold();
      const { frameMs, codeMs } = await camera.shown();
      assert.equal(frameMs, codeMs);
    });
  });

  it('shows the last picture of a camera that is offline, and goes on by itself when it is back', async () => {
    await withPage(DESK, async (camera) => {
      const yard = await eventually(
        'the camera is offline',
        async () => {
          const stream = await server.api.streamOf('yard');
          return stream.state === 'offline' ? stream : undefined;
        },
        { timeoutMs: 40_000 },
      );
      await camera.open(`${server.url}/streams/${yard.id}`);
      const badge = camera.page.getByText('Offline since');
      await badge.waitFor();
      assert.equal((await camera.shown()).codeMs, Date.parse(yard.lastCapturedAt ?? ''));
      using pictures = new TimedPictures();
      const backMs = Date.now();
      for (let index = 0; index < 12; index += 1) {
        await post(pictures, 'yard', Date.now());
        await delay(500);
      }
      await badge.waitFor({ state: 'detached' });
      await eventually(
        'new pictures are on screen',
        async () => {
          const { codeMs, frameMs } = await camera.shown();
          return codeMs !== null && codeMs >= backMs && frameMs !== null && frameMs >= backMs ? true : undefined;
        },
        { timeoutMs: 20_000 },
      );
    });
  });

  it('says that the server is away, and goes on by itself', async () => {
    await withPage(DESK, async ({ page }) => {
      await page.goto(server.url);
      await page.locator('.tile').first().waitFor();
      await page.context().setOffline(true);
      await page.getByRole('link', { name: 'Archives' }).click();
      await page.getByText('The server does not answer.').first().waitFor();
      await page.context().setOffline(false);
      await page.locator('.banner').waitFor({ state: 'detached', timeout: 15_000 });
      await page.getByRole('heading', { name: 'Archives', exact: true }).waitFor();
    });
  });

  it('fits a phone, dark and light', async () => {
    for (const colorScheme of ['dark', 'light'] as const) {
      await withPage({ ...PHONE, colorScheme }, async (camera) => {
        await camera.page.goto(server.url);
        await camera.page.locator('.tile img').first().waitFor();
        await camera.fitsWidth();
        await camera.open(cameraUrl(at(timeOf(5))));
        await camera.fitsWidth();
        await camera.marker('First visitor').getByRole('button').first().tap();
        await camera.showsFrame(timeOf(7));
        await camera.page.goto(`${server.url}/archives`);
        await camera.page.getByRole('heading', { name: 'Archives' }).waitFor();
        await camera.fitsWidth();
      });
    }
  });
});

describe('console of a server with keys', () => {
  it('asks for a key, and plays with it', async () => {
    await using server = await TestServer.start();
    const browser = await launchBrowser();
    try {
      using pictures = new TimedPictures();
      const startMs = Date.now() - 20_000;
      for (let index = 0; index < 12; index += 1)
        await server.api.postFrame('gate', startMs + index * 1000, pictures.at(startMs + index * 1000));
      const created = await server.command([
        'keys',
        'create',
        '--name',
        'test',
        '--scopes',
        'read,manage',
        '--tenant',
        'test',
        '--json',
      ]);
      assert.equal(created.code, 0, created.stderr);
      const { secret } = JSON.parse(created.stdout) as { readonly secret: string };
      await server.restart();
      const page = await browser.newPage(DESK);
      page.setDefaultTimeout(15_000);
      await page.goto(server.url);
      await page.getByRole('textbox', { name: 'Key' }).fill('zk_wrong');
      await page.keyboard.press('Enter');
      await page.getByText('refused this key').waitFor();
      await page.getByRole('textbox', { name: 'Key' }).fill(secret);
      await page.keyboard.press('Enter');
      await page.locator('.tile img').waitFor();
      await page.locator('.tile').getByRole('link').click();
      const camera = new ConsoleCamera(page);
      await eventually(
        'a picture is on screen',
        async () => ((await camera.shown()).codeMs === null ? undefined : true),
        {
          timeoutMs: 20_000,
        },
      );
    } finally {
      await browser.close();
    }
  });
});
