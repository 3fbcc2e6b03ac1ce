import type { IdSource } from '../base/ids.ts';
import { formatRfc3339, wallMs, type WallMs } from '../base/time.ts';
import type { NewHold } from '../timeline/hold.ts';
import type { Session } from '../timeline/session.ts';
import type { Stream, StreamSettings } from '../timeline/stream.ts';

/**
 * The archive that a session gets when it ends: a hold over all of it that expires by itself.
 * Null when the session was too short to be worth one.
 */
export function archiveOf(options: {
  readonly session: Session;
  readonly stream: Pick<Stream, 'name'>;
  readonly settings: Pick<StreamSettings, 'minArchiveDurationMs' | 'archiveRetentionMs'>;
  readonly ids: IdSource;
  readonly nowMs: WallMs;
}): NewHold | null {
  const { session, stream, settings, ids, nowMs } = options;
  const durationMs = session.endMs - session.startMs;
  if (durationMs <= 0 || durationMs < settings.minArchiveDurationMs) return null;
  return {
    id: ids.next('archive'),
    streamId: session.streamId,
    kind: 'archive',
    name: `${stream.name} ${formatRfc3339(session.startMs)}`,
    fromMs: session.startMs,
    toMs: session.endMs,
    sessionId: session.id,
    expiresAtMs: wallMs(nowMs + settings.archiveRetentionMs),
  };
}
