import { MAIN_RENDITION } from '../../timeline/rendition.ts';
import type { OfferedPlaylist, PushedOffer, PushedPlaylist } from './push-event.ts';
import type { SourceNotes } from './source-notes.ts';

/** How long an encoder's very first playlist waits for the multivariant playlist, which says what is the best. */
const FIRST_WAIT_MS = 1000;
/** Renditions of a stream, at most. */
const MAX_RENDITIONS = 16;
/** A playlist that does not come again for so many of its target durations is nobody's any more, within these bounds. */
const [SILENT_TARGETS, SLACK_MS, LONGEST_SILENCE_MS] = [2, 1000, 30_000];

/** What is known of the rendition of a playlist. */
export type Naming =
  | { readonly kind: 'named'; readonly rendition: string }
  /** It is told then, by the monotonic clock, or when the multivariant playlist comes. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** The stream has as many as it may. */
  | { readonly kind: 'refused' };

/** Signs of life of a playlist, by the monotonic clock. */
interface Signs {
  readonly cameAtMs: number;
  readonly newestAtMs: number;
  readonly targetMs: number;
  readonly isEnded: boolean;
}

/**
 * Gives an encoder's playlists their renditions. A playlist keeps its rendition for as long as it comes: `main` is the best of what the multivariant
 * playlist offers, or without one the first that came. A playlist of a new name takes the first rendition whose own playlist has ended or comes
 * no more, for encoders that name theirs anew at each start; else a new rendition is made for it.
 */
export class RenditionNames {
  readonly #notes: SourceNotes;
  readonly #sinceMs: number;
  readonly #signs = new Map<string, Signs>();
  #offer: PushedOffer | null = null;

  /** @param sinceMs when this writer began: of what came before it knows no signs */
  constructor(notes: SourceNotes, sinceMs: number) {
    this.#notes = notes;
    this.#sinceMs = sinceMs;
  }

  /** Takes a multivariant playlist: the newest counts. */
  offered(offer: PushedOffer): void {
    this.#offer = offer;
  }

  /** A playlist came. */
  saw({ name, targetDurationMs, isEnded }: PushedPlaylist, nowMs: number): void {
    const known = this.#signs.get(name);
    const goesOn = known !== undefined && !known.isEnded && nowMs < silentAt(known);
    const cameAtMs = goesOn ? known.cameAtMs : nowMs;
    this.#signs.set(name, { cameAtMs, newestAtMs: nowMs, targetMs: targetDurationMs, isEnded });
  }

  /** A playlist is followed no more. */
  forget(name: string): void {
    this.#signs.delete(name);
  }

  /** The rendition of a playlist that came; given once, and noted. */
  of(playlist: string, nowMs: number): Naming {
    const known = this.#notes.renditionOf(playlist);
    if (known !== null) return { kind: 'named', rendition: known };
    const offered = this.#offer?.playlists ?? [];
    if (offered.some(({ name }) => name === playlist)) return this.#nameAll(offered, playlist, nowMs);
    const newcomers = [...this.#signs]
      .filter(
        ([name, signs]) => this.#notes.renditionOf(name) === null && (name === playlist || nowMs < silentAt(signs)),
      )
      .toSorted(([, a], [, b]) => a.cameAtMs - b.cameAtMs);
    const isFirst = Object.keys(this.#notes.report.memory.renditions).length === 0;
    const untilMs = (newcomers[0]?.[1].cameAtMs ?? nowMs) + FIRST_WAIT_MS;
    if (isFirst && nowMs < untilMs) return { kind: 'wait', untilMs };
    return this.#nameAll(
      newcomers.map(([name]) => ({ name, kind: 'pictures', language: null, label: null, isDefault: false })),
      playlist,
      nowMs,
    );
  }

  /** Those of an encoder get their names together, so that it is no matter which of them came first. */
  #nameAll(together: readonly OfferedPlaylist[], asked: string, nowMs: number): Naming {
    const siblings = new Set(together.map(({ name }) => name));
    let answer: Naming = { kind: 'refused' };
    for (const offered of together) {
      if (this.#notes.renditionOf(offered.name) !== null) continue;
      const naming = this.#name(offered, siblings, nowMs);
      if (naming.kind === 'wait') return naming;
      if (offered.name === asked) answer = naming;
    }
    return answer;
  }

  #name({ name, kind, ...sound }: OfferedPlaylist, siblings: ReadonlySet<string>, nowMs: number): Naming {
    const newcomer = this.#signs.get(name);
    const since = { cameAtMs: newcomer?.cameAtMs ?? nowMs, targetMs: newcomer?.targetMs ?? 0 };
    const held = Object.entries(this.#notes.report.memory.renditions)
      .filter(([, rendition]) => isOfKind(rendition, kind))
      .toSorted(([, a], [, b]) => rankOf(a) - rankOf(b));
    for (const [holder, rendition] of held) {
      if (siblings.has(holder)) continue;
      const freeAtMs = this.#freeAt(holder, since);
      if (freeAtMs === null) continue;
      if (nowMs < freeAtMs) return { kind: 'wait', untilMs: freeAtMs };
      this.#notes.setRendition(name, rendition, holder);
      // If it comes again, it is a newcomer.
      this.#signs.delete(holder);
      this.#noteSound(kind, rendition, sound);
      return { kind: 'named', rendition };
    }
    const rendition = this.#unused(kind);
    if (rendition === null) return { kind: 'refused' };
    this.#notes.setRendition(name, rendition, null);
    this.#noteSound(kind, rendition, sound);
    return { kind: 'named', rendition };
  }

  /** From when on a rendition is nobody's; null: its playlist goes on beside the newcomer. */
  #freeAt(holder: string, newcomer: Pick<Signs, 'cameAtMs' | 'targetMs'>): number | null {
    const signs = this.#signs.get(holder);
    if (signs?.isEnded === true) return Number.NEGATIVE_INFINITY;
    if (signs !== undefined && signs.newestAtMs > newcomer.cameAtMs) return null;
    return silentAt(signs ?? { newestAtMs: this.#sinceMs, targetMs: newcomer.targetMs });
  }

  #unused(kind: OfferedPlaylist['kind']): string | null {
    const used = new Set(Object.values(this.#notes.report.memory.renditions));
    if (used.size >= MAX_RENDITIONS) return null;
    if (kind === 'pictures' && !used.has(MAIN_RENDITION)) return MAIN_RENDITION;
    const letter = kind === 'pictures' ? 'v' : 'a';
    let number = 1;
    while (used.has(`${letter}${number}`)) number += 1;
    return `${letter}${number}`;
  }

  #noteSound(
    kind: OfferedPlaylist['kind'],
    rendition: string,
    sound: Pick<OfferedPlaylist, 'language' | 'label' | 'isDefault'>,
  ): void {
    if (kind === 'sound') this.#notes.setSound(rendition, sound);
  }
}

/** When a playlist that did not come again is followed by nobody. */
function silentAt({ newestAtMs, targetMs }: Pick<Signs, 'newestAtMs' | 'targetMs'>): number {
  return newestAtMs + Math.min(LONGEST_SILENCE_MS, SILENT_TARGETS * targetMs + SLACK_MS);
}

/** The order of renditions: `main`, then as they were made, sound behind pictures. */
export function rankOf(rendition: string): number {
  if (rendition === MAIN_RENDITION) return 0;
  const number = Number(rendition.slice(1));
  return isOfKind(rendition, 'sound') ? 10_000 + number : number;
}

function isOfKind(rendition: string, kind: OfferedPlaylist['kind']): boolean {
  return /^a\d+$/.test(rendition) === (kind === 'sound');
}
