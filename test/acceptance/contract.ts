import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { FrameEvent, StreamJson } from '../../src/api/rest/shapes.ts';
import type { ApiClient } from '../fixtures/api-client.ts';
import { makeJpeg } from '../fixtures/pictures.ts';
import { eventually } from '../fixtures/processes.ts';
import type { TestServer } from '../fixtures/server.ts';

/** A small JPEG; another seed, another picture. */
export const picture = (seed: number): Buffer => makeJpeg({ width: 160, height: 120, seed });
/** RFC 3339 in UTC. */
export const iso = (atMs: number): string => new Date(atMs).toISOString();
/** A whole second, long enough ago that no test's frames reach into the future. */
export const startMs = Math.floor(Date.now() / 1000) * 1000 - 120_000;
/** Thresholds that a test can wait for. */
export const SHORT = {
  ZOETROPE_FRAMES_PER_SEGMENT: '2',
  ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: '1',
  ZOETROPE_OFFLINE_CHECK_INTERVAL_SECONDS: '3600',
};

/** What `zoetrope.yaml` and the environment may set, with its default. */
export const SETTINGS: Readonly<Record<string, unknown>> = {
  ZOETROPE_DATA_DIR: './data',
  ZOETROPE_HOST: '127.0.0.1',
  ZOETROPE_PORT: 8080,
  ZOETROPE_METRICS_PORT: 9090,
  ZOETROPE_FRAMES_PER_SEGMENT: 6,
  ZOETROPE_MAX_SEGMENT_WAIT_SECONDS: 60,
  ZOETROPE_RETENTION_HOURS: 24,
  ZOETROPE_OFFLINE_AFTER_SECONDS: 60,
  ZOETROPE_ARCHIVE_RETENTION_DAYS: 7,
  ZOETROPE_FRAME_ROOTS: [],
  ZOETROPE_ROLES: ['api', 'delivery', 'ingest', 'worker', 'upkeep'],
  ZOETROPE_LOG_LEVEL: 'info',
};

/** Posts frames of a device, 5 s apart, and answers its stream. */
export async function feed(api: ApiClient, device: string, count: number, fromMs = startMs): Promise<string> {
  let id = '';
  for (let index = 0; index < count; index++) {
    const answer = await api.postFrame(device, fromMs + index * 5000, picture(index));
    assert.equal(answer.status, 202, answer.bytes.toString());
    ({ streamId: id } = JSON.parse(answer.bytes.toString()) as { streamId: string });
  }
  return id;
}

/** Resolves with a playlist once it names so many segments. */
export function playlistWith(api: ApiClient, path: string, count: number): Promise<string> {
  return eventually(
    `${count} segments in ${path}`,
    async () => {
      const text = (await api.request(path)).bytes.toString();
      return (text.match(/^#EXTINF/gm)?.length ?? 0) >= count ? text : undefined;
    },
    { timeoutMs: 15_000, everyMs: 50 },
  );
}

/** Resolves with a stream once it is online: that is written once a second. */
export function onlineStream(api: ApiClient, id: string): Promise<StreamJson> {
  const online = async (): Promise<StreamJson | undefined> => {
    const stream = await api.json<StreamJson>(`/v1/streams/${id}`);
    return stream.state === 'online' ? stream : undefined;
  };
  return eventually('online', online, { timeoutMs: 5000 });
}

/** Makes keys, each named `tenant:scopes`, and answers what to send with each, and with none as `nobody`. */
export async function makeKeys(
  server: TestServer,
  names: readonly string[],
): Promise<Readonly<Record<string, { readonly headers?: Readonly<Record<string, string>> }>>> {
  const keys: Record<string, { readonly headers?: Readonly<Record<string, string>> }> = { nobody: {} };
  for (const name of names) {
    const [tenant = '', scopes = ''] = name.split(':');
    const whose = tenant === '' ? [] : ['--tenant', tenant];
    const made = await server.command(['keys', 'create', '--name', name, '--scopes', scopes, ...whose, '--json']);
    const { secret } = JSON.parse(made.stdout) as { readonly secret: string };
    keys[name] = { headers: { authorization: `Bearer ${secret}` } };
  }
  return keys;
}

/** A frame event with every documented field. */
export function event(timestamp: string, framePath: string): FrameEvent {
  return {
    eventId: randomUUID(),
    clientId: 'client-abc',
    deviceId: 'device-001',
    timestamp,
    framePath,
    requestId: 'request-1',
    secondaryKey: 'optional',
    location: { lat: -33.4489, lon: -70.6693 },
  };
}

/** Playlists of a stream that are refused, and with what. */
export const REFUSED_PLAYLISTS: readonly (readonly [path: string, status: number])[] = [
  ['dvr.m3u8?speed=0', 422],
  ['dvr.m3u8?speed=fast', 400],
  ['dvr.m3u8?container=avi', 400],
  ['dvr.m3u8?_HLS_skip=NO', 400],
  ['range.m3u8', 400],
  [`range.m3u8?from=${iso(startMs)}&to=${iso(startMs - 1)}`, 400],
  [`range.m3u8?from=${iso(startMs - 9_000_000)}&to=${iso(startMs - 8_000_000)}`, 404],
];

/** Command lines on a server with a camera of the tenant `test` that has five segments: exit code and what is printed. */
export const COMMANDS: readonly (readonly [code: number, output: RegExp, ...args: string[]])[] = [
  [0, /"dryRun": true/, 'offline-checker', '--once', '--dry-run', '--json'],
  [0, /"dryRun": true/, 'cleanup', '--dry-run', '--json'],
  [0, /"released": \[\]/, 'archive-cleanup', '--dry-run', '--json'],
  [0, /"segments": 5/, 'reset-device', '-c', 'test', '-d', 'camera', '--dry-run', '--json'],
  [1, /not_found/, 'reset-device', '-c', 'test', '-d', 'nobody', '--skip-catalog', '--skip-storage'],
  [2, /--device/, 'reset-device', '-c', 'test'],
  [0, /"clean": true/, 'doctor', '--repair', '--json'],
  [0, /"valid": true/, 'config', '--check', '--json'],
  [0, /^\[\]/, 'keys', 'list', '--json'],
  [1, /not_found/, 'keys', 'revoke', 'key_none'],
  [2, /unknown option/, 'serve', '--nonsense'],
  [2, /--roles: got "cook"/, 'serve', '--roles', 'cook'],
  [2, /seconds above 0/, 'offline-checker', '--continuous', '--interval', '0'],
  [0, /--metrics-port/, 'consumer', '--help'],
  [0, /--via/, 'simulate', 'cameras', '--help'],
];
