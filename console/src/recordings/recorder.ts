import { describeError } from '../api/problem.ts';
import { recordingApi, type NewRecording, type RecordingJson } from '../api/recording-api.ts';
import { Store } from '../api/store.ts';
import type { CameraModel } from '../camera/camera-model.ts';
import { zone } from '../shell/preferences.ts';
import { navigate } from '../shell/router.tsx';
import { toast } from '../shell/toasts.tsx';
import { clockTime, duration, shortDate } from '../time/format.ts';
import type { Hold } from '../timeline/timeline-data.ts';

/** Starts and stops recordings of the camera on screen. */
export class Recorder {
  /** Whether the server is being asked. */
  readonly isBusy = new Store(false);
  readonly #model: CameraModel;
  /** Those that this page started, newest last: what the key R stops. */
  readonly #own: string[] = [];

  constructor(model: CameraModel) {
    this.#model = model;
  }

  /** Recordings of the camera that run now, the oldest first. */
  running(): readonly Hold[] {
    return (this.#model.feed.data.get()?.holds ?? []).filter((hold) => hold.running);
  }

  /** Starts one: now, or from a time in the past, which is moved to where the timeline begins if need be. */
  async start(fromMs: number | null): Promise<void> {
    const earliestMs = this.#model.feed.data.get()?.stretches[0]?.fromMs ?? null;
    // Rounded into the timeline: its first millisecond may be a part of one.
    const atMs = fromMs === null || earliestMs === null ? fromMs : Math.max(fromMs, Math.ceil(earliestMs));
    const { id, name } = this.#model.stream.get();
    const shownMs = atMs ?? this.#model.feed.nowMs();
    const wish: NewRecording = {
      title: `${name}, ${shortDate(shownMs, zone.get())} ${clockTime(shownMs, zone.get())}`,
      ...(atMs === null ? {} : { from: new Date(Math.round(atMs)).toISOString() }),
    };
    await this.#ask('It could not be recorded', async () => {
      const made = await recordingApi.start(id, wish);
      this.#own.push(made.id);
      this.#put(made);
      toast('Recording. It goes on until you stop it, also when this page is closed.', {
        action: { label: 'Stop', run: () => void this.stop(made.id) },
      });
    });
  }

  /** Stops one. */
  async stop(id: string): Promise<void> {
    await this.#ask('The recording could not be stopped', async () => {
      const stopped = await recordingApi.stop(id);
      this.#put(stopped);
      toast(`Recorded ${duration(stopped.durationSeconds * 1000)}.`, {
        action: { label: 'Open', run: () => navigate(`/recordings/${encodeURIComponent(id)}`) },
      });
    });
  }

  /** What the key R does: stops what this page started last, or starts one now. Others' recordings are not stopped by a key. */
  async toggle(): Promise<void> {
    const running = new Set(this.running().map(({ id }) => id));
    const own = this.#own.findLast((id) => running.has(id));
    await (own === undefined ? this.start(null) : this.stop(own));
  }

  #put(made: RecordingJson): void {
    const running = made.state === 'recording';
    const fromMs = Date.parse(made.from);
    const toMs = made.to === null ? this.#model.feed.nowMs() : Date.parse(made.to);
    this.#model.feed.putHold(made.id, { id: made.id, kind: 'recording', name: made.title, running, fromMs, toMs });
  }

  async #ask(what: string, run: () => Promise<void>): Promise<void> {
    if (this.isBusy.get()) return;
    this.isBusy.set(true);
    try {
      await run();
    } catch (error) {
      toast(`${what}: ${describeError(error)}`, { tone: 'bad', forMs: 8000 });
    } finally {
      this.isBusy.set(false);
    }
  }
}
