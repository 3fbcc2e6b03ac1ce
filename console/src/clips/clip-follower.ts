import { clipApi, type ClipJson } from '../api/clip-api.ts';
import { ApiError } from '../api/problem.ts';
import { Store } from '../api/store.ts';
import { navigate } from '../shell/router.tsx';
import { toast } from '../shell/toasts.tsx';

const OFTEN_MS = 400;
const SELDOM_MS = 2000;
/** So often in a row it asks often. */
const OFTEN_TIMES = 25;

/** Whether nothing more happens to a clip. */
export function isOver({ state }: Pick<ClipJson, 'state'>): boolean {
  return state === 'ready' || state === 'failed' || state === 'cancelled';
}

/** Follows clips that are being made, also when nobody looks: then a message tells how it ended. */
class ClipFollower {
  readonly #followed = new Map<string, Store<ClipJson>>();
  readonly #looked = new Set<string>();

  /** The clip, kept current until it has ended. */
  follow(clip: ClipJson): Store<ClipJson> {
    const known = this.#followed.get(clip.id);
    if (known !== undefined) return known;
    const store = new Store(clip);
    this.#followed.set(clip.id, store);
    void this.#run(store);
    return store;
  }

  /** Somebody looks at it, until the returned function is called. */
  look(id: string): () => void {
    this.#looked.add(id);
    return () => this.#looked.delete(id);
  }

  async #run(store: Store<ClipJson>): Promise<void> {
    const { id } = store.get();
    for (let asked = 0; !isOver(store.get()); asked += 1) {
      await new Promise((resolve) => setTimeout(resolve, asked < OFTEN_TIMES ? OFTEN_MS : SELDOM_MS));
      try {
        store.set(await clipApi.read(id));
      } catch (error) {
        // Removed by somebody else; anything else heals with the next turn.
        if (error instanceof ApiError && error.status === 404) break;
      }
    }
    this.#followed.delete(id);
    if (!this.#looked.has(id)) tell(store.get());
  }
}

function tell({ id, name, state, cause }: ClipJson): void {
  const action = { label: 'Open', run: () => navigate(`/clips/${encodeURIComponent(id)}`) };
  if (state === 'ready') toast(`The clip “${name}” is ready.`, { action, forMs: 10_000 });
  if (state === 'failed')
    toast(`The clip “${name}” could not be made: ${cause?.message ?? 'no cause is known.'}`, {
      tone: 'bad',
      action,
      forMs: 12_000,
    });
}

/** The clips that this tab follows. */
export const clipFollower = new ClipFollower();
