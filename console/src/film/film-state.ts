/** A video rendition that can be chosen. */
export interface Quality {
  /** Stays the same when the playlist is read anew. */
  readonly key: string;
  /** `480p`, with the codec where there are several: `480p HEVC`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly bitsPerS: number;
}

/** An audio or captions rendition that can be chosen. */
export interface Track {
  readonly key: string;
  readonly name: string;
}

/** What a film's player is doing, for those who show it. */
export interface FilmState {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly why: string;
  readonly playing: boolean;
  /** `data`: it is on its way; `growing`: it has not been made yet. */
  readonly waiting: 'no' | 'data' | 'growing';
  /** Whether it was ever started: until then the poster shows. */
  readonly started: boolean;
  /** How long what can be played is, in seconds. */
  readonly availableS: number;
  readonly bufferedToS: number;
  readonly isGrowing: boolean;
  readonly rate: number;
  readonly volume: number;
  readonly muted: boolean;
  readonly qualities: readonly Quality[];
  /** The key of the chosen quality; null: automatic. */
  readonly quality: string | null;
  /** What is on screen. */
  readonly shown: Quality | null;
  readonly audios: readonly Track[];
  readonly audio: string | null;
  readonly captions: readonly Track[];
  /** Null: off. */
  readonly caption: string | null;
}

/** Before anything is loaded. */
export const FIRST_STATE: FilmState = {
  phase: 'loading',
  why: '',
  playing: false,
  waiting: 'no',
  started: false,
  availableS: 0,
  bufferedToS: 0,
  isGrowing: false,
  rate: 1,
  volume: 1,
  muted: false,
  qualities: [],
  quality: null,
  shown: null,
  audios: [],
  audio: null,
  captions: [],
  caption: null,
};

/** Rates that the menu offers. */
export const FILM_RATES: readonly number[] = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 4];

/** What is known of a video rendition. */
export interface LevelFacts {
  readonly width: number;
  readonly height: number;
  readonly bitsPerS: number;
  readonly codec: string;
}

const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^avc[13]/, 'H.264'],
  [/^(hvc1|hev1)/, 'HEVC'],
  [/^vp0?9/, 'VP9'],
  [/^av01/, 'AV1'],
];

/** Names and keys of video renditions: by the short side, with the codec or the rate where that does not tell them apart. */
export function namedQualities(levels: readonly LevelFacts[]): readonly Quality[] {
  const parts = levels.map((level) => {
    const short = Math.min(level.width, level.height);
    const family = FAMILIES.find(([pattern]) => pattern.test(level.codec))?.[1] ?? level.codec;
    return { level, size: short > 0 ? `${short}p` : 'Sound only', family };
  });
  const isOneFamily = new Set(parts.map(({ family }) => family)).size <= 1;
  return parts.map(({ level, size, family }) => {
    const name = isOneFamily ? size : `${size} ${family}`;
    const isTwice = parts.filter((other) => other.size === size && other.family === family).length > 1;
    const rate = `${(level.bitsPerS / 1e6).toFixed(1)} Mbit/s`;
    const full = isTwice ? `${name} · ${rate}` : name;
    return { key: `${size} ${family}${isTwice ? ` ${level.bitsPerS}` : ''}`, name: full, ...sizesOf(level) };
  });
}

function sizesOf({ width, height, bitsPerS }: LevelFacts): Omit<Quality, 'key' | 'name'> {
  return { width, height, bitsPerS };
}
