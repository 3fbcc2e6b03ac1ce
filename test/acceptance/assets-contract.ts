import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every route about files that become assets. Others may come; none of these goes. */
export const ASSET_ROUTES: Readonly<Record<string, readonly string[]>> = {
  '/v1/assets': ['get', 'post'],
  '/v1/assets/{id}': ['delete', 'get', 'patch'],
  '/v1/assets/{id}/cancel': ['post'],
  '/v1/assets/{id}/retry': ['post'],
  '/v1/assets/{id}/outputs/{outputId}/cancel': ['post'],
  '/v1/assets/{id}/tokens': ['post'],
  '/v1/assets/events': ['get'],
  '/v1/assets/{id}/events': ['get'],
  '/v1/uploads': ['post'],
  '/v1/uploads/{id}': ['delete', 'get', 'patch'],
  '/v1/uploads/{filename}': ['put'],
  '/v1/webhooks': ['get', 'post'],
  '/v1/webhooks/{id}': ['delete', 'get', 'patch'],
  '/v1/webhooks/{id}/test': ['post'],
  '/v1/webhooks/{id}/rotate': ['post'],
  '/v1/webhooks/job-secret': ['get'],
  '/v1/webhooks/deliveries': ['get'],
  '/v1/webhooks/deliveries/{id}': ['get'],
  '/v1/webhooks/deliveries/{id}/redeliver': ['post'],
  '/play/assets/{id}/master.m3u8': ['get'],
  '/play/assets/{id}/manifest.mpd': ['get'],
  '/play/assets/{id}/{output}/index.m3u8': ['get'],
  '/play/assets/{id}/{output}/iframes.m3u8': ['get'],
  '/play/assets/{id}/init/{file}': ['get'],
  '/play/assets/{id}/segments/{file}': ['get'],
  '/play/assets/{id}/key/{file}': ['get'],
  '/play/assets/{id}/poster.jpg': ['get'],
  '/play/assets/{id}/storyboard.vtt': ['get'],
  '/play/assets/{id}/storyboard.json': ['get'],
  '/play/assets/{id}/storyboard/{file}': ['get'],
  '/play/assets/{id}/thumbnails/{file}': ['get'],
  '/play/assets/{id}/captions/{file}': ['get'],
  '/play/assets/{id}/download.mp4': ['get'],
};

/** What an asset says of itself, in this order. */
export const ASSET_FIELDS =
  'id tenant name referenceId state cause priority source media durationMs progress speed etaSeconds createdAt startedAt playableAt endedAt request playback outputs';
/** What an output says of itself. */
export const OUTPUT_FIELDS =
  'id name kind spec state cause progress etaSeconds cpuSeconds peakMemoryBytes wallSeconds startedAt endedAt files';

/** What the configuration may set about assets, with its default. */
export const ASSET_SETTINGS: Readonly<Record<string, unknown>> = {
  ZOETROPE_MAX_UPLOAD_BYTES: 20 * 1024 ** 3,
  ZOETROPE_UPLOAD_EXPIRY_HOURS: 24,
  ZOETROPE_MAX_DURATION_HOURS: 12,
  ZOETROPE_MAX_VIDEO_PIXELS: 8192 * 4320,
  ZOETROPE_VOD_SEGMENT_SECONDS: 4,
  ZOETROPE_VOD_CHUNK_SECONDS: 12,
  ZOETROPE_VOD_MAX_ATTEMPTS: 4,
  ZOETROPE_VOD_STALL_SECONDS: 60,
  ZOETROPE_WEBHOOK_RETRY_DAYS: 3,
  ZOETROPE_WEBHOOK_LOG_DAYS: 30,
  ZOETROPE_GRPC_TLS_CERT: null,
  ZOETROPE_GRPC_TLS_KEY: null,
  ZOETROPE_GRPC_TLS_CLIENT_CA: null,
};

/** Requests for an asset that are refused: status, problem code, a word of the explanation, the body. */
export const REFUSED_ASSETS: readonly (readonly [status: number, code: string, says: RegExp, body: unknown])[] = [
  [400, 'invalid_argument', /source/, { name: 'nothing' }],
  [400, 'invalid_argument', /http: or https:/, { source: { url: 'file:///etc/passwd' } }],
  [400, 'invalid_argument', /user name or password/, { source: { url: 'https://a:b@example.org/f.mp4' } }],
  [400, 'invalid_argument', /"inputs\/default\/"/, { source: { objectKey: 'assets/other/source' } }],
  [404, 'missing_input', /no such object/, { source: { objectKey: 'inputs/default/none.mp4' } }],
  [400, 'invalid_argument', /hevc/, { source: { url: 'https://a.test/f' }, outputs: { video: [{ codec: 'mpeg2' }] } }],
  [
    400,
    'invalid_argument',
    /either crf or bitrateKbps/,
    { source: { url: 'https://a.test/f' }, outputs: { video: [{ crf: 20, bitrateKbps: 100 }] } },
  ],
];

/** Makes a film of five seconds, sound in two languages that goes on for 1.2 s, and captions. */
export function makeFilm(directory: string): string {
  const captions = join(directory, 'captions.srt');
  writeFileSync(captions, '1\n00:00:01,000 --> 00:00:02,500\nHello <i>there</i>\n');
  const path = join(directory, 'film.mkv');
  ffmpeg(
    '-f lavfi -i testsrc2=s=320x180:r=25:d=5 -f lavfi -i sine=f=440:r=48000:d=6.2 -f lavfi -i sine=f=880:r=48000:d=6.2',
    ['-i', captions],
    '-map 0 -map 1 -map 2 -map 3 -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac -c:s srt',
    '-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -metadata:s:s:0 language=eng',
    [path],
  );
  return path;
}

/** Makes the picture that is laid over films: all red. */
export function makeMark(path: string): void {
  ffmpeg('-f lavfi -i color=red:s=32x32 -frames:v 1', [path]);
}

function ffmpeg(...words: readonly (string | readonly string[])[]): void {
  const args = words.flatMap((each) => (typeof each === 'string' ? each.split(' ') : each));
  execFileSync('/usr/bin/ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args]);
}
