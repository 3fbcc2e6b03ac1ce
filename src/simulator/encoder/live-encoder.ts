import type { Clock } from '../../base/clock.ts';
import { wallMs, type WallMs } from '../../base/time.ts';
import type { PictureSize } from '../simulated-camera.ts';
import { EncoderRun, type EncodedSegment, type EncoderSetup } from './encoder-run.ts';

/** Why an encoder began anew. */
export type RunCause = 'start' | 'restart' | 'resize';

/** How an encoder is disturbed. Null: never. */
export interface EncoderFaults {
  /** It ends and begins anew, as a process that was killed. */
  readonly restartEveryMs: number | null;
  /** It goes on with pictures of another size. */
  readonly resizeEveryMs: number | null;
}

/** What an encoder is made of. */
export interface LiveEncoderOptions {
  readonly setup: EncoderSetup;
  readonly faults: EncoderFaults;
  /** Wall time of the first picture. What has passed of it already is caught up with. */
  readonly startMs: WallMs;
  /** Wall time of the first picture that is not taken; null: none. */
  readonly untilMs: WallMs | null;
  readonly clock: Clock;
  /** @param begins why the segment is the first of a run; null: it is not */
  readonly onSegment: (segment: EncodedSegment, begins: RunCause | null) => void;
}

/** For so long a restarted encoder is away. */
const AWAY_MS = 1000;

/** Encodes in real time: each picture when its time has come. */
export class LiveEncoder {
  readonly #options: LiveEncoderOptions;
  #begins: RunCause | null = 'start';
  #isSmall = false;
  #behindMs = 0;

  constructor(options: LiveEncoderOptions) {
    this.#options = options;
  }

  /** How far it was behind the clock at most: more than a few pictures means that the machine is too slow. */
  get behindMs(): number {
    return this.#behindMs;
  }

  /** Encodes until the signal aborts or the time is over. */
  async run(signal: AbortSignal): Promise<void> {
    const { faults } = this.#options;
    let { startMs } = this.#options;
    const restart = new Every(faults.restartEveryMs, startMs);
    const resize = new Every(faults.resizeEveryMs, startMs);
    while (!signal.aborted && !this.#isOver(startMs)) {
      const endMs = await this.#run(startMs, (atMs) => restart.isDue(atMs) || resize.isDue(atMs), signal);
      const isRestart = restart.isDue(endMs);
      startMs = isRestart ? wallMs(endMs + AWAY_MS) : endMs;
      if (isRestart) restart.renew(startMs);
      if (resize.isDue(endMs)) {
        this.#isSmall = !this.#isSmall;
        resize.renew(startMs);
      }
      this.#begins = isRestart ? 'restart' : 'resize';
    }
  }

  /** Encodes whole segments until the end is due. Answers when the next picture would have been. */
  async #run(startMs: WallMs, isDue: (atMs: WallMs) => boolean, signal: AbortSignal): Promise<WallMs> {
    const { setup, clock } = this.#options;
    using run = new EncoderRun({ ...setup, size: this.#isSmall ? smaller(setup.size) : setup.size }, startMs);
    for (let frames = 0; ; frames++) {
      const isWhole = frames > 0 && frames % setup.framesPerSegment === 0;
      if ((isWhole && isDue(run.nextFrameMs)) || this.#isOver(run.nextFrameMs)) break;
      try {
        await clock.wait(Math.max(0, run.nextFrameMs - clock.nowMs()), signal);
      } catch {
        // The signal: that is how an encoder is stopped.
        break;
      }
      this.#behindMs = Math.max(this.#behindMs, clock.nowMs() - run.nextFrameMs);
      const segment = run.encodeFrame();
      if (segment !== null) this.#give(segment);
    }
    for (const segment of run.finish()) this.#give(segment);
    return run.nextFrameMs;
  }

  #isOver(atMs: WallMs): boolean {
    const { untilMs } = this.#options;
    return untilMs !== null && atMs >= untilMs;
  }

  #give(segment: EncodedSegment): void {
    const begins = this.#begins;
    this.#begins = null;
    this.#options.onSegment(segment, begins);
  }
}

/** Something that falls due again and again. */
class Every {
  readonly #everyMs: number | null;
  #dueMs: number;

  constructor(everyMs: number | null, startMs: number) {
    this.#everyMs = everyMs;
    this.#dueMs = everyMs === null ? Number.POSITIVE_INFINITY : startMs + everyMs;
  }

  isDue(atMs: number): boolean {
    return atMs >= this.#dueMs;
  }

  /** It is due again after the same time. */
  renew(startMs: number): void {
    if (this.#everyMs !== null) this.#dueMs = startMs + this.#everyMs;
  }
}

/** Three quarters, even. */
function smaller({ width, height }: PictureSize): PictureSize {
  return { width: Math.round(width * 0.375) * 2, height: Math.round(height * 0.375) * 2 };
}
