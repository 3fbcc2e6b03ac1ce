import { send } from '../api/client.ts';
import { Store } from '../api/store.ts';
import type { PlaybackAccess } from '../player/playback-access.ts';
import type { Player } from '../player/player.ts';
import { qualitiesOf, type Quality } from '../player/quality.ts';
import type { Source } from '../player/source.ts';

/** Which of a stream's pictures is played, and which there are. */
export class QualityChoice {
  /** Empty while there is nothing to choose. */
  readonly offered = new Store<readonly Quality[]>([]);
  /** Null: the main one. */
  readonly chosen = new Store<string | null>(null);
  readonly #masterUrl: string;
  readonly #access: PlaybackAccess;
  readonly #player: () => Player;

  constructor(masterUrl: string, access: PlaybackAccess, player: () => Player) {
    this.#masterUrl = masterUrl;
    this.#access = access;
    this.#player = player;
  }

  /** A playlist of the stream, in the quality that was chosen. */
  of(source: Source | null): Source | null {
    const rendition = this.chosen.get();
    if (source === null || source.kind === 'kept' || rendition === null) return source;
    return { ...source, rendition };
  }

  /** Reads which there are. */
  async look(signal: AbortSignal): Promise<void> {
    try {
      await this.#access.ready();
      const master = await (await send(this.#access.sign(this.#masterUrl), { signal })).text();
      this.offered.set(qualitiesOf(master));
    } catch {
      // There is none before the first segment, and a server that is away is told of by the banner: it is looked at again.
      return;
    }
    const { chosen, offered } = this;
    // One that is no longer made cannot go on.
    if (chosen.get() !== null && !offered.get().some(({ rendition }) => rendition === chosen.get())) this.choose(null);
  }

  /** Plays on in another one, from where it is. */
  choose(rendition: string | null): void {
    if (rendition === this.chosen.get()) return;
    this.chosen.set(rendition);
    const player = this.#player();
    const { source, live } = player.state.get();
    if (source.kind === 'kept') return;
    const atMs = player.playheadMs();
    const { rendition: _, ...bare } = source;
    const next = this.of(bare) ?? source;
    player.load(next, live || atMs === null ? 'live' : { atMs });
  }
}
