import type { ArchiveJson } from '../api/client.ts';
import type { RecordingJson } from '../api/recording-api.ts';
import type { Source } from '../player/source.ts';
import type { Stretch } from '../timeline/timeline-data.ts';

/** A stretch of a camera that is kept under a name of its own: an archive or a recording. */
export interface Kept {
  readonly kind: 'archive' | 'recording';
  readonly id: string;
  readonly fromMs: number;
  /** Null while it grows. */
  readonly toMs: number | null;
}

/** A playlist names no more than this on each side of the wanted time: one of weeks would take a browser's memory. */
const REACH_MS = 6 * 3_600_000;

/** An archive as what is kept. */
export function keptArchive(archive: ArchiveJson): Kept {
  return { kind: 'archive', id: archive.id, fromMs: Date.parse(archive.from), toMs: Date.parse(archive.to) };
}

/** A recording as what is kept. */
export function keptRecording({ id, from, to }: RecordingJson): Kept {
  return { kind: 'recording', id, fromMs: Date.parse(from), toMs: to === null ? null : Date.parse(to) };
}

/** The folder of its pages, its resource and its playlists. */
export function folderOf(kind: Kept['kind']): 'archives' | 'recordings' {
  return kind === 'archive' ? 'archives' : 'recordings';
}

/** The playlist that shows a wall time: all of it, or the hours around when it is longer than a player can take at once. */
export function sourceWithin(kept: Kept, atMs: number, nowMs: number): Source {
  const toMs = kept.toMs ?? nowMs;
  const { kind, id, fromMs } = kept;
  if (toMs - fromMs <= 2 * REACH_MS) return { kind: 'kept', folder: folderOf(kind), id, window: null };
  const nearMs = Math.min(Math.max(atMs, fromMs), toMs);
  // Whole hours, so that times close together share a playlist.
  const startMs = Math.max(fromMs, Math.floor((nearMs - REACH_MS) / 3_600_000) * 3_600_000);
  const endMs = Math.ceil((nearMs + REACH_MS) / 3_600_000) * 3_600_000;
  return {
    kind: 'kept',
    folder: folderOf(kind),
    id,
    window: { fromMs: startMs, toMs: endMs >= toMs ? null : endMs },
  };
}

/** The wall time itself where there are pictures, or where the next ones begin: a window around a long gap would show nothing. */
export function nextPicturesMs(atMs: number, stretches: readonly Stretch[]): number {
  const next = stretches.find(({ toMs }) => toMs > atMs);
  return next === undefined ? atMs : Math.max(atMs, next.fromMs);
}

/** The last wall time before an end at which there are pictures. */
export function picturesBeforeMs(toMs: number, stretches: readonly Stretch[]): number {
  const last = stretches.findLast(({ fromMs }) => fromMs < toMs);
  return Math.min(toMs, last?.toMs ?? toMs) - 1;
}
