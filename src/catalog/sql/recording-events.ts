import { formatRfc3339 } from '../../base/time.ts';
import type { Hold } from '../../timeline/hold.ts';
import type { RecordingEnd } from '../recording-store.ts';
import type { SqlBackend, WriteScope } from './backend.ts';
import { publishEvents } from './publish-events.ts';
import { toHold } from './rows.ts';

/** Tells that a recording was started, within the transaction that made it. */
export async function publishStarted(backend: SqlBackend, scope: WriteScope, recording: Hold): Promise<void> {
  await publish(backend, scope, 'recording.started', recording, {});
}

/** Tells that a recording ended, within the transaction that ended it. */
export async function publishStopped(
  backend: SqlBackend,
  scope: WriteScope,
  recording: Hold,
  endedBy: RecordingEnd,
): Promise<void> {
  const toMs = recording.toMs ?? backend.clock.nowMs();
  await publish(backend, scope, 'recording.stopped', recording, { to: formatRfc3339(toMs), endedBy });
}

/** Tells of a stream's recordings that still run that they end with it. */
export async function publishStoppedOf(backend: SqlBackend, scope: WriteScope, streamId: string): Promise<void> {
  const rows = await scope.db
    .selectFrom('hold')
    .selectAll()
    .where('stream_id', '=', streamId)
    .where('kind', '=', 'recording')
    .where('stopped_at_ms', 'is', null)
    .where('released_at_ms', 'is', null)
    .execute();
  for (const row of rows) await publishStopped(backend, scope, toHold(row), 'streamDeleted');
}

async function publish(
  backend: SqlBackend,
  scope: WriteScope,
  type: 'recording.started' | 'recording.stopped',
  recording: Hold,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const stream = await scope.db
    .selectFrom('stream')
    .select(['tenant', 'device_id'])
    .where('id', '=', recording.streamId)
    .executeTakeFirst();
  if (stream === undefined) return;
  await publishEvents(backend, scope, [
    {
      type,
      tenant: stream.tenant,
      subjectId: recording.streamId,
      data: {
        recordingId: recording.id,
        streamId: recording.streamId,
        deviceId: stream.device_id,
        title: recording.name,
        from: formatRfc3339(recording.fromMs),
        ...more,
      },
    },
  ]);
}
