import type { StreamJson } from '../api/client.ts';
import { bitRate } from '../assets/quantities.ts';
import { elapsed } from '../recordings/elapsed.ts';
import { duration } from '../time/format.ts';

/** How a source is. `away`: a pushed stream that has gone quiet, and may yet come back before it ends by itself. */
export type SourceState = 'waiting' | 'live' | 'away' | 'offline' | 'ended';

/** What tells how a source is. */
export type SourceFacts = Pick<StreamJson, 'kind' | 'state' | 'endedAt' | 'lastReceivedAt' | 'effective'>;

/** How a source is, and when it ends by itself if it stays away; null: it does not. */
export function sourceState(stream: SourceFacts): { readonly state: SourceState; readonly endsAtMs: number | null } {
  const { kind, state, endedAt, lastReceivedAt, effective } = stream;
  if (endedAt !== null) return { state: 'ended', endsAtMs: null };
  if (state === 'new') return { state: 'waiting', endsAtMs: null };
  if (state === 'online') return { state: 'live', endsAtMs: null };
  if (kind === 'frames' || lastReceivedAt === null) return { state: 'offline', endsAtMs: null };
  return { state: 'away', endsAtMs: Date.parse(lastReceivedAt) + effective.reconnectWindowSeconds * 1000 };
}

/** The state in words: `Live`, `Away, ends in 4:32`. */
export function stateWords(stream: SourceFacts, nowMs: number): string {
  const { state, endsAtMs } = sourceState(stream);
  switch (state) {
    case 'waiting':
      return stream.kind === 'frames' ? 'Waits for its first frame' : 'Waits for its first segment';
    case 'live':
      return stream.kind === 'frames' ? 'Online' : 'Live';
    case 'offline':
      return 'Offline';
    case 'ended':
      return 'Ended';
    case 'away':
      return endsAtMs === null || endsAtMs <= nowMs ? 'Away, ends now' : `Away, ends in ${elapsed(endsAtMs - nowMs)}`;
  }
}

const CODECS: readonly (readonly [RegExp, string])[] = [
  [/^avc[13]/i, 'H.264'],
  [/^(hvc1|hev1)/i, 'HEVC'],
  [/^av01/i, 'AV1'],
  [/^vp09/i, 'VP9'],
  [/^mp4a/i, 'AAC'],
  [/^opus/i, 'Opus'],
  [/^(ac-3|ec-3)/i, 'AC-3'],
];
const SOUNDS = new Set(['AAC', 'Opus', 'AC-3']);

/** What a codecs string (RFC 6381) names: `avc1.64001f,mp4a.40.2` is H.264 with AAC. */
export function codecNames(codecs: string): { readonly picture: string | null; readonly sound: string | null } {
  const names = codecs
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => CODECS.find(([pattern]) => pattern.test(part))?.[1] ?? part);
  return {
    picture: names.find((name) => !SOUNDS.has(name)) ?? null,
    sound: names.find((name) => SOUNDS.has(name)) ?? null,
  };
}

/** An encoder in a line: `H.264, AAC · 640×360 · 25 fps · 0.6 Mbit/s`. */
export function sourceLine(source: NonNullable<StreamJson['source']>): string {
  const { picture, sound } = codecNames(source.codecs);
  return [
    [picture, sound].filter((name) => name !== null).join(', '),
    `${source.width}×${source.height}`,
    ...(source.frameRate === null ? [] : [frameRateText(source.frameRate)]),
    bitRate(source.bitsPerSecond),
  ].join(' · ');
}

/** `25 fps`, `29.97 fps`. */
export function frameRateText(frameRate: number): string {
  return `${Number(frameRate.toFixed(2))} fps`;
}

/** So far apart, two clocks are worth a word. */
const NOTABLE_MS = 20;

/** How far media and wall clock have come apart, in words. */
export function driftWords(driftMs: number): string {
  const apart = Math.abs(driftMs);
  if (apart < NOTABLE_MS) return `in step (${Math.round(driftMs)} ms)`;
  return `${apart < 1000 ? `${Math.round(apart)} ms` : `${(apart / 1000).toFixed(1)} s`}: media runs ${driftMs > 0 ? 'slow' : 'fast'}`;
}

/** How long after it was taken the newest picture arrived, in words. */
export function lagWords(skewMs: number | null): string {
  if (skewMs === null) return '–';
  if (skewMs < -1000) return `its clock is ${duration(-skewMs)} ahead`;
  return `${(Math.max(0, skewMs) / 1000).toFixed(1)} s after it was taken`;
}
