import type { WallMs } from '../../base/time.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { isRecording } from '../../recordings/recordings.ts';
import { awaySince, type Edge } from '../../timeline/edge.ts';
import type { Hold } from '../../timeline/hold.ts';
import type { Marker } from '../../timeline/marker.ts';
import type { SourceReport } from '../../timeline/source-report.ts';
import { effectiveSettings, isOnline, type Stream, type StreamSettings } from '../../timeline/stream.ts';
import type { RecordingJson } from './recording-shapes.ts';
import { settingsToJson } from './settings.ts';
import type { ArchiveJson, MarkerJson, StreamJson } from './shapes.ts';

/** Whether a source is sending; `new`: nothing has arrived yet. */
export type StreamState = StreamJson['state'];

/** What a stream is judged by. */
export interface StreamContext {
  readonly defaults: StreamSettings;
  readonly publicUrl: string | undefined;
  readonly nowMs: WallMs;
  /** At least those that the streams are at. */
  readonly edges: ReadonlyMap<string, Edge>;
}

/** A wall time as the API writes it; null stays. */
export function timeJson(atMs: WallMs): string;
export function timeJson(atMs: WallMs | null): string | null;
export function timeJson(atMs: WallMs | null): string | null {
  return atMs === null ? null : formatRfc3339(atMs);
}

/** A stream's state now. */
export function stateOf(stream: Stream, context: Pick<StreamContext, 'defaults' | 'nowMs'>): StreamState {
  if (stream.lastReceivedAtMs === null) return 'new';
  const { offlineAfterMs } = effectiveSettings(stream, context.defaults);
  return isOnline(stream, offlineAfterMs, context.nowMs) ? 'online' : 'offline';
}

/** A stream as the API shows it. */
export function streamJson(stream: Stream, context: StreamContext): StreamJson {
  const { lastCapturedAtMs, lastReceivedAtMs } = stream;
  const play = `/play/streams/${stream.id}`;
  const link = (path: string): string => linkOf(path, context.publicUrl);
  return {
    id: stream.id,
    tenant: stream.tenant,
    kind: stream.kind,
    name: stream.name,
    deviceId: stream.deviceId,
    state: stateOf(stream, context),
    lastCapturedAt: timeJson(lastCapturedAtMs),
    lastReceivedAt: timeJson(lastReceivedAtMs),
    clockSkewMs: lastCapturedAtMs === null || lastReceivedAtMs === null ? null : lastReceivedAtMs - lastCapturedAtMs,
    settings: settingsToJson(stream.settings),
    effective: settingsToJson(effectiveSettings(stream, context.defaults)),
    endedAt: timeJson(stream.endedAtMs),
    source: stream.source === null ? null : sourceJson(stream.source),
    edge: edgeOf(stream, context),
    createdAt: timeJson(stream.createdAtMs),
    urls: {
      master: link(`${play}/master.m3u8`),
      live: link(`${play}/live.m3u8`),
      dvr: link(`${play}/dvr.m3u8`),
      latest: link(`/v1/streams/${stream.id}/latest.jpg`),
    },
  };
}

function edgeOf({ edgeId }: Stream, { edges, nowMs }: StreamContext): StreamJson['edge'] {
  const edge = edgeId === null ? undefined : edges.get(edgeId);
  return edge === undefined ? null : { id: edge.id, name: edge.name, connected: awaySince(edge, nowMs) === null };
}

function sourceJson(report: SourceReport): NonNullable<StreamJson['source']> {
  const { bitsPerS, lastRejection, memory: _, ...source } = report;
  return {
    ...source,
    bitsPerSecond: bitsPerS,
    lastRejection:
      lastRejection === null
        ? null
        : {
            at: timeJson(lastRejection.atMs),
            name: lastRejection.name,
            code: lastRejection.code,
            message: lastRejection.message,
          },
  };
}

/** A marker as the API shows it. */
export function markerJson(marker: Marker): MarkerJson {
  return {
    id: marker.id,
    streamId: marker.streamId,
    at: timeJson(marker.atMs),
    until: timeJson(marker.untilMs),
    label: marker.label,
    type: marker.type,
    data: { ...marker.data },
    createdAt: timeJson(marker.createdAtMs),
  };
}

/** An archive as the API shows it. */
export function archiveJson(hold: Hold, publicUrl: string | undefined): ArchiveJson {
  return {
    id: hold.id,
    streamId: hold.streamId,
    name: hold.name,
    from: timeJson(hold.fromMs),
    to: timeJson(hold.toMs ?? hold.fromMs),
    sessionId: hold.sessionId,
    createdAt: timeJson(hold.createdAtMs),
    expiresAt: timeJson(hold.expiresAtMs),
    url: linkOf(`/play/archives/${hold.id}/index.m3u8`, publicUrl),
  };
}

/** A recording that has been measured, as the API shows it. */
export function recordingJson(
  hold: Hold,
  context: { readonly nowMs: WallMs; readonly publicUrl: string | undefined; readonly remoteSegments: number },
): RecordingJson {
  const { nowMs, publicUrl, remoteSegments } = context;
  const runs = isRecording(hold, nowMs);
  const endMs = runs || hold.toMs === null ? nowMs : hold.toMs;
  const durationMs = Math.max(0, endMs - hold.fromMs);
  const { extent } = hold;
  return {
    id: hold.id,
    streamId: hold.streamId,
    title: hold.name,
    metadata: { ...hold.metadata },
    from: timeJson(hold.fromMs),
    to: runs ? null : timeJson(hold.toMs),
    until: runs ? timeJson(hold.toMs) : null,
    state: runs ? 'recording' : 'stopped',
    durationSeconds: durationMs / 1000,
    // The newest picture lasts a little beyond now.
    coveredSeconds: Math.min(extent?.coveredMs ?? 0, durationMs) / 1000,
    sizeBytes: extent?.sizeBytes ?? 0,
    segmentCount: extent?.segmentCount ?? 0,
    gapCount: extent?.gapCount ?? 0,
    remoteSegments,
    createdAt: timeJson(hold.createdAtMs),
    stoppedAt: timeJson(runs ? null : (hold.stoppedAtMs ?? hold.toMs)),
    url: linkOf(`/play/recordings/${hold.id}/index.m3u8`, publicUrl),
  };
}

/** A path of this server as clients reach it: absolute when the public URL is known. */
export function linkOf(path: string, publicUrl: string | undefined): string {
  return publicUrl === undefined ? path : `${publicUrl.replace(/\/+$/, '')}${path}`;
}
