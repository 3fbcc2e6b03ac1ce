import type { Clock } from '../base/clock.ts';
import { ZoetropeError } from '../base/errors.ts';
import { formatRfc3339 } from '../base/time.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clip } from '../timeline/clip.ts';
import { awaySince, type Edge } from '../timeline/edge.ts';
import type { Postponed } from '../vod/worker.ts';

const LOOK_EVERY_MS = 2000;
const MOST_REMEMBERED = 10_000;

/** What waiting works with. */
export interface AwaitedBytesDeps {
  readonly catalog: Pick<Catalog, 'getStream' | 'edgesOf' | 'remoteOfHold'>;
  readonly clock: Clock;
  /** The longest without any coming. */
  readonly maxWaitMs: number;
}

/** Clips of streams at edges wait here until all of their segments have come: their holds make control ask for them. */
export class AwaitedBytes {
  readonly #deps: AwaitedBytesDeps;
  /** How many segments were lacking, and since when. A process that begins anew is patient anew. */
  readonly #seen = new Map<string, { readonly lacking: number; readonly sinceMs: number }>();

  constructor(deps: AwaitedBytesDeps) {
    this.#deps = deps;
  }

  /** Null: all is here. @throws deadline_exceeded when nothing came for too long */
  async lacking({ id, streamId, spec }: Clip): Promise<Postponed | null> {
    const { catalog, clock, maxWaitMs } = this.#deps;
    const lacking = await catalog.remoteOfHold({ streamId, fromMs: spec.fromMs, toMs: spec.toMs });
    if (lacking === 0) {
      this.#seen.delete(id);
      return null;
    }
    const nowMs = clock.monotonicMs();
    const before = this.#seen.get(id);
    const sinceMs = before?.lacking === lacking ? before.sinceMs : nowMs;
    this.#remember(id, { lacking, sinceMs });
    const { edgeId } = await catalog.getStream(streamId);
    const edge = edgeId === null ? undefined : (await catalog.edgesOf([edgeId])).get(edgeId);
    const message = messageOf(lacking, edge, clock);
    if (nowMs - sinceMs < maxWaitMs) return { postponedMs: LOOK_EVERY_MS, cause: { code: 'unavailable', message } };
    this.#seen.delete(id);
    throw new ZoetropeError(
      'deadline_exceeded',
      `${message} None came for ${maxWaitMs / 1000} s (ZOETROPE_EDGE_CLIP_WAIT_SECONDS). Ask for the clip again when it is back.`,
      { retryable: false },
    );
  }

  #remember(id: string, seen: { readonly lacking: number; readonly sinceMs: number }): void {
    this.#seen.delete(id);
    this.#seen.set(id, seen);
    const oldest = this.#seen.size > MOST_REMEMBERED ? this.#seen.keys().next().value : undefined;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}

function messageOf(lacking: number, edge: Edge | undefined, clock: Clock): string {
  const segments = `${lacking} ${lacking === 1 ? 'segment is' : 'segments are'}`;
  if (edge === undefined) return `${segments} at an edge that is not known any more.`;
  const awayMs = awaySince(edge, clock.nowMs());
  const away = awayMs === null ? '' : `, which is away since ${formatRfc3339(awayMs)}`;
  return `${segments} still at the edge ${edge.name}${away}.`;
}
