import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { TIME_CODE_READER_SOURCE } from '../../src/simulator/time-code/read-time-code.ts';
import { eventually } from '../fixtures/processes.ts';

/** What is on a camera's page at a moment. */
export interface Shown {
  /** The capture time that the readout names; null before the first picture. */
  readonly frameMs: number | null;
  /** The capture time that the picture itself carries; null when it cannot be read. */
  readonly codeMs: number | null;
  readonly currentTimeS: number;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly decodedFrames: number;
  /** What the timeline says to a screen reader. */
  readonly spoken: string;
}

/** What the page is asked for. As text: it runs in the browser, and the compiler checks these files for Node. */
const LOOK = `(() => {
  const video = document.querySelector('video');
  const readout = document.querySelector('time.readout')?.getAttribute('datetime') ?? null;
  const canvas = document.createElement('canvas');
  canvas.width = video?.videoWidth ?? 0;
  canvas.height = video?.videoHeight ?? 0;
  let codeMs = null;
  if (canvas.width > 0) {
    const pen = canvas.getContext('2d');
    pen.drawImage(video, 0, 0);
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    const lumaAt = (x, y) => {
      const at = 4 * (y * canvas.width + x);
      return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    };
    codeMs = ${TIME_CODE_READER_SOURCE}(lumaAt, canvas.width, canvas.height);
  }
  return {
    frameMs: readout === null ? null : Date.parse(readout),
    codeMs,
    currentTimeS: video?.currentTime ?? 0,
    paused: video?.paused ?? true,
    seeking: video?.seeking ?? false,
    decodedFrames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
    spoken: document.querySelector('[role="slider"]')?.getAttribute('aria-valuetext') ?? '',
  };
})()`;

/** A camera's page of the console, as somebody in front of it uses it. */
export class ConsoleCamera {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Reads the picture off a canvas, and what stands around it, in one go. */
  shown(): Promise<Shown> {
    return this.page.evaluate<Shown>(LOOK);
  }

  /** Waits until readout and picture show the frame of this capture time. */
  async showsFrame(atMs: number): Promise<Shown> {
    let last: Shown | undefined;
    return eventually(
      `the frame of ${new Date(atMs).toISOString()} is on screen`,
      async () => {
        last = await this.shown();
        return last.frameMs === atMs && last.codeMs === atMs && !last.seeking ? last : undefined;
      },
      {
        timeoutMs: 10_000,
        describe: () => {
          const iso = (ms: number | null | undefined): string =>
            typeof ms === 'number' ? new Date(ms).toISOString() : 'none';
          return `The readout says ${iso(last?.frameMs)}, the picture ${iso(last?.codeMs)}.`;
        },
      },
    );
  }

  /** Opens a camera and waits for its first picture. */
  async open(url: string): Promise<Shown> {
    await this.page.goto(url);
    return eventually(
      'the first picture is on screen',
      async () => {
        const shown = await this.shown();
        return shown.frameMs !== null && shown.codeMs !== null ? shown : undefined;
      },
      { timeoutMs: 15_000 },
    );
  }

  /** Holds the picture if it plays. */
  async hold(): Promise<void> {
    const pause = this.page.getByRole('button', { name: 'Pause' });
    if ((await pause.count()) > 0) await pause.click();
    await this.page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  }

  /** The row of a marker, by its label. */
  marker(label: string): Locator {
    return this.page.locator('.marker-row', { hasText: label });
  }

  get slider(): Locator {
    return this.page.getByRole('slider', { name: 'Timeline' });
  }

  /** Fails when the page can be moved sideways. */
  async fitsWidth(): Promise<void> {
    const [content, window] = await this.page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
    assert.ok(
      content !== undefined && window !== undefined && content <= window,
      `${content} px wide in a window of ${window} px`,
    );
  }
}
