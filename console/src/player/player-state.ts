import type { PlaybackAccess } from './playback-access.ts';
import type { ChooseSource, Source } from './source.ts';

/** A stretch of wall time, in ms since the Unix epoch; the end is exclusive. */
export interface WallSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a player is doing, for those who show it. */
export interface PlayerState {
  /** `empty`: the stream has no pictures yet; `failed`: see `why`. Both are tried again by themselves. */
  readonly phase: 'loading' | 'ready' | 'empty' | 'failed';
  readonly why: string;
  /** Whether it plays, or would if the next picture were there. */
  readonly playing: boolean;
  /** `data`: pictures are on their way; `edge`: it shows the newest and waits for the next to be made. */
  readonly waiting: 'no' | 'data' | 'edge';
  /** Capture time of the picture on screen; null before the first. */
  readonly frameMs: number | null;
  /** At the live edge, playing. */
  readonly live: boolean;
  readonly rate: number;
  /** `?speed=` of the playlist. */
  readonly speed: number;
  readonly source: Source;
  /** Whether the playlist has an end: it is kept whole, or its stream was ended. */
  readonly isOver: boolean;
  /** Whether there is sound; cameras have none, and other speeds show the pictures alone. */
  readonly hasSound: boolean;
  readonly muted: boolean;
  /** What is played, then to hold, or again and again; null: on and on. */
  readonly stretch: (WallSpan & { readonly loop: boolean }) | null;
}

/** What a player is doing before it does anything. */
export const FIRST_STATE: Omit<PlayerState, 'source' | 'playing'> = {
  phase: 'loading',
  why: '',
  waiting: 'no',
  frameMs: null,
  live: false,
  rate: 1,
  speed: 1,
  isOver: false,
  hasSound: false,
  muted: true,
  stretch: null,
};

/** Where to start: a wall time, the live edge, or the newest picture (of a camera that is offline). */
export type StartAt = { readonly atMs: number } | 'live' | 'newest';

/** What a {@link Player} needs to know of its surroundings. */
export interface PlayerOptions {
  readonly streamId: string;
  readonly access: PlaybackAccess;
  readonly source: Source;
  readonly start: StartAt;
  readonly autoplay: boolean;
  /** Which playlist shows a wall time that is before the one playing; null when none does. */
  readonly chooseSource: ChooseSource;
  readonly intervalS: () => number;
}
