import type { WallMs } from '../../base/time.ts';
import type { MediaRef } from '../../engine/engine.ts';

/** The newest frame of a stream, as it was sent. */
export interface NewestFrame {
  readonly capturedAtMs: WallMs;
  readonly ref: MediaRef;
}

interface Entry extends NewestFrame {
  /** Its key, when it is ours to delete once it is durable in a segment and no longer the newest. */
  readonly ownedKey: string | null;
  durable: boolean;
}

/** Remembers each stream's newest frame, so that `latest.jpg` shows it before its segment is made, and says when a stored frame may go. */
export class NewestFrames {
  readonly #entries = new Map<string, Entry>();

  /** The newest frame that arrived here; null when none has since the start. */
  newest(streamId: string): NewestFrame | null {
    return this.#entries.get(streamId) ?? null;
  }

  /** Notes a frame. Answers the key of the one it displaced if that may be deleted now. */
  note(streamId: string, frame: NewestFrame, ownedKey: string | null): string | null {
    const previous = this.#entries.get(streamId);
    if (previous !== undefined && previous.capturedAtMs >= frame.capturedAtMs) return null;
    this.#entries.set(streamId, { capturedAtMs: frame.capturedAtMs, ref: frame.ref, ownedKey, durable: false });
    return previous?.durable === true ? previous.ownedKey : null;
  }

  /** Notes stored frames as durable in a segment. Answers those that may be deleted now. */
  durable(streamId: string, ownedKeys: readonly string[]): readonly string[] {
    const entry = this.#entries.get(streamId);
    return ownedKeys.filter((key) => {
      if (entry?.ownedKey !== key) return true;
      entry.durable = true;
      return false;
    });
  }

  /** Forgets a stream. */
  forget(streamId: string): void {
    this.#entries.delete(streamId);
  }
}
